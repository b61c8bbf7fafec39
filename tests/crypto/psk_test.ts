import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { derivePsk, formatKey, parseKey, stretchPassword } from "../../src/crypto/psk.ts";
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

Deno.test("parseKey() reads what formatKey() writes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const text = formatKey(key);
      assertEquals(text.length, 44);
      assertEquals(parseKey(text), new Uint8Array(key));
    }),
  );
});

Deno.test("parseKey() takes nothing else for a key", () => {
  const text = formatKey(new Uint8Array(32).fill(255));
  const others = [
    "",
    "secret",
    text.slice(1),
    ` ${text}`,
    `${text}\n`,
    `${text.slice(0, 43)} `,
    text.replace("=", "A"),
    `${text.slice(0, 42)}9=`, // the last bits of the last character are not zero
    text.replaceAll("/", "_"),
    `${text.slice(0, 42)}==`,
  ];
  assertEquals(others.map((other) => parseKey(other)), others.map(() => undefined));
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (other) => {
      const key = parseKey(other);
      if (key) assertEquals(formatKey(key), other);
    }),
  );
});
