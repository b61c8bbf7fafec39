/**
 * libc, opened when it is first needed.
 *
 * By its bare name: ld.so(1) then returns the libc that is loaded already, whatever
 * its version. A path could name another one, and a second libc may make
 * no system calls.
 *
 * What calls it takes it as an argument, so that a test can hand in a fake and
 * see every call.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { Errno, errnoName } from "../ffi.ts";
import { ERRNO } from "./errno.ts";
import { LIBC } from "./symbols.ts";

/** The bound functions, and what went wrong in the last one. */
export interface Libc {
  readonly symbols: Deno.DynamicLibrary<typeof LIBC>["symbols"];
  /** The error of the synchronous call that just failed. */
  errno(): number;
  /** What strerror(3) says of `errno`, such as `Device not configured`. */
  describe(errno: number): string;
}

let opened: Libc | undefined;

/** Returns libc. It stays open: the process ends with it. */
export function openLibc(): Libc {
  return opened ??= bind();
}

function bind(): Libc {
  const { symbols } = Deno.dlopen("libc.so", LIBC);
  const errno = new Errno(symbols.__errno()!);
  return {
    symbols,
    errno: () => errno.read(),
    describe(number): string {
      const text = symbols.strerror(number);
      return text ? Deno.UnsafePointerView.getCString(text) : errnoName(ERRNO, number);
    },
  };
}

/** Makes the error of a system call: `what: Permission denied`, with `errno` as its cause. */
export function systemError(
  libc: Libc,
  what: string,
  errno: number,
  hint?: string,
): AggvpnError {
  const cause = new Error(errnoName(ERRNO, errno));
  const message = `${what}: ${libc.describe(errno)}`;
  return new AggvpnError(message, hint === undefined ? { cause } : { cause, hint });
}
