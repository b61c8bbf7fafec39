/**
 * One call for each packet: against a fake LibreSSL, and against a real one when AGGVPN_LIBRESSL
 * names its libcrypto.
 */

import { assertEquals, assertThrows } from "@std/assert";
import type { AeadProvider } from "../../../src/crypto/aead.ts";
import { AggvpnError } from "../../../src/errors.ts";
import { loadLibcrypto } from "../../../src/platform/libcrypto.ts";
import { AeadContextKey } from "../../../src/platform/libcrypto/aead.ts";
import { NOBLE_CURVE } from "../../../src/crypto/curve.ts";
import { curveOf, X25519, type X25519Symbols } from "../../../src/platform/libcrypto/x25519.ts";
import { testProvider } from "../../crypto/aead_checks.ts";
import { testCurve } from "../../crypto/curve_checks.ts";
import { FakeLibressl } from "./fake_libressl.ts";

const fake = new FakeLibressl();

const provider: AeadProvider = {
  name: "AeadContextKey",
  hardwareAes: true,
  importKey: (cipher, key) => new AeadContextKey(fake.symbols, cipher, key),
};

testProvider(provider, 1900);

Deno.test("AeadContextKey frees its context once", () => {
  const library = new FakeLibressl();
  const key = new AeadContextKey(library.symbols, "aes256gcm", new Uint8Array(32));
  assertEquals(library.contexts.size, 1);
  key.close();
  key.close();
  assertEquals(library.contexts.size, 0);
});

Deno.test("AeadContextKey leaves no context behind when the library refuses the key", () => {
  const library = new FakeLibressl();
  const symbols = { ...library.symbols, EVP_AEAD_CTX_init: (): number => 0 };
  assertThrows(
    () => new AeadContextKey(symbols, "aes256gcm", new Uint8Array(32)),
    AggvpnError,
    "Cannot use aes256gcm of libcrypto",
  );
  assertEquals(library.contexts.size, 0);
});

/** X25519(3) as LibreSSL has it: 0 for a point of low order. */
const oneCall = curveOf({
  ...Object.fromEntries(Object.keys(X25519).map((name) => [name, null])) as X25519Symbols,
  X25519: (out, secret, point) => {
    const shared = NOBLE_CURVE.shared(secret as Uint8Array, point as Uint8Array);
    (out as Uint8Array).set(shared ?? []);
    return shared ? 1 : 0;
  },
});
testCurve("a fake X25519(3)", oneCall!);

const path = Deno.env.get("AGGVPN_LIBRESSL");
for (const way of ["stubs", "libffi"] as const) {
  const name = `loadLibcrypto() of LibreSSL by ${way}`;
  const real = path === undefined ? undefined : loadLibcrypto(path, way);
  if (real) testProvider({ ...real, name }, 1900);
  if (real) testCurve(`LibreSSL by ${way}`, real.curve!);
  Deno.test({
    name: path === undefined ? `${name} (skipped: AGGVPN_LIBRESSL names none)` : name,
    ignore: path === undefined,
    fn(): void {
      assertEquals(
        real?.importKey("aes256gcm", new Uint8Array(32)) instanceof AeadContextKey,
        true,
      );
    },
  });
}
