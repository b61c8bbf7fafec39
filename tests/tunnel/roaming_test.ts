import { assert, assertEquals } from "@std/assert";
import { remoteOf } from "../../src/remote.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const ELSEWHERE = remoteOf(Uint8Array.of(203, 0, 113, 7), 61_000);

function serverSeesClientAt(pair: Pair): string {
  return pair.server.endpoint.status(pair.now).peers[0]!.links[0]!.remote;
}

Deno.test("Endpoint follows a client to its new address with the next datagram", () => {
  const pair = new Pair([{}]).connect();
  pair.lines[0]!.client = ELSEWHERE;
  pair.client.send(pair.now, udp4(0));
  pair.run(15_000);
  assertEquals(pair.server.eventsOf("roamed"), ["l0 203.0.113.7:61000"]);
  for (const i of range(0, 20)) {
    pair.server.send(pair.now, udp4(i));
    pair.run(5_000);
  }
  pair.run(100_000);
  assertEquals(numbersOf(pair.client.delivered), range(0, 20));
  pair.finish();
});

Deno.test("Endpoint follows nobody who sends what it has seen before", () => {
  const pair = new Pair([{}]).connect();
  const before = serverSeesClientAt(pair);
  for (const { bytes, toServer } of pair.sent) {
    if (toServer) pair.inject(pair.lines[0]!, true, bytes, ELSEWHERE);
  }
  pair.run(50_000);
  assertEquals(serverSeesClientAt(pair), before);
  assertEquals(pair.server.eventsOf("roamed"), []);
  pair.finish();
});

Deno.test("Endpoint does not go back to an address from which an older datagram comes late", () => {
  const pair = new Pair([{}]).connect();
  const line = pair.lines[0]!;
  line.delayUs = 50_000;
  pair.client.send(pair.now, udp4(0));
  line.delayUs = 10_000;
  line.client = ELSEWHERE;
  pair.client.send(pair.now, udp4(1));
  pair.run(200_000);
  assertEquals(pair.server.delivered.length, 2);
  assertEquals(serverSeesClientAt(pair), ELSEWHERE.toString());
  pair.finish();
});

Deno.test("Endpoint lets no INIT change the address of a path", () => {
  const pair = new Pair([{}]).connect();
  const before = serverSeesClientAt(pair);
  pair.client.restart();
  pair.client.turn(pair.now);
  const inits = pair.sent.filter(({ bytes }) => bytes[0] === 1);
  pair.lines[0]!.cut = true;
  pair.server.receive(pair.now, 0, ELSEWHERE, inits.at(-1)!.bytes);
  assertEquals(serverSeesClientAt(pair), before);
  assertEquals(pair.server.eventsOf("session"), ["up"]);
  pair.lines[0]!.cut = false;
  pair.finish();
});

Deno.test("Endpoint finds its server again where it was configured, wherever a path was led", () => {
  const pair = new Pair([{}]).connect();
  const line = pair.lines[0]!;
  // Somebody on the way holds a datagram of the server up and sends it on from his own address.
  line.lose = ({ toServer }): boolean => !toServer;
  pair.server.send(pair.now, udp4(0));
  pair.run(1);
  const held = pair.sent.findLast(({ toServer }) => !toServer)!;
  line.lose = (): boolean => false;
  pair.client.receive(pair.now, 0, ELSEWHERE, held.bytes);
  assertEquals(pair.client.eventsOf("roamed"), ["l0 203.0.113.7:61000"]);
  pair.server.restart();
  pair.run(5_000_000);
  const link = pair.client.endpoint.status(pair.now).peers[0]!.links[0]!;
  assertEquals([link.remote, link.state], [line.server.toString(), "up"]);
  pair.finish();
});

Deno.test("Endpoint goes on at full speed one round trip after its client got another address", () => {
  const pair = new Pair([{ delaysUs: [20_000] }]).connect();
  const send = (from: number, to: number): void => {
    for (const i of range(from, to)) {
      pair.server.send(pair.now, udp4(i, { bytes: 1300 }));
      pair.client.send(pair.now, udp4(i));
      pair.run(2_000);
    }
  };
  send(0, 200);
  pair.lines[0]!.client = ELSEWHERE;
  send(200, 400);
  pair.run(200_000);
  assertEquals(pair.server.eventsOf("roamed"), ["l0 203.0.113.7:61000"]);
  assertEquals(
    numbersOf(pair.client.delivered),
    range(0, 400),
    "nothing is lost, nor out of order",
  );
  assertEquals(pair.server.eventsOf("link").slice(-1), ["l0 up"]);
  pair.finish();
});

Deno.test("Endpoint sends little to a new address before a probe was answered there", () => {
  const pair = new Pair([{}]).connect();
  const line = pair.lines[0]!;
  line.lose = ({ toServer }): boolean => !toServer; // nothing arrives there
  let sent = 0;
  const before = pair.sent.length;
  line.client = ELSEWHERE;
  pair.client.send(pair.now, udp4(0));
  for (const i of range(0, 200)) {
    pair.server.send(pair.now, udp4(i, { bytes: 1300 }));
    pair.run(1_000);
  }
  let received = 0;
  for (const { toServer, bytes } of pair.sent.slice(before)) {
    if (toServer) received += bytes.length + 28;
    else sent += bytes.length + 28;
  }
  assert(sent <= 3 * received + 2_000, `${sent} for ${received}`);
  line.lose = (): boolean => false;
  pair.run(1_000_000);
  assert(pair.client.delivered.length > 100, "what waited comes as soon as it may");
  pair.finish();
});
