/**
 * What to do when this process may open no more files: login.conf(5).
 *
 * @module
 */

import { ERRNO } from "./errno.ts";

/** How to raise the limit of a daemon that rc.subr(8) starts. */
export const OPEN_FILES_HINT =
  "Raise openfiles-max of the login class: daemon, or one named aggvpn.";

/** Returns the hint when no descriptor was left; undefined for other errors. */
export function openFilesHint(errno: number): string | undefined {
  return errno === ERRNO.EMFILE ? OPEN_FILES_HINT : undefined;
}
