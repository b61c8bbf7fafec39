import { assert, assertEquals, assertGreater } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const BYTES = 1000;
/** ... on the wire, its headers compressed. */
const LEAST_BYTES = BYTES - 28;
/** Until a flow is known to be bulk, there is no limit. */
const FIRST_PACKETS = 80;

/** Sends `count` packets from the client and returns how many it sent again. */
function sendAll(pair: Pair, count: number): number {
  for (const i of range(0, count)) {
    pair.client.send(pair.now, udp4(i, { bytes: BYTES }));
    pair.run(1_000);
  }
  pair.run(2 * SECOND);
  return pair.client.endpoint.status(pair.now).peers[0]!.resentPackets;
}

Deno.test("Endpoint sends every lost packet again while few are lost", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  let number = 0;
  for (const line of pair.lines) {
    line.lose = ({ toServer, bytes }) => toServer && bytes.length > BYTES && ++number % 20 === 0;
  }
  const resent = sendAll(pair, 3_000);
  assertEquals(numbersOf(pair.server.delivered).toSorted((a, b) => a - b), range(0, 3_000));
  assertGreater(resent, 100);
  pair.finish();
});

Deno.test("Endpoint sends at most a quarter more when much more is lost", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  let number = 0;
  for (const line of pair.lines) {
    line.lose = ({ toServer, bytes }) => toServer && bytes.length > BYTES && ++number % 5 < 2;
  }
  const count = 3_000;
  const resent = sendAll(pair, count);
  const burst = 262_144 / LEAST_BYTES;
  assertGreater(resent, 0.2 * count);
  assert(resent <= 0.25 * count + burst + FIRST_PACKETS, `${resent}`);
  assertGreater(pair.client.endpoint.status(pair.now).drops["lost"]!, 0);
  pair.finish();
});
