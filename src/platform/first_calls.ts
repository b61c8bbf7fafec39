/**
 * The first calls of C, made on purpose: where Deno's FFI does not work, they say so in one line,
 * before anything depends on it. getpid(2) has a known answer; a socket is opened and closed, which
 * takes arguments; and closing nothing is an error with a known number, since whatever waits for
 * packets has to tell errors apart.
 *
 * What kills the process instead is handled by `call_way.ts`.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";

/** The libc functions that are called. */
export interface FirstCalls {
  readonly symbols: {
    readonly getpid: () => number;
    readonly socket: (domain: number, type: number, protocol: number) => number;
    readonly close: (fd: number) => number;
  };
  errno(call: string): number;
  describe(errno: number): string;
}

/** A socket that every host has. */
export interface FirstSocket {
  readonly family: number;
  readonly type: number;
}

/** The number of `Bad file descriptor` on Linux and OpenBSD. */
const EBADF = 9;
/** Very rarely errno(2) is wrong: V8 may work on this thread before it is read. */
const ATTEMPTS = 3;

const HINT = "Deno finds no C library, or cannot call it: report the whole line, please.";

/**
 * Returns a function that gives the libc that `open` opens. It is tried at the first call, which
 * throws AggvpnError when it does not work.
 *
 * @param pid of this process, as Deno knows it
 */
export function tryFirst<L extends FirstCalls>(
  open: () => L,
  socket: FirstSocket,
  pid: number = Deno.pid,
): () => L {
  let tried: L | undefined;
  return () => tried ??= openAndTry(open, socket, pid);
}

function openAndTry<L extends FirstCalls>(open: () => L, socket: FirstSocket, pid: number): L {
  try {
    const libc = open();
    const problem = tryCalls(libc, socket, pid);
    if (problem === undefined) return libc;
    throw new Error(problem);
  } catch (cause) {
    // It already says what to do, such as about a wrong environment variable.
    if (cause instanceof AggvpnError) throw cause;
    const [why] = (cause instanceof Error ? cause.message : `${cause}`).split("\n");
    throw new AggvpnError(`Cannot call C functions here: ${why}`, { cause, hint: HINT });
  }
}

/** Returns what does not work, or undefined. */
function tryCalls(
  libc: FirstCalls,
  { family, type }: FirstSocket,
  pid: number,
): string | undefined {
  const { getpid, socket, close } = libc.symbols;
  const said = getpid();
  if (said !== pid) return `getpid(2) says ${said}, this is process ${pid}`;
  const fd = socket(family, type, 0);
  if (fd < 0) return `socket(2): ${libc.describe(libc.errno("socket"))}`;
  if (close(fd) !== 0) return `close(2): ${libc.describe(libc.errno("close"))}`;
  return tryError(libc);
}

/** Returns what is wrong with the reading of errors, or undefined. */
function tryError(libc: FirstCalls): string | undefined {
  let errno = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const said = libc.symbols.close(-1);
    if (said !== -1) return `close(2) of nothing says ${said}`;
    errno = libc.errno("close");
    if (errno === EBADF) return undefined;
  }
  return `errno(2) is ${errno} when nothing is closed, not ${EBADF}`;
}
