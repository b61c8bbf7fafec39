import { assert, assertEquals } from "@std/assert";
import { NOBLE_MAC } from "../../src/crypto/mac.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { stretchPassword } from "../../src/crypto/psk.ts";
import { loadLibcrypto } from "../../src/platform/libcrypto.ts";
import { DatagramSlab, PacketPool, PLAIN_OFFSET, SLOT_BYTES } from "../../src/slab.ts";
import { CIPHERS, openOnce, sealOnce, testProvider } from "../crypto/aead_checks.ts";
import { testCurve } from "../crypto/curve_checks.ts";

/** Needs FFI and a libcrypto; without them only what needs neither is tested. */
const allowed = Deno.permissions.querySync({ name: "ffi" }).state === "granted";
const provider = allowed ? loadLibcrypto("libcrypto.so.3") : undefined;
/** N is no power of two. */
const BAD_COST = { N: 3, r: 8, p: 1, dkLen: 32 };
const SIZES = [0, 1, 15, 16, 17, 63, 64, 65, 255, 576, 1400, 1900, SLOT_BYTES - PLAIN_OFFSET];

function pseudoRandom(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => Math.imul(i + seed + 1, 2654435761) >>> 24);
}

Deno.test({
  name: "loadLibcrypto() gives undefined for what is no libcrypto",
  // Libraries stay open.
  sanitizeResources: false,
  fn(): void {
    assertEquals(loadLibcrypto("libaggvpn-no-such-library.so"), undefined);
    assertEquals(loadLibcrypto("libc.so.6"), undefined);
  },
});

if (provider) testProvider(provider, 1900);
const plain = allowed ? loadLibcrypto("libcrypto.so.3", "libffi") : undefined;
if (plain) testProvider({ ...plain, name: "libcrypto by libffi" }, 1900);
if (provider) testCurve("libcrypto", provider.curve!);
if (plain) testCurve("libcrypto by libffi", plain.curve!);

Deno.test({
  name: "loadLibcrypto() computes the MACs that noble computes, of any length",
  ignore: !provider,
  fn(): void {
    for (const { mac } of [provider!, plain!]) {
      for (const length of [0, 1, 63, 64, 65, 98, 1200]) {
        const [key, data] = [pseudoRandom(32, length), pseudoRandom(length, 3)];
        assertEquals(mac!(key, data), NOBLE_MAC(key, data));
        // A view into a larger buffer, as INITs are.
        const within = pseudoRandom(length + 20, 9).subarray(7, 7 + length);
        assertEquals(mac!(key, within), NOBLE_MAC(key, within));
      }
    }
  },
});

Deno.test({
  name: "loadLibcrypto() stretches pass phrases as the scrypt in JavaScript does",
  ignore: !provider?.scrypt,
  fn(): void {
    for (const password of ["", "correct horse", "caf\u00e9"]) {
      assertEquals(
        stretchPassword(password, provider!.scrypt).toHex(),
        stretchPassword(password).toHex(),
      );
    }
    assertEquals(provider!.scrypt!(new Uint8Array(1), new Uint8Array(1), BAD_COST), undefined);
  },
});

Deno.test({
  name: "loadLibcrypto() agrees with noble on every size",
  ignore: !provider,
  fn(): void {
    for (const cipher of CIPHERS) {
      const keyBytes = pseudoRandom(32, 1);
      const fast = provider!.importKey(cipher, keyBytes);
      const plain = nobleProvider().importKey(cipher, keyBytes);
      for (const size of SIZES) {
        const nonce = pseudoRandom(12, size);
        const aad = pseudoRandom(14, size + 7);
        const packet = pseudoRandom(size, size + 9);
        const sealed = sealOnce(fast, nonce, aad, packet);
        assertEquals(sealed, sealOnce(plain, nonce, aad, packet), `${cipher} ${size}`);
        assertEquals(openOnce(fast, nonce, aad, sealed), packet);
        assertEquals(openOnce(plain, nonce, aad, sealed), packet);
      }
      fast.close();
    }
  },
});

Deno.test({
  name: "loadLibcrypto() keys are independent of each other",
  ignore: !provider,
  fn(): void {
    const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
    const keys = [1, 2, 3].map((n) => provider!.importKey("aes256gcm", new Uint8Array(32).fill(n)));
    const sealed = keys.map((key) => sealOnce(key, nonce, aad, new Uint8Array(40)));
    keys[0]!.close();
    assertEquals(openOnce(keys[1]!, nonce, aad, sealed[1]!), new Uint8Array(40));
    assertEquals(openOnce(keys[1]!, nonce, aad, sealed[0]!), undefined);
    assertEquals(openOnce(keys[2]!, nonce, aad, sealed[2]!), new Uint8Array(40));
  },
});

/** Returns the heap growth of each call of `step`, in bytes, in the best of a few rounds. */
function leastGrowth(step: (i: number) => void): number {
  const rounds = Array.from({ length: 10 }, () => {
    const before = Deno.memoryUsage().heapUsed;
    for (let i = 0; i < 20_000; i++) step(i);
    return Math.abs(Deno.memoryUsage().heapUsed - before) / 20_000;
  });
  return Math.min(...rounds);
}

Deno.test({
  name: "loadLibcrypto() seals and opens without making an object for each packet",
  ignore: !provider,
  fn(): void {
    const key = provider!.importKey("aes256gcm", new Uint8Array(32));
    const [nonce, aad] = [new Uint8Array(12), new Uint8Array(14)];
    const [pool, datagrams] = [new PacketPool(8), new DatagramSlab(8)];
    const sealing = leastGrowth((i) => key.seal(nonce, aad, pool, i % 8, 100, datagrams, i % 7));
    let opened = 0;
    const opening = leastGrowth((i) => {
      opened += Number(key.open(nonce, aad, datagrams, i % 7, 100, pool, i % 8));
    });
    assertEquals(opened, 200_000);
    // One view alone takes about 100. The compiler boxes an address here and there.
    assert(sealing < 64 && opening < 64, `${sealing} and ${opening} bytes for each packet`);
    key.close();
  },
});
