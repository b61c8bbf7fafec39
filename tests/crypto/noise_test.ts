import { assertEquals } from "@std/assert";
import {
  AES_GCM,
  CHACHA_POLY,
  type NoiseCipher,
  readMessage1,
  readMessage2,
  startNnPsk0,
  writeMessage1,
  writeMessage2,
} from "../../src/crypto/noise.ts";
import file from "../vectors/noise_nnpsk0.json" with { type: "json" };

const CIPHERS: Readonly<Record<string, NoiseCipher>> = {
  Noise_NNpsk0_25519_ChaChaPoly_SHA256: CHACHA_POLY,
  Noise_NNpsk0_25519_AESGCM_SHA256: AES_GCM,
};

type Vector = typeof file.vectors[number];

function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text);
}

function started(vector: Vector): ReturnType<typeof startNnPsk0> {
  const cipher = CIPHERS[vector.protocol_name]!;
  return startNnPsk0(cipher, hex(vector.init_prologue), hex(vector.init_psks[0]!));
}

for (const vector of file.vectors) {
  Deno.test(`noise passes the public vectors of ${vector.protocol_name}`, () => {
    const [first, second, ...rest] = vector.messages;
    const initiator = started(vector);
    const responder = started(vector);

    const secret = hex(vector.init_ephemeral);
    const message1 = writeMessage1(initiator, secret, hex(first!.payload));
    assertEquals(message1.toHex(), first!.ciphertext);
    const read1 = readMessage1(responder, message1)!;
    assertEquals(read1.payload.toHex(), first!.payload);

    const message2 = writeMessage2(
      responder,
      hex(vector.resp_ephemeral),
      read1.remoteEphemeral,
      hex(second!.payload),
    )!;
    assertEquals(message2.toHex(), second!.ciphertext);
    assertEquals(readMessage2(initiator, secret, message2)!.toHex(), second!.payload);
    assertEquals(initiator.handshakeHash.toHex(), vector.handshake_hash);
    assertEquals(responder.handshakeHash.toHex(), vector.handshake_hash);

    const sending = initiator.split();
    const receiving = responder.split();
    const empty = new Uint8Array();
    rest.forEach(({ payload, ciphertext }, i) => {
      const sealed = sending[i % 2]!.seal(empty, hex(payload));
      assertEquals(sealed.toHex(), ciphertext);
      assertEquals(receiving[i % 2]!.open(empty, sealed)!.toHex(), payload);
    });
  });
}

Deno.test("CipherState.open() leaves the counter alone when a message does not verify", () => {
  const [vector] = file.vectors;
  const [sender] = started(vector!).split();
  const [receiver] = started(vector!).split();
  const aad = new Uint8Array([1]);
  const sealed = sender.seal(aad, new Uint8Array([2, 3]));
  assertEquals(receiver.open(new Uint8Array([9]), sealed), undefined);
  assertEquals(receiver.open(aad, sealed), new Uint8Array([2, 3]));
});

Deno.test("SymmetricState.clone() goes its own way", () => {
  const state = started(file.vectors[0]!);
  const before = state.handshakeHash.toHex();
  const copy = state.clone();
  copy.sealAndHash(new Uint8Array(3));
  copy.mixKey(new Uint8Array(32));
  assertEquals(state.handshakeHash.toHex(), before);
  assertEquals(
    state.sealAndHash(new Uint8Array(3)).toHex(),
    started(file.vectors[0]!).sealAndHash(new Uint8Array(3)).toHex(),
  );
});

Deno.test("a handshake leaves no key behind that it has used", () => {
  const used: Uint8Array[] = [];
  const noting: NoiseCipher = {
    name: CHACHA_POLY.name,
    seal(key, ...rest): Uint8Array {
      used.push(key);
      return CHACHA_POLY.seal(key, ...rest);
    },
    open(key, ...rest): Uint8Array | undefined {
      used.push(key);
      return CHACHA_POLY.open(key, ...rest);
    },
  };
  const [prologue, psk] = [new Uint8Array(1), new Uint8Array(32).fill(9)];
  const [initiator, responder] = [0, 1].map(() => startNnPsk0(noting, prologue, psk));
  const secrets = [1, 2].map((fill) => new Uint8Array(32).fill(fill));
  const first = readMessage1(responder!, writeMessage1(initiator!, secrets[0]!, psk))!;
  const message = writeMessage2(responder!, secrets[1]!, first.remoteEphemeral, psk)!;
  readMessage2(initiator!, secrets[0]!, message);
  const keys = initiator!.split();
  for (const state of [initiator!, responder!]) state.wipe();
  assertEquals(used.length, 4);
  for (const key of used) assertEquals([...key], new Array(32).fill(0));
  assertEquals(
    responder!.split()[0]!.key.toHex() === keys[0].key.toHex(),
    false,
    "it is forgotten",
  );
  assertEquals(keys[0].key.some((byte) => byte !== 0), true, "what Split() gave is the caller's");
});
