/**
 * Addresses of memory that a key is handed again and again: looked up once, since asking for one
 * costs more than the call that needs it.
 *
 * @module
 */

import type { Slab } from "../../slab.ts";
import { addressOf, slotAddresses } from "../ffi.ts";

/** Remembers the addresses of the object asked for last; the objects are few. */
export class LastAddress {
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #address = 0n;

  of(memory: Uint8Array<ArrayBuffer>): bigint {
    if (memory !== this.#memory) {
      this.#address = addressOf(memory);
      this.#memory = memory;
    }
    return this.#address;
  }
}

/** The same for the bodies of a slab. */
export class LastBodies {
  #slab: Slab | undefined;
  #addresses: readonly bigint[] = [];

  of(slab: Slab, slot: number): bigint {
    if (slab !== this.#slab) {
      this.#addresses = slotAddresses(slab, slab.bodyOffset);
      this.#slab = slab;
    }
    return this.#addresses[slot]!;
  }
}
