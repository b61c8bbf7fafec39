/**
 * The little that every binding of a C library needs: addresses, C strings and
 * `errno`.
 *
 * Deno calls C fast only when a pointer is either a prepared view or a BigInt,
 * so addresses are BigInts that are computed once. A structure that holds an
 * address pins nothing: whoever stores one keeps the view referenced for as
 * long as C may follow it.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import type { Slab } from "../slab.ts";

/** A view that C may read and write. */
export type Memory = Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Returns the address of the first byte of `memory`, which must not be empty. */
export function addressOf(memory: Memory): bigint {
  // Asking for the buffer moves a small array out of V8's heap, where it could be moved.
  if (memory.buffer.byteLength === 0) throw new Error("addressOf() of an empty buffer");
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory));
}

/** An address as the two 32-bit words that a little-endian structure holds. */
export interface AddressWords {
  readonly low: number;
  readonly high: number;
}

/** Splits `address` into words, which are stored without the cost of a BigInt. */
export function addressWords(address: bigint): AddressWords {
  return { low: Number(address & 0xffff_ffffn), high: Number(address >> 32n) };
}

const slabAddresses = new WeakMap<Slab, Map<number, readonly bigint[]>>();

/** Returns the address of byte `offset` of every slot of `slab`; computed once. */
export function slotAddresses(slab: Slab, offset: number): readonly bigint[] {
  let byOffset = slabAddresses.get(slab);
  if (!byOffset) slabAddresses.set(slab, byOffset = new Map());
  let addresses = byOffset.get(offset);
  if (!addresses) {
    const base = addressOf(slab.bytes) + BigInt(offset);
    addresses = Array.from({ length: slab.count }, (_, slot) => base + BigInt(slab.at(slot)));
    byOffset.set(offset, addresses);
  }
  return addresses;
}

/** Encodes `text` with the NUL that ends a C string. Throws when it contains one. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new AggvpnError(`Unexpected NUL character in ${quote(text)}`);
  return new TextEncoder().encode(`${text}\0`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * The calling thread's `errno`, read through a pointer that is asked for once.
 *
 * Valid right after a failed synchronous call, before anything else calls into
 * Deno. A `nonblocking` call sets another thread's, which cannot be read.
 *
 * Very rarely it reads as EAGAIN instead: V8 may do work of its own on this thread before the read.
 * On the packet path EAGAIN only means to try again.
 */
export class Errno {
  readonly #value: Int32Array;

  /** @param location what `__errno_location` (Linux) or `__errno` (OpenBSD) returns */
  constructor(location: Deno.PointerObject) {
    this.#value = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  }

  /** Returns the number of the last error. */
  read(): number {
    return this.#value[0]!;
  }
}

/** Returns the name of `errno` in `table`, such as `ENODEV`, or `errno 123`. */
export function errnoName(table: Readonly<Record<string, number>>, errno: number): string {
  return Object.keys(table).find((name) => table[name] === errno) ?? `errno ${errno}`;
}

/** Reads errors of a bound C library. */
export interface CErrors {
  /** The error of the synchronous call that just failed, which was `call`, such as `read`. */
  errno(call?: string): number;
  /** What strerror(3) says of `errno`, such as `No such device`. */
  describe(errno: number): string;
}

/** Binds `errno` at `location`; `table` names what strerror(3) does not know. */
export function bindErrors(
  location: Deno.PointerObject,
  strerror: (errno: number) => Deno.PointerValue,
  table: Readonly<Record<string, number>>,
): CErrors {
  const errno = new Errno(location);
  return {
    errno: () => errno.read(),
    describe(number): string {
      const text = strerror(number);
      return text ? Deno.UnsafePointerView.getCString(text) : errnoName(table, number);
    },
  };
}

/**
 * Makes the error of a system call: `what: Permission denied`, with `errno` as its cause; `Kind` is
 * its class.
 */
export type SystemError = (
  libc: CErrors,
  what: string,
  errno: number,
  hint?: string,
  Kind?: typeof AggvpnError,
) => AggvpnError;

/** Returns the function that makes errors for a system whose error numbers are in `table`. */
export function systemErrorOf(table: Readonly<Record<string, number>>): SystemError {
  return (libc, what, errno, hint, Kind = AggvpnError) => {
    const cause = new Error(errnoName(table, errno));
    const message = `${what}: ${libc.describe(errno)}`;
    return new Kind(message, hint === undefined ? { cause } : { cause, hint });
  };
}
