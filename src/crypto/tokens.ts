/**
 * Numbers that nobody can guess who does not have the secret, not even one that has seen others.
 *
 * @module
 */

import { readU32, writeU64 } from "../wire/field.ts";
import { type Mac, NOBLE_MAC } from "./mac.ts";

/** Numbers that one MAC gives. */
const PER_BLOCK = 8;

/** Draws 32-bit numbers from a secret. */
export class Tokens {
  readonly #secret: Uint8Array;
  readonly #mac: Mac;
  readonly #counter = new Uint8Array(8);
  readonly #block = new Uint8Array(4 * PER_BLOCK);
  #drawn = 0;

  /** @param secret 32 bytes, copied */
  constructor(secret: Uint8Array, mac: Mac = NOBLE_MAC) {
    this.#secret = secret.slice();
    this.#mac = mac;
  }

  /** Returns the next one. */
  next(): number {
    const place = this.#drawn % PER_BLOCK;
    if (place === 0) {
      writeU64(this.#counter, 0, this.#drawn);
      this.#block.set(this.#mac(this.#secret, this.#counter));
    }
    this.#drawn++;
    return readU32(this.#block, 4 * place);
  }

  /** Forgets the secret. */
  close(): void {
    this.#secret.fill(0);
    this.#block.fill(0);
  }
}
