/**
 * Calls that pledge(2) has refused: with the promise `error` they fail with ENOSYS, as nothing else
 * here does.
 *
 * The tunnel goes on without what was refused. The log names each call once, since a forgotten
 * promise can be found in no other way.
 *
 * @module
 */

import { logRefusal } from "../../refusals.ts";
import { ERRNO } from "./errno.ts";

/** Who refuses. */
export const PLEDGE = "pledge(2)";

/** What has been refused so far. */
export class Refusals {
  readonly #calls = new Set<string>();
  readonly #report: (call: string) => void;

  /** @param report tells people about a call: by the log, except in a test */
  constructor(report: (call: string) => void = (call) => logRefusal(PLEDGE, call)) {
    this.#report = report;
  }

  /** Looks at the `errno` of a failed `call`, such as `setsockopt`; returns it. */
  note(call: string, errno: number): number {
    if (errno === ERRNO.ENOSYS && !this.#calls.has(call)) {
      this.#calls.add(call);
      this.#report(call);
    }
    return errno;
  }
}
