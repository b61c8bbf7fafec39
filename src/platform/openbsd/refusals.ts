/**
 * Calls that pledge(2) has refused: with the promise `error` they fail with ENOSYS, which nothing
 * else here does.
 *
 * The tunnel goes on without what was refused. The log names each call once, since a promise
 * that was forgotten can be found in no other way.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { ERRNO } from "./errno.ts";

const log = getLogger(["aggvpn", "pledge"]);

/** What has been refused so far. */
export class Refusals {
  readonly #calls = new Set<string>();
  readonly #report: (call: string) => void;

  /** @param report tells people of a call; the log does unless a test wants to */
  constructor(report: (call: string) => void = logRefusal) {
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

function logRefusal(call: string): void {
  log.error("pledge(2) refused {call}: report this, please", { call });
}
