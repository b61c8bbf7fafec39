/**
 * libc, opened when it is first needed.
 *
 * What calls it takes it as an argument, so that a test can hand in a fake and
 * see every call.
 *
 * @module
 */

import { type CallWay, openLibrary } from "../c_library.ts";
import { bindErrors, type CErrors, type SystemError, systemErrorOf } from "../ffi.ts";
import { ERRNO } from "./errno.ts";
import { LIBC } from "./symbols.ts";

/** The bound functions, and what went wrong in the last one. */
export interface Libc extends CErrors {
  readonly symbols: Deno.StaticForeignLibraryInterface<typeof LIBC>;
}

let opened: Libc | undefined;

/** Returns libc, called the way it was asked for first. It stays open: the process ends with it. */
export function openLibc(way: CallWay = "stubs"): Libc {
  return opened ??= bind(way);
}

function bind(way: CallWay): Libc {
  const symbols = openLibrary("libc.so.6", LIBC, way);
  return { symbols, ...bindErrors(symbols.__errno_location()!, symbols.strerror, ERRNO) };
}

/** Makes the error of a system call of this system. */
export const systemError: SystemError = systemErrorOf(ERRNO);
