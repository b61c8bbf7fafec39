import { assertEquals } from "@std/assert";
import { remoteOf } from "../../src/remote.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const ELSEWHERE = remoteOf(Uint8Array.of(203, 0, 113, 7), 61_000);

function serverSeesClientAt(world: Pair): string {
  return world.server.endpoint.status(world.now).peers[0]!.links[0]!.remote;
}

Deno.test("Endpoint follows a client to its new address with the next datagram", () => {
  const world = new Pair([{}]).connect();
  world.lines[0]!.client = ELSEWHERE;
  world.client.send(world.now, udp4(0));
  world.run(15_000);
  assertEquals(world.server.eventsOf("roamed"), ["l0 203.0.113.7:61000"]);
  for (const i of range(0, 20)) {
    world.server.send(world.now, udp4(i));
    world.run(5_000);
  }
  world.run(100_000);
  assertEquals(numbersOf(world.client.delivered), range(0, 20));
  world.finish();
});

Deno.test("Endpoint follows nobody who sends what it has seen before", () => {
  const world = new Pair([{}]).connect();
  const before = serverSeesClientAt(world);
  for (const { bytes, toServer } of world.sent) {
    if (toServer) world.inject(world.lines[0]!, true, bytes, ELSEWHERE);
  }
  world.run(50_000);
  assertEquals(serverSeesClientAt(world), before);
  assertEquals(world.server.eventsOf("roamed"), []);
  world.finish();
});

Deno.test("Endpoint does not go back to an address from which an older datagram comes late", () => {
  const world = new Pair([{}]).connect();
  const line = world.lines[0]!;
  line.delayUs = 50_000;
  world.client.send(world.now, udp4(0));
  line.delayUs = 10_000;
  line.client = ELSEWHERE;
  world.client.send(world.now, udp4(1));
  world.run(200_000);
  assertEquals(world.server.delivered.length, 2);
  assertEquals(serverSeesClientAt(world), ELSEWHERE.toString());
  world.finish();
});

Deno.test("Endpoint lets no INIT change the address of a path", () => {
  const world = new Pair([{}]).connect();
  const before = serverSeesClientAt(world);
  world.client.restart();
  world.client.turn(world.now);
  const inits = world.sent.filter(({ bytes }) => bytes[0] === 1);
  world.lines[0]!.cut = true;
  world.server.receive(world.now, 0, ELSEWHERE, inits.at(-1)!.bytes);
  assertEquals(serverSeesClientAt(world), before);
  assertEquals(world.server.eventsOf("session"), ["up"]);
  world.lines[0]!.cut = false;
  world.finish();
});

Deno.test("Endpoint finds its server again where it was configured, wherever a path was led", () => {
  const world = new Pair([{}]).connect();
  const line = world.lines[0]!;
  // Somebody on the way holds a datagram of the server up and sends it on from his own address.
  line.lose = ({ toServer }): boolean => !toServer;
  world.server.send(world.now, udp4(0));
  world.run(1);
  const held = world.sent.findLast(({ toServer }) => !toServer)!;
  line.lose = (): boolean => false;
  world.client.receive(world.now, 0, ELSEWHERE, held.bytes);
  assertEquals(world.client.eventsOf("roamed"), ["l0 203.0.113.7:61000"]);
  world.server.restart();
  world.run(5_000_000);
  const link = world.client.endpoint.status(world.now).peers[0]!.links[0]!;
  assertEquals([link.remote, link.state], [line.server.toString(), "up"]);
  world.finish();
});
