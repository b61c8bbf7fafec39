import { assertEquals } from "@std/assert";
import { derivePsk, stretchPassword } from "../../src/crypto/psk.ts";
import vectors from "../vectors/handshake.json" with { type: "json" };

Deno.test("derivePsk() gives the keys of docs/protocol.md", () => {
  const keys = derivePsk(Uint8Array.fromHex(vectors.psk));
  assertEquals(keys.psk.toHex(), vectors.noise_psk);
  assertEquals(keys.hint.toHex(), vectors.key_hint);
  assertEquals(keys.macKey.toHex(), vectors.mac_key);
});

Deno.test("stretchPassword() gives the key of docs/protocol.md", () => {
  assertEquals(stretchPassword(vectors.password).toHex(), vectors.password_psk);
});

Deno.test("stretchPassword() does not mind how an accent is typed", () => {
  assertEquals(stretchPassword("caf\u00e9"), stretchPassword("cafe\u0301"));
});
