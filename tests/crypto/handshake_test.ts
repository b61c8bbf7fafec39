import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import {
  Initiator,
  type InitPayload,
  respond,
  type Responder,
  type ResponsePayload,
  tai64n,
  verifyInitMac,
} from "../../src/crypto/handshake.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { CHACHA_POLY, startNnPsk0 } from "../../src/crypto/noise.ts";
import { derivePsk, stretchPassword } from "../../src/crypto/psk.ts";
import type { Cipher } from "../../src/crypto/aead.ts";
import {
  initMessage,
  MAX_INIT_BYTES,
  parseInitHeader,
  type TIERS,
  writeInitPayload,
} from "../../src/wire/handshake.ts";
import { openOnce } from "./aead_checks.ts";
import vectors from "../vectors/handshake.json" with { type: "json" };

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text);
const KEYS = derivePsk(hex(vectors.psk));
const OTHER_KEYS = derivePsk(new Uint8Array(32).fill(1));
const INITIATOR_SECRET = hex(vectors.initiator_ephemeral);
const RESPONDER_SECRET = hex(vectors.responder_ephemeral);
const INIT = hex(vectors.init);
const RESPONSE = hex(vectors.response);
const ANSWER = vectors.response_payload as ResponsePayload;

function initPayload(): InitPayload {
  const payload = vectors.init_payload;
  const links = payload.links.map((link) => ({ ...link, tier: link.tier as typeof TIERS[number] }));
  return { ...payload, timestamp: hex(payload.timestamp), links };
}

function newInitiator(keys = KEYS): Initiator {
  return new Initiator(keys, INITIATOR_SECRET, vectors.initiator_session_id, initPayload());
}

function answer(init: Uint8Array, keys = KEYS): Responder | undefined {
  return respond(keys, init, RESPONDER_SECRET, () => vectors.responder_session_id, () => ANSWER);
}

/** Every truncation, some extensions, and each byte with one bit flipped. */
function* damaged(datagram: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < datagram.length; length++) yield datagram.slice(0, length);
  for (const more of [1, 16, 2000]) yield new Uint8Array([...datagram, ...new Uint8Array(more)]);
  for (let i = 0; i < datagram.length; i++) {
    for (let bit = 0; bit < 8; bit++) {
      const copy = datagram.slice();
      copy[i]! ^= 1 << bit;
      yield copy;
    }
  }
}

/** Replaces the MAC with a good one, as somebody who has the key can. */
function signed(datagram: Uint8Array): Uint8Array {
  const copy = datagram.slice();
  copy.set(hmac(sha256, KEYS.macKey, copy.subarray(0, -16)).subarray(0, 16), copy.length - 16);
  return copy;
}

Deno.test("Initiator and respond() write the bytes of docs/protocol.md", () => {
  const initiator = newInitiator();
  assertEquals(initiator.init(vectors.link_id).toHex(), vectors.init);
  const responder = answer(INIT)!;
  assertEquals(responder.response(vectors.link_id).toHex(), vectors.response);
  assertEquals(responder.init, initPayload());
  assertEquals(responder.initiatorSessionId, vectors.initiator_session_id);
  const session = initiator.handleResponse(RESPONSE)!;
  assertEquals(session.payload, ANSWER);
  assertEquals(session.remoteSessionId, vectors.responder_session_id);
  assertEquals(session.keys.handshakeHash.toHex(), vectors.handshake_hash);
  assertEquals(session.keys.sendKey.toHex(), vectors.initiator_to_responder_key);
  assertEquals(session.keys.receiveKey.toHex(), vectors.responder_to_initiator_key);
  const { ownSecret, ...shared } = responder.keys;
  assertEquals(shared, {
    sendKey: session.keys.receiveKey,
    receiveKey: session.keys.sendKey,
    handshakeHash: session.keys.handshakeHash,
  });
  assertEquals(ownSecret.length, 32);
  assertNotEquals(ownSecret, session.keys.ownSecret, "each end has one of its own");
});

