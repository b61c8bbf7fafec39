/**
 * What every implementation of X25519 must do.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Curve, NOBLE_CURVE } from "../../src/crypto/curve.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}

/** Scalar, u-coordinate and their product: RFC 7748 section 5.2. */
const PRODUCTS = [
  [
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  ],
  [
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
  ],
] as const;

/** Two secrets, their public keys and what they share: RFC 7748 section 6.1. */
const ALICE = {
  secret: hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
  publicKey: hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
};
const BOB = {
  secret: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  publicKey: hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
};
const SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

/** Points whose multiples are all zeros. */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** Defines the tests of one implementation. */
export function testCurve(name: string, curve: Curve): void {
  Deno.test(`X25519 by ${name} gives the answers of RFC 7748`, () => {
    for (const [scalar, point, product] of PRODUCTS) {
      assertEquals(curve.shared(hex(scalar), hex(point))?.toHex(), product);
    }
    for (const { secret, publicKey } of [ALICE, BOB]) {
      assertEquals(curve.publicKey(secret), publicKey);
    }
    assertEquals(curve.shared(ALICE.secret, BOB.publicKey)?.toHex(), SHARED);
    assertEquals(curve.shared(BOB.secret, ALICE.publicKey)?.toHex(), SHARED);
  });

  Deno.test(`X25519 by ${name} gives the answer of RFC 7748 for 1,000 iterations`, () => {
    let k: Uint8Array = Uint8Array.of(9, ...new Array<number>(31).fill(0));
    let u = k;
    for (let i = 0; i < 1000; i++) [k, u] = [curve.shared(k, u)!, k];
    assertEquals(k.toHex(), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });

  Deno.test(`X25519 by ${name} refuses points of low order and other lengths`, () => {
    for (const point of LOW_ORDER) {
      assertEquals(curve.shared(new Uint8Array(32).fill(5), hex(point)), undefined, point);
    }
    for (const length of [0, 31, 33]) {
      assertEquals(curve.shared(ALICE.secret, new Uint8Array(length)), undefined);
    }
  });

  Deno.test(`X25519 by ${name} takes any 32 bytes, and agrees with noble`, () => {
    for (let i = 0; i < 16; i++) {
      const point = new Uint8Array(32).map((_, j) => Math.imul(i * 32 + j + 1, 2654435761) >>> 24);
      const shared = curve.shared(ALICE.secret, point);
      assert(shared);
      assertEquals(shared, NOBLE_CURVE.shared(ALICE.secret, point));
      assertEquals(curve.publicKey(point), NOBLE_CURVE.publicKey(point));
    }
  });
}
