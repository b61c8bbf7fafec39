/**
 * Prints `handshake.json`: `deno run tests/vectors/generate.ts`. The file is
 * frozen; other output means that the protocol changed and needs a new version.
 *
 * @module
 */

import { CIPHER, type Cipher } from "../../src/crypto/aead.ts";
import { Initiator, respond, tai64n } from "../../src/crypto/handshake.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { formatKey } from "../../src/config/secret.ts";
import { derivePsk, stretchPassword } from "../../src/crypto/psk.ts";
import { DatagramSlab, PacketPool } from "../../src/slab.ts";
import { writeU32, writeU64 } from "../../src/wire/field.ts";

const PSK = new Uint8Array(32).map((_, i) => i);
const PASSWORD = "correct horse battery stapl\u00e9";
const EPOCH_US = 1_800_000_000_123_456;
const INIT = {
  timestamp: tai64n(EPOCH_US),
  version: 1,
  features: 1,
  mtu: 1420,
  links: [
    { id: 0, tier: "primary", metered: false, uploadBps: 10e6, downloadBps: 50e6, name: "dsl" },
    { id: 1, tier: "overflow", metered: true, uploadBps: 0, downloadBps: 0, name: "lte" },
  ],
} as const;
const RESPONSE = { version: 1, features: 1, cipher: "aes256gcm", mtu: 1400 } as const;

const keys = derivePsk(PSK);
const initiatorSecret = new Uint8Array(32).fill(0x11);
const responderSecret = new Uint8Array(32).fill(0x22);
const initiator = new Initiator(keys, initiatorSecret, 0xa1a2a3a4, {
  ...INIT,
  links: INIT.links.map((link) => ({ ...link })),
});
const init = initiator.init(1);
const answer = respond(keys, init, responderSecret, () => 0xb1b2b3b4, () => RESPONSE)!;
const response = answer.response(1);
const session = initiator.handleResponse(response)!;

/** One datagram of the initiator on link 1, its counter beyond 32 bits. */
function transport(cipher: Cipher): Record<string, unknown> {
  const counter = 0x5_0000_0007;
  const plain = new TextEncoder().encode("aggvpn test frames");
  const nonce = new Uint8Array(12);
  writeU32(nonce, 0, 1);
  writeU64(nonce, 4, counter);
  const aad = new Uint8Array(14);
  aad.set([4, 1]);
  writeU32(aad, 2, session.remoteSessionId);
  writeU32(aad, 6, counter);
  writeU32(aad, 10, Math.floor(counter / 2 ** 32));
  const from = new PacketPool(1);
  const to = new DatagramSlab(1);
  from.bytes.set(plain, from.bodyOffset);
  nobleProvider().importKey(cipher, session.keys.sendKey)
    .seal(nonce, aad, from, 0, plain.length, to, 0);
  to.bytes.set(aad.subarray(0, 10));
  return {
    cipher,
    cipher_number: CIPHER[cipher],
    link_id: 1,
    counter,
    nonce: nonce.toHex(),
    aad: aad.toHex(),
    plain: plain.toHex(),
    datagram: to.bytes.subarray(0, 10 + plain.length + 16).toHex(),
  };
}

// deno-lint-ignore no-console
console.log(JSON.stringify(
  {
    source:
      "this protocol: written by tests/vectors/generate.ts, then frozen; every secret is fake",
    psk: PSK.toHex(),
    psk_text: formatKey(PSK),
    noise_psk: keys.psk.toHex(),
    key_hint: keys.hint.toHex(),
    mac_key: keys.macKey.toHex(),
    password: PASSWORD,
    password_psk: stretchPassword(PASSWORD).toHex(),
    epoch_us: EPOCH_US,
    tai64n: INIT.timestamp.toHex(),
    initiator_ephemeral: initiatorSecret.toHex(),
    responder_ephemeral: responderSecret.toHex(),
    initiator_session_id: 0xa1a2a3a4,
    responder_session_id: 0xb1b2b3b4,
    link_id: 1,
    init_payload: { ...INIT, timestamp: INIT.timestamp.toHex() },
    response_payload: RESPONSE,
    init: init.toHex(),
    response: response.toHex(),
    handshake_hash: session.keys.handshakeHash.toHex(),
    initiator_to_responder_key: session.keys.sendKey.toHex(),
    responder_to_initiator_key: session.keys.receiveKey.toHex(),
    transport: [transport("aes256gcm"), transport("chacha20poly1305")],
  },
  null,
  2,
));
