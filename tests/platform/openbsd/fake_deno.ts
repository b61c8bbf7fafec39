/**
 * Deno's own functions under the fake's pledge(2) and unveil(2): each asks the sandbox for the
 * system calls it makes, then works as usual.
 *
 * Which calls those are was observed with strace(1) on Linux. Rust's standard library makes the
 * same ones on OpenBSD, with fork(2) and execve(2) for a child.
 *
 * @module
 */

import type { Syscall } from "./fake_pledge.ts";
import type { FakeSandbox } from "./fake_sandbox.ts";
import { SystemError } from "./system_error.ts";

/** What Deno does to reach the kernel, by the name of the function. */
type Ask = (sandbox: FakeSandbox, ...args: never[]) => void;

const calls = (...names: readonly Syscall[]): Ask => (sandbox) => {
  for (const name of names) sandbox.call(name);
};

const open: Ask = (sandbox, path: string, options: Deno.OpenOptions = { read: true }) => {
  const { read, append, create, createNew } = options;
  const write = (options.write ?? false) || (append ?? false);
  sandbox.open(path, { read, write, create: (create ?? false) || (createNew ?? false) });
  calls("fcntl", "read", "write", "fsync", "close")(sandbox);
};

/** std::fs::create_dir_all(): an existing directory is no error. */
const mkdir: Ask = (sandbox, path: string) => {
  try {
    sandbox.path("mkdir", path);
  } catch (error) {
    if (!(error instanceof SystemError) || !isDirectory(path)) throw error;
    sandbox.path("stat", path);
    if (error.code === "EACCES") sandbox.refusals.pop();
  }
};

const remove: Ask = (sandbox, path: string) => {
  sandbox.path("lstat", path);
  sandbox.path(isDirectory(path) ? "rmdir" : "unlink", path);
};

const readFile: Ask = (sandbox, path: string) => {
  sandbox.open(path, { read: true });
  calls("fstat", "read", "close")(sandbox);
};

const readDir: Ask = (sandbox, path: string) => {
  sandbox.open(path, { read: true });
  calls("getdents", "close")(sandbox);
};

/** A requested mode is set again by fchmod(2), whatever umask(2) made of it. */
const writeFile: Ask = (sandbox, path: string, _: unknown, options: Deno.WriteFileOptions = {}) => {
  sandbox.open(path, { write: true, create: true });
  calls("write", "close")(sandbox);
  if (options.mode !== undefined) sandbox.call("fchmod");
};

const connect: Ask = (sandbox, { transport, path }: Deno.UnixConnectOptions) => {
  if (transport !== "unix") throw new Error(`Deno.connect() over ${transport}`);
  sandbox.socket("unix");
  sandbox.path("connect", path);
};

/** By TCP with SO_REUSEADDR, which like all of SOL_SOCKET but SO_RTABLE is for "inet" and "unix". */
const listen: Ask = (sandbox, options: Deno.UnixListenOptions | Deno.TcpListenOptions) => {
  if ("path" in options) {
    sandbox.socket("unix");
    sandbox.path("bind", options.path);
  } else {
    sandbox.socket("inet");
    sandbox.setsockopt("SO_REUSEADDR");
    sandbox.call("bind");
  }
  calls("listen", "getsockname")(sandbox);
};

const at = (name: Parameters<FakeSandbox["path"]>[0]): Ask => (sandbox, path: string) =>
  sandbox.path(name, path);

/** Functions that are replaced. */
const FUNCTIONS: Readonly<Record<string, Ask>> = {
  addSignalListener: calls("sigaction"),
  chmod: at("chmod"),
  chmodSync: at("chmod"),
  connect,
  kill: (sandbox, pid: number) => pid === Deno.pid ? sandbox.call("kill") : sandbox.kill(),
  listen,
  lstatSync: at("lstat"),
  memoryUsage: (sandbox) => sandbox.process(),
  mkdir,
  mkdirSync: mkdir,
  open,
  openSync: open,
  readDirSync: readDir,
  readLinkSync: at("readlink"),
  readTextFileSync: readFile,
  remove,
  removeSignalListener: calls("sigaction"),
  removeSync: remove,
  rename: (sandbox, from: string, to: string) => sandbox.rename(from, to),
  renameSync: (sandbox, from: string, to: string) => sandbox.rename(from, to),
  statSync: at("stat"),
  symlinkSync: (sandbox, _: string, path: string) => sandbox.path("symlink", path),
  uid: calls("geteuid"),
  umask: calls("umask"),
  utimeSync: at("utimensat"),
  writeTextFile: writeFile,
  writeTextFileSync: writeFile,
};

/**
 * Deno's other functions that the program calls: without system calls, before the sandbox, or in
 * commands that are processes of their own (init, join, client, enable).
 */
