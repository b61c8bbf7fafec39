/**
 * Endpoint records (`src/remote.ts`) of what a socket received. Systems differ in where a socket
 * address names its family; port and addresses are in the same places.
 *
 * @module
 */

import { BATCH_DATAGRAMS } from "../batch.ts";
import { REMOTE_BYTES } from "../remote.ts";

/** Words of 4 bytes that one socket address has room for. */
export const NAME_WORDS = 8;
/** Words of a sockaddr_in6 that tell one remote from another; of a sockaddr_in, without padding. */
const IPV6_NAME_WORDS = 7;
const IPV4_NAME_WORDS = 2;
/** What is remembered for a slot: name, then local address. */
const SEEN_WORDS = NAME_WORDS + 4;

/**
 * The records of a batch. A slot mostly gets datagrams from the same remote end again, so what its
 * record was made from is remembered, and the record is rewritten only when that has changed.
 */
export class EndpointRecords {
  readonly #records: Uint8Array;
  readonly #names: Uint32Array;
  readonly #control: Uint32Array;
  readonly #nameBytes: Uint8Array;
  readonly #controlBytes: Uint8Array;
  readonly #seen: Uint32Array = new Uint32Array(BATCH_DATAGRAMS * SEEN_WORDS);

  /**
   * @param records one for each slot
   * @param names socket addresses
   * @param control control messages
   */
  constructor(
    records: Uint8Array,
    names: Uint32Array<ArrayBuffer>,
    control: Uint32Array<ArrayBuffer>,
  ) {
    this.#records = records;
    this.#names = names;
    this.#control = control;
    this.#nameBytes = new Uint8Array(names.buffer);
    this.#controlBytes = new Uint8Array(control.buffer);
  }

  /**
   * Writes the record of `slot`: remote end from word `name` of the socket addresses, local end
   * from word `local` of the control messages (none when negative).
   */
  write(slot: number, ipv4: boolean, name: number, local: number): void {
    if (this.#isSeen(slot, ipv4, name, local)) return;
    writeEndpointRecord(
      ipv4,
      this.#nameBytes,
      name * 4,
      this.#controlBytes,
      local * 4,
      this.#records,
      slot * REMOTE_BYTES,
    );
  }

  #isSeen(slot: number, ipv4: boolean, name: number, local: number): boolean {
    const names = this.#names;
    const seen = this.#seen;
    const nameWords = ipv4 ? IPV4_NAME_WORDS : IPV6_NAME_WORDS;
    const localWords = ipv4 ? 1 : 4;
    let at = slot * SEEN_WORDS;
    let same = true;
    for (let k = 0; k < nameWords; k++, at++) {
      if (seen[at] === names[name + k]) continue;
      seen[at] = names[name + k]!;
      same = false;
    }
    for (let k = 0; k < localWords; k++, at++) {
      const word = local < 0 ? 0 : this.#control[local + k]!;
      if (seen[at] === word) continue;
      seen[at] = word;
      same = false;
    }
    return same;
  }
}

/**
 * Writes the endpoint record at `to` of `records`: the remote end from the
 * socket address at `at` of `names`, the local end from the address at
 * `localAt` of `control` (none when `localAt` is negative).
 */
export function writeEndpointRecord(
  ipv4: boolean,
  names: Uint8Array,
  at: number,
  control: Uint8Array,
  localAt: number,
  records: Uint8Array,
  to: number,
): void {
  const size = ipv4 ? 4 : 16;
  const from = at + (ipv4 ? 4 : 8);
  records.fill(0, to, to + 40);
  records[to] = ipv4 ? 4 : 6;
  records[to + 2] = names[at + 2]!;
  records[to + 3] = names[at + 3]!;
  for (let i = 0; i < size; i++) records[to + 4 + i] = names[from + i]!;
  if (localAt >= 0) { for (let i = 0; i < size; i++) records[to + 20 + i] = control[localAt + i]!; }
  if (!ipv4) { for (let i = 0; i < 4; i++) records[to + 36 + i] = names[at + 27 - i]!; }
}
