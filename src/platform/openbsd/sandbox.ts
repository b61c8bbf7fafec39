/**
 * What a tunnel may still do once it is set up: unveil(2), pledge(2).
 *
 * Everything the two forbid was done before: libraries are loaded, the tun device is open (no
 * promise allows its ioctls) and so are the routing sockets (no promise allows AF_ROUTE; to read and
 * write them takes `stdio`). What is left is opening links again (`inet`, and `wroute` for
 * SO_RTABLE), looking names up again (`dns`, only when there are any; in another routing table a
 * program does it), the control socket (`unix`, `cpath`), files that are kept (`wpath`,
 * `cpath`), V8's compiler (`prot_exec`), and `ps`, which sysctl(2) requires of a process that asks
 * how much memory it has.
 *
 * Commands to undo changes, to look and put back, to give the interface another MTU, and the user's hooks run at
 * the end and on events, so they need `proc exec`, and root. Both are promised only when there is
 * such a command. A child starts
 * without them: the kernel lifts pledge and unveil at execve(2) unless promises for children are
 * made. An attacker who takes over this process can therefore still run these programs, as root,
 * and change addresses of interfaces (`wroute`), but cannot write to any file other than those
 * below, open a device, or directly set a route or a pf rule.
 *
 * `error`: what was forgotten fails with ENOSYS instead of ending the tunnel, since there was no
 * host on which to try every path.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { watchRefusals } from "../../refusals.ts";
import { cString } from "../ffi.ts";
import type { SandboxNeeds } from "../platform.ts";
import { findProgram } from "../run_changes.ts";
import { type Libc, systemError } from "./libc.ts";
import { isElsewhere, LOOKUP_PROGRAM } from "./lookup.ts";
import { PLEDGE } from "./refusals.ts";

const PROMISES: readonly string[] = [
  "stdio",
  "error",
  "rpath",
  "wpath",
  "cpath",
  "inet",
  "unix",
  "wroute",
  "prot_exec",
  "ps",
];
/** Promised only when there are programs to run. */
const PROGRAM_PROMISES: readonly string[] = ["proc", "exec"];
/** Promised only when names are looked up in the routing table of this process. */
const NAME_PROMISES: readonly string[] = ["dns"];

const HINT = "Set sandbox = false to run without it.";

/** Gives up what `needs` does not list. Throws AggvpnError when the kernel refuses. */
export function sandbox(libc: Libc, needs: SandboxNeeds): void {
  const elsewhere = needs.lookups.filter((link) => isElsewhere(libc, link.rdomain));
  const programs = [...needs.programs, ...elsewhere.length > 0 ? [LOOKUP_PROGRAM] : []];
  for (const [path, permissions] of unveiled({ ...needs, programs })) {
    if (libc.symbols.unveil(cString(path), cString(permissions)) < 0) {
      throw systemError(libc, `Cannot unveil "${path}"`, libc.errno("unveil"), HINT);
    }
  }
  if (libc.symbols.unveil(null, null) < 0) {
    throw systemError(libc, "Cannot end unveil(2)", libc.errno("unveil"), HINT);
  }
  const promises = [
    ...PROMISES,
    ...programs.length > 0 ? PROGRAM_PROMISES : [],
    ...needs.lookups.length > elsewhere.length ? NAME_PROMISES : [],
  ].join(" ");
  if (libc.symbols.pledge(cString(promises), null) < 0) {
    throw systemError(libc, `Cannot pledge "${promises}"`, libc.errno("pledge"), HINT);
  }
  watchRefusals(PLEDGE);
}

/**
 * Paths with what may be done there; the longest match counts. All may be read: the way from "/"
 * must be seen to change directory for a script and to find programs.
 */
function unveiled({ programs, files, directories }: SandboxNeeds): Map<string, string> {
  const kept = directories.filter(isDirectory);
  const paths = programs.flatMap((program) => withInterpreter(pathOf(program)));
  return new Map([
    ["/", "r"],
    ...programs.length > 0 ? [["/dev/null", "rw"] as const] : [],
    ...[...kept, ...files].map((path) => [path, "rwc"] as const),
    ...paths.map((path) => [path, "rx"] as const),
  ]);
}

function pathOf(program: string): string {
  const path = program.startsWith("/") ? program : findProgram(program);
  if (path !== undefined) return path;
  throw new AggvpnError(`Cannot find "${program}", which would be run at the end`, { hint: HINT });
}

/** A script is run by the program on its first line, which has to be executable too. */
function withInterpreter(path: string): string[] {
  const interpreter = /^#!\s*(\/\S+)/.exec(firstBytes(path))?.[1];
  return interpreter === undefined ? [path] : [interpreter, path];
}

function firstBytes(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(256);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    return "";
  }
}

/**
 * unveil(2) remembers a directory as it is: one created later would not be seen. One that cannot be
 * made is no reason not to start: whoever writes there says what is then lost.
 */
function isDirectory(path: string): boolean {
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    return true;
  } catch {
    return false;
  }
}
