/**
 * What must hold at every step of a simulation, whatever the network does.
 *
 * @module
 */

import {
  OUTER_HEADER_BYTES,
  readCounterLow,
  readDatagramType,
  readLinkId,
  readReceiverId,
  TRANSPORT_TYPE,
} from "../../src/wire/datagram.ts";

/** Something happened that must never happen. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Runs `action`; adds `hint`, such as how to reproduce it, to what it throws. */
export function explaining<T>(hint: () => string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Error) error.message += hint();
    throw error;
  }
}

/**
 * Watches what one end sends: no pair of session and link may use a counter twice, or a nonce
 * would repeat. Counters are expected to rise.
 */
export class NonceWatch {
  readonly #last = new Map<number, number>();

  /** Throws {@linkcode InvariantError} when the datagram at `at` repeats a counter. */
  check(bytes: Uint8Array, at: number, length: number): void {
    if (readDatagramType(bytes, at) !== TRANSPORT_TYPE || length < OUTER_HEADER_BYTES) return;
    const link = readLinkId(bytes, at);
    const session = readReceiverId(bytes, at);
    const counter = readCounterLow(bytes, at);
    const key = session * 256 + link;
    const last = this.#last.get(key) ?? -1;
    if (counter <= last) {
      throw new InvariantError(
        `link ${link}, session ${session.toString(16)}: counter ${counter} after ${last}`,
      );
    }
    this.#last.set(key, counter);
  }
}