Deno.test("the session keys open the transport datagrams of docs/protocol.md", () => {
  for (const vector of vectors.transport) {
    const key = nobleProvider()
      .importKey(vector.cipher as Cipher, hex(vectors.initiator_to_responder_key));
    const sealed = hex(vector.datagram).subarray(10);
    assertEquals(vector.aad.slice(0, 20), vector.datagram.slice(0, 20));
    const plain = openOnce(key, hex(vector.nonce), hex(vector.aad), sealed);
    assertEquals(plain?.toHex(), vector.plain);
  }
});

Deno.test("Initiator.init() makes one Noise message serve every link", () => {
  const initiator = newInitiator();
  const inits = [0, 1, 255].map((id) => initiator.init(id));
  assertEquals(inits.map((init) => parseInitHeader(init)!.linkId), [0, 1, 255]);
  for (const init of inits) {
    assert(verifyInitMac(KEYS, init));
    assertEquals(initMessage(init), initMessage(INIT));
    assertEquals(answer(init)!.noiseMessage, initMessage(INIT));
  }
});

Deno.test("Initiator.handleResponse() takes the answer from any link, and only the first", () => {
  const initiator = newInitiator();
  const responder = answer(INIT)!;
  assert(initiator.handleResponse(responder.response(200)));
  assertEquals(initiator.handleResponse(responder.response(0)), undefined);
});

Deno.test("Initiator.close() ends the attempt", () => {
  const initiator = newInitiator();
  initiator.close();
  assertEquals(initiator.handleResponse(RESPONSE), undefined);
});

Deno.test("Initiator leaves the caller's secret as it is", () => {
  const secret = INITIATOR_SECRET.slice();
  const initiator = new Initiator(KEYS, secret, vectors.initiator_session_id, initPayload());
  assert(initiator.handleResponse(RESPONSE));
  assertEquals(secret, INITIATOR_SECRET);
});

Deno.test("parseInitHeader() reads the clear header", () => {
  assertEquals(parseInitHeader(INIT), {
    linkId: vectors.link_id,
    hint: KEYS.hint,
    sessionId: vectors.initiator_session_id,
  });
});

Deno.test("respond() refuses every truncation and every bit flip of an INIT", () => {
  for (const datagram of damaged(INIT)) {
    assertEquals(verifyInitMac(KEYS, datagram), false);
    assertEquals(answer(datagram), undefined);
  }
});

Deno.test("respond() refuses a changed Noise message even when the MAC is good", () => {
  for (let i = 14; i < INIT.length - 16; i++) {
    const copy = INIT.slice();
    copy[i]! ^= 1;
    assertEquals(answer(signed(copy)), undefined);
  }
  assertEquals(answer(signed(INIT.slice(0, -1))), undefined);
});

Deno.test("Initiator.handleResponse() refuses damage and still takes the good answer", () => {
  const initiator = newInitiator();
  for (const datagram of damaged(RESPONSE)) {
    assertEquals(initiator.handleResponse(datagram), undefined);
  }
  for (let i = 10; i < RESPONSE.length - 16; i += 3) {
    const copy = RESPONSE.slice();
    copy[i]! ^= 1;
    assertEquals(initiator.handleResponse(signed(copy)), undefined);
  }
  assert(initiator.handleResponse(RESPONSE));
});

Deno.test("the handshake takes any bytes without throwing", () => {
  const initiator = newInitiator();
  const start = fc.constantFrom([1], [2], [...INIT.subarray(0, 14)], [...RESPONSE.subarray(0, 10)]);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 1300, size: "max" }), (first, rest) => {
      const datagram = new Uint8Array([...first, ...rest]);
      parseInitHeader(datagram);
      assertEquals(answer(datagram), undefined);
      assertEquals(initiator.handleResponse(datagram), undefined);
      if (datagram.length >= 16) {
        assertEquals(answer(signed(datagram)), undefined);
        assertEquals(initiator.handleResponse(signed(datagram)), undefined);
      }
    }),
  );
});

Deno.test("a wrong password is refused on both sides", () => {
  const wrong = derivePsk(stretchPassword("not the password"));
  const init = newInitiator(wrong).init(0);
  assert(parseInitHeader(init)!.hint.toHex() !== KEYS.hint.toHex());
  assertEquals(verifyInitMac(KEYS, init), false);
  assertEquals(answer(init), undefined);
  assertEquals(newInitiator(wrong).handleResponse(RESPONSE), undefined);
  assertEquals(newInitiator().handleResponse(answer(init, wrong)!.response(0)), undefined);
});

