/**
 * What errors of a UDP socket mean for its link; the numbers differ by system, the names do not.
 *
 * @module
 */

import type { SendFailure } from "../batch.ts";

/** Errors a receive skips before it returns to the poller. */
export const MAX_SKIPPED_ERRORS = 4;

type Name =
  | "EAGAIN"
  | "EINTR"
  | "ENOBUFS"
  | "ENOMEM"
  | "EMSGSIZE"
  | "ECONNREFUSED"
  | "EPERM"
  | "EACCES"
  | "EBADF"
  | "ENOTSOCK"
  | "EFAULT";

/** Returns why the kernel refused to send, by the system's error number. */
export function sendFailures(
  errno: Readonly<Record<Name, number>>,
): Readonly<Record<number, SendFailure>> {
  return {
    [errno.EAGAIN]: "again",
    [errno.EINTR]: "again",
    [errno.ENOBUFS]: "nobufs",
    [errno.ENOMEM]: "nobufs",
    [errno.EMSGSIZE]: "message-size",
    [errno.ECONNREFUSED]: "refused",
    [errno.EPERM]: "denied", // a firewall rule; pf(4) says EACCES
    [errno.EACCES]: "denied",
  };
}

/** Returns the errors that mean a bug: using a descriptor or an address one must not. */
export function socketBugs(errno: Readonly<Record<Name, number>>): readonly number[] {
  return [errno.EBADF, errno.ENOTSOCK, errno.EFAULT];
}
