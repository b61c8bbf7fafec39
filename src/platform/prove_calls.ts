/**
 * The first calls of C that a process makes, of functions whose answer is known: a libc that is not
 * there, or is called wrongly, is named in one line instead of by whatever fails first.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";

/** The functions that are tried: getpid(2), socket(2), close(2). */
export interface ProvenCalls {
  readonly getpid: () => number;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly close: (fd: number) => number;
}

/** AF_INET and SOCK_DGRAM have these numbers on every system of ours. */
const AF_INET = 2;
const SOCK_DGRAM = 2;

/**
 * Returns the functions that `open` binds. Throws AggvpnError when it cannot, or when
 * they do not answer as they must; `pid` is that of this process.
 */
export function openProven<T extends ProvenCalls>(open: () => T, pid: number = Deno.pid): T {
  let calls: T;
  try {
    calls = open();
  } catch (cause) {
    throw broken((cause as Error).message, cause);
  }
  const id = calls.getpid();
  if (id !== pid) throw broken(`getpid(2) says ${id}, and this is process ${pid}`);
  const fd = calls.socket(AF_INET, SOCK_DGRAM, 0);
  // A kernel may refuse a socket, and says so; it opens none among the standard descriptors.
  const isDescriptor = fd === -1 || fd > 2 && calls.close(fd) === 0;
  if (!isDescriptor) throw broken(`socket(2) gives ${fd}, which cannot be closed`);
  return calls;
}

function broken(why: string, cause?: unknown): AggvpnError {
  return new AggvpnError(`Cannot call C functions here: ${why}`, {
    hint: "Report this with the whole line and the output of `deno --version`, please.",
    ...cause !== undefined && { cause },
  });
}