Deno.test("reflected messages are refused", () => {
  const initiator = newInitiator();
  assertEquals(initiator.handleResponse(initiator.init(0)), undefined);
  const reflected = INIT.slice();
  reflected[0] = 2;
  assertEquals(initiator.handleResponse(signed(reflected)), undefined);
  assertEquals(parseInitHeader(RESPONSE), undefined);
  assertEquals(answer(RESPONSE), undefined);
  const turned = RESPONSE.slice();
  turned[0] = 1;
  assertEquals(answer(signed(turned)), undefined);
});

Deno.test("Initiator.handleResponse() refuses an answer to another attempt", () => {
  const second = new Initiator(
    KEYS,
    new Uint8Array(32).fill(0x33),
    vectors.initiator_session_id,
    initPayload(),
  );
  assertEquals(second.handleResponse(RESPONSE), undefined);
  const other = new Initiator(KEYS, INITIATOR_SECRET, 5, initPayload());
  assertEquals(other.handleResponse(RESPONSE), undefined);
});

Deno.test("Initiator.handleResponse() refuses a cipher that it does not know", () => {
  const odd = { ...ANSWER, cipher: "none" as Cipher };
  const responder = respond(KEYS, INIT, RESPONDER_SECRET, () => 1, () => odd)!;
  assertEquals(newInitiator().handleResponse(responder.response(0)), undefined);
});

Deno.test("respond() asks choose() once, and only for authentic messages", () => {
  const asked: InitPayload[] = [];
  const refuse = (init: InitPayload): undefined => void asked.push(init);
  assertEquals(respond(OTHER_KEYS, INIT, RESPONDER_SECRET, () => 1, refuse), undefined);
  assertEquals(asked.length, 0);
  assertEquals(respond(KEYS, INIT, RESPONDER_SECRET, () => 1, refuse), undefined);
  assertEquals(asked, [initPayload()]);
});

Deno.test("public keys of low order from a holder of the key are refused", () => {
  for (const point of [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1)]) {
    const state = startNnPsk0(CHACHA_POLY, new TextEncoder().encode("aggvpn\x01"), KEYS.psk);
    state.mixHash(point);
    state.mixKey(point);
    const init = new Uint8Array(INIT.length);
    init.set(INIT.subarray(0, 14));
    init.set(point, 14);
    init.set(state.sealAndHash(writeInitPayload(initPayload())), 46);
    let asked = false;
    const choose = (): ResponsePayload => {
      asked = true;
      return ANSWER;
    };
    assertEquals(respond(KEYS, signed(init), RESPONDER_SECRET, () => 1, choose), undefined);
    assert(asked, "the message was not authentic: the test is wrong");

    const response = RESPONSE.slice();
    response.set(point, 10);
    assertEquals(newInitiator().handleResponse(signed(response)), undefined);
  }
});

Deno.test("Initiator.init() stays within its bound for 250 links of long names", () => {
  const links = Array.from({ length: 250 }, (_, id) => ({
    ...initPayload().links[0]!,
    id,
    name: "n".repeat(40),
  }));
  const initiator = new Initiator(KEYS, INITIATOR_SECRET, 1, { ...initPayload(), links });
  const init = initiator.init(249);
  assert(init.length <= MAX_INIT_BYTES);
  const responder = answer(init)!;
  assert(responder.init.links.length > 80);
  assert(responder.response(249).length < init.length);
});

Deno.test("tai64n() gives the label of docs/protocol.md and of 1970", () => {
  assertEquals(tai64n(vectors.epoch_us).toHex(), vectors.tai64n);
  assertEquals(tai64n(0).toHex(), "400000000000000a00000000");
});

Deno.test("tai64n() labels compare as the instants do", () => {
  const instant = fc.integer({ min: 0, max: 2 ** 52 });
  fc.assert(
    fc.property(instant, fc.oneof(instant, fc.constantFrom(0, 1, 999_999, 1_000_000)), (a, gap) => {
      const [x, y] = [tai64n(a).toHex(), tai64n(a + gap).toHex()];
      assertEquals(x < y, gap > 0);
      assertEquals(x === y, gap === 0);
    }),
  );
});
