/**
 * One client that begins handshakes at any rate, and what the server does for it: little, and always
 * the same amount. The others notice nothing.
 */

import { assert, assertEquals } from "@std/assert";
import type { AeadProvider } from "../../src/crypto/aead.ts";
import { NOBLE_CURVE } from "../../src/crypto/curve.ts";
import { Initiator, type LinkOffer, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import { remoteOf } from "../../src/remote.ts";
import { prefix } from "../addresses.ts";
import { Pair } from "../pair/pair.ts";
import { SIM_AEAD } from "../pair/sim_aead.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const ALICE = new Uint8Array(32).fill(0xaa);
const MALLORY = new Uint8Array(32).fill(0xbb);
const THERE = remoteOf(Uint8Array.of(203, 0, 113, 66), 6666);
const MS = 1_000;

const LINKS = range(0, 91).map((id): LinkOffer => ({
  id,
  tier: "primary",
  metered: false,
  uploadBps: 0,
  downloadBps: 0,
  name: "",
}));

/** A library that counts key exchanges. */
function counting(): { readonly aead: AeadProvider; exchanges: number } {
  const result = {
    exchanges: 0,
    aead: {
      ...SIM_AEAD,
      curve: {
        publicKey: (secret: Uint8Array): Uint8Array => NOBLE_CURVE.publicKey(secret),
        shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
          result.exchanges++;
          return NOBLE_CURVE.shared(secret, publicKey);
        },
      },
    },
  };
  return result;
}

function attempt(i: number): Initiator {
  const secret = new Uint8Array(32).fill(i % 250 + 1);
  const payload = { version: 1, features: 1, mtu: 1400, links: LINKS };
  const stamp = tai64n(1e15 + i * 1000);
  return new Initiator(derivePsk(MALLORY), secret, i + 1, { ...payload, timestamp: stamp });
}

Deno.test("a client that begins 2,000 handshakes a second gets 5 a second, and costs others nothing", () => {
  const library = counting();
  const pair = new Pair([{ name: "alice", psk: ALICE, allowed: [prefix("10.7.0.1/32")] }], {
    known: [
      { name: "alice", psk: ALICE.slice(), allowed: [prefix("10.7.0.1/32")] },
      { name: "mallory", psk: MALLORY.slice(), allowed: [prefix("10.7.0.66/32")] },
    ],
    aead: library.aead,
  }).connect();
  let answers = 0;
  pair.onStray = (_to, _socket, bytes): void => void (answers += bytes[0] === 2 ? 1 : 0);
  const before = library.exchanges;
  // Made before, and used ten times.
  const inits = range(0, 100).map((i) => attempt(i).init(0));
  for (const i of range(0, 250)) {
    for (const k of range(0, 4)) {
      pair.server.receive(pair.now, 0, THERE, inits[(i * 4 + k) % inits.length]!);
    }
    pair.client.send(pair.now, udp4(i, { from: "10.7.0.1" }));
    pair.run(2 * MS);
  }
  pair.run(100 * MS);
  assert(library.exchanges - before <= 14, `${library.exchanges - before} key exchanges in 0.6 s`);
  assert(answers >= 10, `${answers} answers`);
  assertEquals(numbersOf(pair.server.delivered), range(0, 250), "alice's packets, in order");
  assertEquals(pair.client.eventsOf("session"), ["up"]);
  pair.finish();
});
