/**
 * What Deno does with files, sockets and processes by itself, held against pledge(2) and unveil(2)
 * of a fake: by kern_pledge.c and kern_unveil.c of OpenBSD 7.8.
 *
 * The functions of `Deno` that the program uses are replaced until the end of a `using`; each looks
 * up what its system calls want, then does what it always does.
 *
 * @module
 */

import type { FakeSandbox } from "./fake_sandbox.ts";

/** What an operation wants: promises, and what unveil(2) has to allow for its path. */
interface Wants {
  readonly promises: readonly string[];
  readonly unveil?: "r" | "w" | "x" | "c";
}

/** open(2), stat(2), readlink(2). */
const READ: Wants = { promises: ["rpath"], unveil: "r" };
/** open(2) with O_CREAT: the mode of a new file wants no `fattr`. */
const CREATE: Wants = { promises: ["wpath", "cpath"], unveil: "c" };
const WRITE: Wants = { promises: ["wpath"], unveil: "w" };
/** mkdir(2), unlink(2), rename(2). */
const CHANGE: Wants = { promises: ["rpath", "cpath"], unveil: "c" };
/** chmod(2): also what Deno.writeTextFile does with a mode. */
const ATTRIBUTES: Wants = { promises: ["fattr"], unveil: "w" };
/** fork(2), execve(2). */
const RUN: Wants = { promises: ["proc", "exec"], unveil: "x" };
const UNIX: Wants = { promises: ["unix"] };

type Functions = Record<string, (...args: never[]) => unknown>;

/** Deno under the sandbox of one process. */
export class PledgedDeno implements Disposable {
  /** What was refused, such as `rename /var/db/x: cpath`. */
  readonly refused: string[] = [];
  /** Names of the operations that were looked at. */
  readonly seen: Set<string> = new Set();
  readonly #sandbox: FakeSandbox;
  readonly #originals: Record<string, unknown> = {};

  constructor(sandbox: FakeSandbox) {
    this.#sandbox = sandbox;
    const wants: Readonly<Record<string, Wants>> = {
      statSync: READ,
      lstatSync: READ,
      readTextFileSync: READ,
      readDirSync: READ,
      mkdir: CHANGE,
      mkdirSync: CHANGE,
      remove: CHANGE,
      removeSync: CHANGE,
      rename: CHANGE,
      chmod: ATTRIBUTES,
      chmodSync: ATTRIBUTES,
      writeTextFile: ATTRIBUTES,
      writeTextFileSync: ATTRIBUTES,
    };
    for (const [name, want] of Object.entries(wants)) {
      this.#replace(name, (args) => this.#check(name, want, String(args[0])));
    }
    for (const name of ["open", "openSync"]) {
      this.#replace(name, ([path, options]) => this.#checkOpen(name, String(path), options));
    }
    for (const name of ["listen", "connect"]) {
      this.#replace(name, () => this.#check(name, UNIX));
    }
    const watch = (path: string): void => this.#check("Command", RUN, path);
    const { Command } = Deno;
    this.#originals.Command = Command;
    Object.assign(Deno, {
      Command: class extends Command {
        constructor(command: string | URL, options?: Deno.CommandOptions) {
          super(command, options);
          watch(String(command));
        }
      },
    });
  }

  [Symbol.dispose](): void {
    Object.assign(Deno, this.#originals);
  }

  #replace(name: string, look: (args: readonly unknown[]) => void): void {
    const original = (Deno as unknown as Functions)[name]!;
    this.#originals[name] = original;
    Object.assign(Deno, {
      [name]: (...args: never[]): unknown => {
        look(args);
        return original(...args);
      },
    });
  }

  #checkOpen(name: string, path: string, options: unknown): void {
    const { write = false, create = false, createNew = false } =
      (options ?? {}) as Deno.OpenOptions;
    this.#check(name, create || createNew ? CREATE : write ? WRITE : READ, path);
  }

  /** With the promise `error` a call fails with ENOSYS; what is not unveiled is not there. */
  #check(name: string, { promises, unveil }: Wants, path?: string): void {
    this.seen.add(name);
    const made = this.#sandbox.promises;
    if (made === undefined) return;
    const missing = promises.filter((promise) => !made.has(promise));
    const hidden = path !== undefined && unveil !== undefined &&
      !this.#permissions(path).includes(unveil);
    if (missing.length === 0 && !hidden) return;
    this.refused.push(`${name} ${path}: ${missing.length > 0 ? missing.join(" ") : "unveil"}`);
    throw missing.length > 0
      ? new Error("Function not implemented (os error 78)")
      : new Deno.errors.NotFound("No such file or directory (os error 2)");
  }

  /** The longest unveiled path that holds `path` counts. */
  #permissions(path: string): string {
    let best = "";
    let permissions = "";
    for (const [unveiled, allowed] of this.#sandbox.unveiled) {
      const holds = path === unveiled || path.startsWith(unveiled === "/" ? "/" : `${unveiled}/`);
      if (!holds || unveiled.length < best.length) continue;
      best = unveiled;
      permissions = allowed;
    }
    return permissions;
  }
}