const OTHERS: readonly string[] = [
  "Command",
  "chownSync",
  "consoleSize",
  "cwd",
  "dlopen",
  "execPath",
  "exit",
  "makeTempFileSync",
  "osRelease",
  "realPathSync",
];

/** Names of functions of Deno that the fake knows. */
export const KNOWN: ReadonlySet<string> = new Set([...Object.keys(FUNCTIONS), ...OTHERS]);

/** Replaces Deno's functions until it is disposed of. */
export function pledgeDeno(sandbox: FakeSandbox): Disposable {
  const deno = Deno as unknown as Record<string, unknown>;
  const before: Record<string, unknown> = { Command: Deno.Command };
  for (const [name, ask] of Object.entries(FUNCTIONS)) {
    const real = deno[name] as (...args: unknown[]) => unknown;
    before[name] = real;
    deno[name] = (...args: unknown[]): unknown => {
      const failure = asked(() => ask(sandbox, ...args as never[]));
      // What is asynchronous rejects.
      if (failure) return isAsynchronous(name) ? Promise.reject(failure) : raise(failure);
      const result = real(...args);
      return name === "listen" ? listenerOf(sandbox, result as Deno.Listener) : result;
    };
  }
  deno.Command = commandClass(sandbox);
  return { [Symbol.dispose]: () => void Object.assign(Deno, before) };
}

function isAsynchronous(name: string): boolean {
  return `${name}Sync` in Deno || name === "connect";
}

function listenerOf(sandbox: FakeSandbox, listener: Deno.Listener): Deno.Listener {
  const [accept, close] = [listener.accept.bind(listener), listener.close.bind(listener)];
  const { addr } = listener;
  return Object.assign(listener, {
    async accept(): Promise<Deno.Conn> {
      kernel(() => sandbox.call("accept4"));
      const client = await accept();
      const used = ["getsockname", "getpeername", "read", "write", "shutdown", "close"] as const;
      kernel(() => calls(...used)(sandbox));
      return client;
    },
    close(): void {
      // Deno removes the socket itself.
      if (addr.transport === "unix") kernel(() => sandbox.path("unlink", addr.path));
      close();
    },
  });
}

/** What a program needs to be started, stopped and waited for. */
function commandClass(sandbox: FakeSandbox): typeof Deno.Command {
  return class extends Deno.Command {
    readonly #start: (piped: boolean) => void;

    constructor(command: string | URL, options: Deno.CommandOptions = {}) {
      super(command, options);
      this.#start = (piped): void => kernel(() => start(sandbox, `${command}`, options, piped));
    }

    override spawn(): Deno.ChildProcess {
      this.#start(false);
      const child = super.spawn();
      const kill = child.kill.bind(child);
      return Object.assign(child, {
        kill(signal?: Deno.Signal): void {
          kernel(() => sandbox.kill());
          kill(signal);
        },
      });
    }

    override output(): Promise<Deno.CommandOutput> {
      this.#start(true);
      return super.output();
    }

    override outputSync(): Deno.CommandOutput {
      this.#start(true);
      return super.outputSync();
    }
  };
}

function start(
  sandbox: FakeSandbox,
  command: string,
  { cwd, detached, stdin = "inherit", stdout, stderr }: Deno.CommandOptions,
  piped: boolean,
): void {
  sandbox.call("getcwd");
  const preset = piped ? "piped" : "inherit";
  const streams = [stdin, stdout ?? preset, stderr ?? preset];
  for (const [i, stream] of streams.entries()) {
    if (stream === "null") sandbox.open("/dev/null", { read: i === 0, write: i > 0 });
    if (stream === "piped") sandbox.call("pipe2");
  }
  calls("pipe2", "fork", "dup2", "sigaction", "wait4")(sandbox);
  if (cwd !== undefined) sandbox.path("chdir", `${cwd}`);
  if (detached) sandbox.call("setsid");
  sandbox.path("execve", command);
  const interpreter = /^#!\s*(\/\S+)/.exec(beginningOf(command))?.[1];
  if (interpreter !== undefined) sandbox.path("execve", interpreter);
}

const { openSync, statSync } = Deno;

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function beginningOf(path: string): string {
  using file = openSync(path);
  const bytes = new Uint8Array(256);
  return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
}

/** Throws an error of the sandbox as Deno would. */
function kernel(ask: () => void): void {
  const failure = asked(ask);
  if (failure) throw failure;
}

function asked(ask: () => void): Error | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "EACCES") return new Deno.errors.PermissionDenied("Permission denied");
    if (error.code === "ENOENT") return new Deno.errors.NotFound("No such file or directory");
    return new Error("Function not implemented (os error 78)");
  }
}

function raise(error: Error): never {
  throw error;
}
