/**
 * libc, opened when it is first needed.
 *
 * It is opened by its bare name: ld.so(1) then returns the libc that is already loaded, whatever
 * its version. A path could name another one, and a second libc may make no system calls.
 *
 * What calls it takes it as an argument, so that a test can hand in a fake and
 * see every call.
 *
 * @module
 */

import { type CallWay, openLibrary } from "../c_library.ts";
import { bindErrors, type CErrors, type SystemError, systemErrorOf } from "../ffi.ts";
import { ERRNO } from "./errno.ts";
import { Refusals } from "./refusals.ts";
import { LIBC } from "./symbols.ts";

/** The bound functions, and what went wrong in the last one. */
export interface Libc extends CErrors {
  readonly symbols: Deno.StaticForeignLibraryInterface<typeof LIBC>;
  /** As for any C library; `call` names calls that pledge(2) refuses. */
  errno(call: string): number;
}

let opened: Libc | undefined;

/** Returns libc, called the way it was asked for first. It stays open: the process ends with it. */
export function openLibc(way: CallWay = "stubs"): Libc {
  return opened ??= bind(way);
}

function bind(way: CallWay): Libc {
  const symbols = openLibrary("libc.so", LIBC, way);
  const { errno, describe } = bindErrors(symbols.__errno()!, symbols.strerror, ERRNO);
  const refusals = new Refusals();
  return { symbols, describe, errno: (call) => refusals.note(call, errno()) };
}

/** Makes the error of a system call of this system. */
export const systemError: SystemError = systemErrorOf(ERRNO);
