/**
 * Headers that packets may refer to, as either end keeps them: docs/protocol.md, section 6.10.
 *
 * @module
 */

import { MAX_HEADER_BYTES } from "./header_compression.ts";

/** References are kept by the lowest bits of the flow bucket ... */
export const CONTEXTS = 128;
/** ... and of their numbers, which count modulo {@linkcode NUMBERS}. */
export const KEPT = 4;
/** Reference numbers: what the bits of the flow field that a flow does not take can say. */
export const NUMBERS = 64;

const NONE = -1;

/** Where the reference of a number is kept, for a flow bucket. */
export function placeOf(bucket: number, number: number): number {
  return bucket % CONTEXTS * KEPT + number % KEPT;
}

/** The headers of one peer and direction, by place. */
export class HeaderStore {
  /** Memory of all of them. Nothing until it is needed. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #numbers = new Int8Array(CONTEXTS * KEPT).fill(NONE);
  readonly #lengths = new Uint8Array(CONTEXTS * KEPT);

  /** Forgets everything. */
  clear(): void {
    this.#numbers.fill(NONE);
  }

  /** Whether anything is kept in a place. */
  isTaken(place: number): boolean {
    return this.#numbers[place] !== NONE;
  }

  /** Whether a place keeps the reference `number`. */
  has(place: number, number: number): boolean {
    return this.#numbers[place] === number;
  }

  /** Where in {@linkcode bytes} the headers of a place are. */
  at(place: number): number {
    return place * MAX_HEADER_BYTES;
  }

  /** How long they are, in bytes. */
  lengthOf(place: number): number {
    return this.#lengths[place]!;
  }

  /** Keeps the `length` bytes of headers at `from`, instead of what the place had. */
  put(place: number, number: number, packet: Uint8Array, from: number, length: number): void {
    if (this.bytes.length === 0) this.bytes = new Uint8Array(CONTEXTS * KEPT * MAX_HEADER_BYTES);
    const at = this.at(place);
    for (let i = 0; i < length; i++) this.bytes[at + i] = packet[from + i]!;
    this.#numbers[place] = number;
    this.#lengths[place] = length;
  }
}
