import { assert, assertEquals, assertFalse } from "@std/assert";
import { CookieJar, openCookie, withProof } from "../../src/crypto/cookie.ts";
import { Initiator, tai64n, verifyInitMac } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import { parseInitHeader, splitProof } from "../../src/wire/handshake.ts";
import { Rng } from "../pair/rng.ts";
import vectors from "../vectors/cookie.json" with { type: "json" };

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text);
const KEYS = derivePsk(hex(vectors.psk));
const INIT = hex(vectors.init);
const COOKIE = hex(vectors.cookie);
const HERE = Uint8Array.of(192, 0, 2, 1);
const ELSEWHERE = Uint8Array.of(192, 0, 2, 2);

Deno.test("openCookie() and withProof() agree with the bytes of docs/protocol.md", () => {
  assertEquals(KEYS.cookieKey.toHex(), vectors.cookie_key);
  assertEquals(openCookie(KEYS, hex(vectors.cookie_datagram), INIT)?.toHex(), vectors.cookie);
  const { init, proof } = splitProof(hex(vectors.proven));
  assert(verifyInitMac(KEYS, init));
  assertEquals(withProof(init, COOKIE).toHex(), vectors.proven);
  assertEquals(proof!.length, 16);
});

Deno.test("CookieJar.answer() seals a cookie as docs/protocol.md says", () => {
  // A jar whose every random byte is the vector's nonce, and whose MAC of an address is its cookie.
  const nonce = hex(vectors.nonce);
  const jar = new CookieJar((out) => out.set(nonce.subarray(0, out.length)));
  const datagram = jar.answer(0, KEYS, parseInitHeader(INIT)!, INIT, HERE);
  assertEquals(datagram.subarray(0, 22).toHex(), vectors.cookie_datagram.slice(0, 44));
  assertEquals(datagram.subarray(38).toHex(), vectors.cookie_datagram.slice(76), "the tag");
  assert(openCookie(KEYS, datagram, INIT));
});

Deno.test("CookieJar knows its cookies again, each for one address and one INIT", () => {
  const rng = new Rng(2);
  const jar = new CookieJar((out) => rng.fill(out));
  assertFalse(jar.verify(0, INIT, new Uint8Array(16), HERE), "before it has given any");
  const cookie = openCookie(KEYS, jar.answer(0, KEYS, parseInitHeader(INIT)!, INIT, HERE), INIT)!;
  const { init, proof } = splitProof(withProof(hex(vectors.proven).subarray(0, -16), cookie));
  assert(jar.verify(1, init, proof!, HERE));
  assertFalse(jar.verify(1, init, proof!, ELSEWHERE));
  for (let bit = 0; bit < 128; bit++) {
    const changed = proof!.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assertFalse(jar.verify(1, init, changed, HERE));
  }
  const other = init.slice();
  other[60]! ^= 1;
  assertFalse(jar.verify(1, other, proof!, HERE));
});

Deno.test("a cookie does not show in its datagram, and two of them share nothing", () => {
  const rng = new Rng(3);
  const jar = new CookieJar((out) => rng.fill(out));
  const answers = [0, 1].map(() => jar.answer(0, KEYS, parseInitHeader(INIT)!, INIT, HERE));
  const cookies = answers.map((answer) => openCookie(KEYS, answer, INIT)!);
  assertEquals(cookies[0], cookies[1]);
  assertFalse(answers[0]!.subarray(22, 38).toHex() === answers[1]!.subarray(22, 38).toHex());
  assertEquals(openCookie(derivePsk(new Uint8Array(32)), answers[0]!, INIT), undefined);
});

Deno.test("Initiator.init() with a cookie writes the PROVEN of docs/protocol.md", () => {
  const payload = { timestamp: tai64n(0), version: 1, features: 0, mtu: 1400, links: [] };
  const initiator = new Initiator(KEYS, new Uint8Array(32).fill(7), 5, payload);
  const [init, proven] = [initiator.init(3), initiator.init(3, COOKIE)];
  assertEquals([proven[0], proven.length], [5, init.length + 16]);
  assertEquals(proven.subarray(1, -32), init.subarray(1, -16), "the same but for type and MAC");
  assert(verifyInitMac(KEYS, splitProof(proven).init));
});
