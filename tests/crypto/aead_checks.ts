/**
 * What every implementation of the AEAD contract has to pass; each one's tests register it with
 * their provider.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { AeadKey, AeadProvider, Cipher } from "../../src/crypto/aead.ts";
import { DatagramSlab, PacketPool, type Slab, SLOT_BYTES } from "../../src/slab.ts";
import { TAG_BYTES } from "../../src/wire/datagram.ts";
import file from "../vectors/aead.json" with { type: "json" };

export const CIPHERS: readonly Cipher[] = ["aes256gcm", "chacha20poly1305"];

/** Fills slots with bytes other than 0, to catch reads and writes in the wrong place. */
export function dirty<T extends Slab>(slab: T): T {
  slab.bytes.fill(0xa5);
  return slab;
}

/** Puts `bytes` into the body of a slot. */
export function fill(slab: Slab, slot: number, bytes: Uint8Array): void {
  slab.bytes.set(bytes, slab.at(slot) + slab.bodyOffset);
}

/** Copies the first `length` bytes of the body of a slot. */
export function body(slab: Slab, slot: number, length: number): Uint8Array {
  const start = slab.at(slot) + slab.bodyOffset;
  return slab.bytes.slice(start, start + length);
}

/** Seals through slabs and returns ciphertext and tag. */
export function sealOnce(
  key: AeadKey,
  nonce: Uint8Array<ArrayBuffer>,
  aad: Uint8Array<ArrayBuffer>,
  plain: Uint8Array,
): Uint8Array {
  const from = dirty(new PacketPool(3));
  const to = dirty(new DatagramSlab(3));
  fill(from, 1, plain);
  const [fromBefore, toBefore] = [from.bytes.slice(), to.bytes.slice()];
  key.seal(nonce, aad, from, 1, plain.length, to, 2);
  const sealed = body(to, 2, plain.length + TAG_BYTES);
  assertEquals(from.bytes, fromBefore, "the source changed");
  toBefore.set(sealed, to.at(2) + to.bodyOffset);
  assertEquals(to.bytes, toBefore, "bytes beside the body changed");
  return sealed;
}

/** Opens through slabs; returns the plaintext or undefined. */
export function openOnce(
  key: AeadKey,
  nonce: Uint8Array<ArrayBuffer>,
  aad: Uint8Array<ArrayBuffer>,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const from = dirty(new DatagramSlab(3));
  const to = dirty(new PacketPool(3));
  fill(from, 2, sealed);
  const length = sealed.length - TAG_BYTES;
  return key.open(nonce, aad, from, 2, length, to, 1) ? body(to, 1, length) : undefined;
}

function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text);
}

/** Registers the tests. */
export function testProvider(provider: AeadProvider, longest: number): void {
  const name = provider.name;

  for (const vector of file.vectors) {
    Deno.test(`${name}: AeadKey passes ${vector.name}`, () => {
      const key = provider.importKey(vector.cipher as Cipher, hex(vector.key));
      const [nonce, aad] = [hex(vector.nonce), hex(vector.aad)];
      assertEquals(sealOnce(key, nonce, aad, hex(vector.plain)).toHex(), vector.sealed);
      assertEquals(openOnce(key, nonce, aad, hex(vector.sealed))?.toHex(), vector.plain);
      key.close();
    });
  }

  for (const cipher of CIPHERS) {
    const newKey = (): AeadKey => provider.importKey(cipher, new Uint8Array(32).fill(7));

    Deno.test(`${name}: AeadKey.open() of ${cipher} refuses every changed byte`, () => {
      const key = newKey();
      const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
      const sealed = sealOnce(key, nonce, aad, new Uint8Array(20).fill(1));
      for (const bytes of [nonce, aad, sealed]) {
        for (let i = 0; i < bytes.length; i++) {
          bytes[i]! ^= 1 << i % 8;
          assertEquals(openOnce(key, nonce, aad, sealed), undefined);
          bytes[i]! ^= 1 << i % 8;
        }
      }
      for (let length = TAG_BYTES; length < sealed.length; length++) {
        assertEquals(openOnce(key, nonce, aad, sealed.subarray(0, length)), undefined);
      }
      assert(openOnce(key, nonce, aad, sealed));
      key.close();
    });

    Deno.test(`${name}: AeadKey.open() of ${cipher} gives back what seal() took`, () => {
      const key = newKey();
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 12, maxLength: 12 }),
          fc.uint8Array({ minLength: 14, maxLength: 14 }),
          fc.uint8Array({ maxLength: longest, size: "max" }),
          (nonce, aad, plain) => {
            const [n, a] = [new Uint8Array(nonce), new Uint8Array(aad)];
            assertEquals(openOnce(key, n, a, sealOnce(key, n, a, plain)), new Uint8Array(plain));
          },
        ),
        { numRuns: 25 },
      );
      key.close();
    });

    Deno.test(`${name}: AeadKey of ${cipher} refuses lengths that leave the slot`, () => {
      const key = newKey();
      const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
      const pool = new PacketPool(2);
      const datagrams = new DatagramSlab(2);
      for (const length of [-1, -16, SLOT_BYTES, SLOT_BYTES - pool.bodyOffset + 1, 1e9, NaN]) {
        assertEquals(key.open(nonce, aad, datagrams, 0, length, pool, 0), false);
        assertThrows(() => key.seal(nonce, aad, pool, 0, length, datagrams, 0));
      }
      key.close();
    });

    Deno.test(`${name}: AeadKey.close() of ${cipher} ends the key, and twice is harmless`, () => {
      const key = newKey();
      key.close();
      key.close();
      const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
      assertThrows(() => sealOnce(key, nonce, aad, new Uint8Array(1)));
      assertThrows(() => openOnce(key, nonce, aad, new Uint8Array(17)));
    });

    Deno.test(`${name}: importKey() of ${cipher} copies the key and checks its length`, () => {
      const bytes = new Uint8Array(32).fill(7);
      const key = provider.importKey(cipher, bytes);
      bytes.fill(0);
      const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
      const plain = new Uint8Array(9);
      assertEquals(sealOnce(key, nonce, aad, plain), sealOnce(newKey(), nonce, aad, plain));
      assertThrows(() => provider.importKey(cipher, new Uint8Array(31)));
    });
  }
}
