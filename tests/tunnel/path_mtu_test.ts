/**
 * What an endpoint makes of lines that lose large datagrams without a word.
 *
 * @module
 */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type ClientSpec, Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const MTU = 1434;

/** A client with a line for each size, of 20 Mbit/s and 10 ms. */
function narrow(...sizes: readonly number[]): Pair {
  const link = (): NonNullable<ReturnType<NonNullable<ClientSpec["link"]>>> => ({
    uploadBps: 20e6,
    downloadBps: 20e6,
  });
  const pair = new Pair([{ delaysUs: sizes.map(() => 10_000), link }], { mtu: MTU });
  sizes.forEach((size, i) => pair.lines[i]!.mtuBytes = size);
  return pair.connect();
}

/** A UDP packet over IPv4 that must not be fragmented. */
function whole(number: number, bytes: number, port = 4000): Uint8Array {
  const packet = udp4(number, { bytes, port });
  packet[6] = 0x40;
  return packet;
}

/** The sizes of a status at one end. */
function sizes({ client, server, now }: Pair, side: "client" | "server"): number[] {
  const { endpoint } = side === "client" ? client : server;
  return endpoint.status(now).peers[0]!.links.map(({ mtu }) => mtu);
}

Deno.test("Endpoint finds what each line carries, both ways, and says it", () => {
  const pair = narrow(1492, 1500, 1400);
  assertEquals(sizes(pair, "client"), [1492, 1500, 1400]);
  assertEquals(sizes(pair, "server"), [1492, 1500, 1400]);
  assertEquals(
    pair.client.endpoint.status(pair.now).peers[0]!.links.map(({ mtuReason }) => mtuReason),
    ["carries 1492 bytes: 1500 were lost", undefined, "carries 1400 bytes: 1410 were lost"],
  );
  pair.finish();
});

Deno.test("Endpoint gives the tunnel the size that its lines carry together", () => {
  const pair = narrow(1492, 1492);
  assertEquals([pair.client.eventsOf("mtu"), pair.server.eventsOf("mtu")], [["1426"], ["1426"]]);
  for (const i of range(0, 200)) {
    pair.server.send(pair.now, whole(i, 1426));
    pair.run(500);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(pair.client.delivered), range(0, 200));
  pair.finish();
});

Deno.test("Endpoint says nothing of sizes over lines that carry what it wants", () => {
  const pair = narrow(1500, 1500);
  assertEquals([pair.client.eventsOf("mtu"), pair.server.eventsOf("mtu")], [[], []]);
  pair.finish();
});

Deno.test("Endpoint sends a packet by the line that carries it, and answers one that none does", () => {
  const pair = narrow(1500, 1280);
  pair.client.send(pair.now, whole(1, 1434));
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), [1]);
  assertEquals(pair.client.drops("too-big"), 0);
  pair.lines[0]!.cut = true;
  pair.run(3 * SECOND);
  pair.client.delivered.length = 0;
  pair.client.send(pair.now, whole(2, 1434));
  pair.run(SECOND);
  const [answer] = pair.client.delivered;
  assertEquals([answer![9], answer![20], answer![21]], [1, 3, 4], "fragmentation needed");
  assertEquals(new DataView(answer!.buffer, answer!.byteOffset).getUint16(26), 1280 - 66);
  assertEquals(pair.client.drops("too-big"), 1);
  pair.finish();
});

Deno.test("Endpoint cuts a packet that no line carries, if its sender lets it", () => {
  const pair = narrow(1280);
  const packet = udp4(1, { bytes: 1400, port: 4000 });
  pair.client.send(pair.now, packet);
  pair.run(SECOND);
  const [first, second] = pair.server.delivered;
  const view = (part: Uint8Array): DataView => new DataView(part.buffer, part.byteOffset);
  assertEquals([first!.length, second!.length], [20 + 1192, 20 + 1380 - 1192]);
  assertEquals(view(first!).getUint16(6), 0x2000, "more come");
  assertEquals(view(second!).getUint16(6), 1192 / 8, "where it belongs");
  assertEquals([...first!.subarray(20), ...second!.subarray(20)], [...packet.subarray(20)]);
  assertEquals(pair.client.drops("too-big"), 0);
  pair.finish();
});

Deno.test("Endpoint answers a flood of packets that are too long at a limited rate", () => {
  const pair = narrow(1280);
  for (const i of range(0, 1000)) {
    pair.client.send(pair.now, whole(i, 1400));
    pair.run(1000);
  }
  assertEquals(pair.client.drops("too-big"), 1000);
  assertLessOrEqual(pair.client.delivered.length, 160);
  assert(pair.client.delivered.length > 100);
  pair.finish();
});

Deno.test("Endpoint loses nothing when a line gets narrower in the middle, nor calls it dead", () => {
  const pair = narrow(1500, 1500);
  const before = pair.server.eventsOf("link").length;
  for (const i of range(0, 3000)) {
    if (i === 1000) pair.lines[0]!.mtuBytes = 1400;
    pair.server.send(pair.now, whole(i, 1400));
    pair.run(1000);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(pair.client.delivered).toSorted((a, b) => a - b), range(0, 3000));
  const events = pair.server.eventsOf("link").slice(before);
  assert(!events.includes("l0 down"), `${events}`);
  assertLessOrEqual(events.length, 2, `${events}`);
  assertEquals(sizes(pair, "server"), [1400, 1500]);
  assertEquals(pair.server.eventsOf("mtu"), ["1334"]);
  pair.finish();
});

Deno.test("Endpoint uses a line that has become wider, and tells the tunnel after a while", () => {
  const pair = narrow(1492, 1492);
  for (const line of pair.lines) line.mtuBytes = 1500;
  pair.run(620 * SECOND);
  assertEquals(sizes(pair, "client"), [1500, 1500]);
  assertEquals(pair.client.eventsOf("mtu"), ["1426", "1434"]);
  pair.finish();
});

Deno.test("Endpoint sends no packet that the other end does not take", () => {
  const pair = new Pair([{ mtu: 1300, delaysUs: [10_000] }], { mtu: MTU }).connect();
  assertEquals(pair.server.eventsOf("mtu"), ["1300"]);
  assertEquals(pair.client.eventsOf("mtu"), []);
  pair.finish();
});

Deno.test("Endpoint asks for less when the interface refuses a datagram as too long", () => {
  const pair = narrow(1500, 1500);
  const { client, now } = pair;
  pair.lines[0]!.mtuBytes = 1400;
  client.endpoint.handleSendFailure(now, 0, 0, "message-size", 1472);
  client.turn(now);
  pair.run(SECOND);
  assertEquals(sizes(pair, "client"), [1400, 1500]);
  pair.finish();
});

Deno.test("Endpoint finds sizes over IPv6, whose headers are longer", () => {
  const pair = new Pair([{ delaysUs: [10_000], ipv6: true }], { mtu: 1414 });
  pair.lines[0]!.mtuBytes = 1460;
  pair.connect();
  assertEquals(sizes(pair, "client"), [1460]);
  assertEquals(pair.client.eventsOf("mtu"), [`${1460 - 86}`]);
  pair.client.send(pair.now, whole(1, 1460 - 86));
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), [1]);
  pair.finish();
});

Deno.test("Endpoint looks at its own direction when the other one has become narrower", () => {
  const pair = narrow(1500, 1500);
  pair.lines[0]!.mtuBytes = 1400;
  for (const i of range(0, 1500)) {
    pair.server.send(pair.now, whole(i, 1400));
    pair.run(1000);
  }
  pair.run(SECOND);
  assertEquals(sizes(pair, "client"), [1400, 1500]);
  const [line] = pair.client.endpoint.status(pair.now).peers[0]!.links;
  assertEquals(line!.remoteMtu, 1400);
  pair.finish();
});

Deno.test("Endpoint keeps what it found although the other direction is narrower", () => {
  const pair = new Pair([{ delaysUs: [10_000] }], { mtu: MTU });
  pair.lines[0]!.lose = ({ toServer, bytes }): boolean => !toServer && bytes.length + 28 > 1400;
  pair.connect();
  pair.run(SECOND);
  assertEquals([sizes(pair, "client"), sizes(pair, "server")], [[1500], [1400]]);
  assertEquals([pair.client.eventsOf("mtu"), pair.server.eventsOf("mtu")], [[], ["1334"]]);
  pair.finish();
});

Deno.test("Endpoint carries full packets over a line of 1492 bytes soon after the handshake", () => {
  for (const delayUs of [10_000, 150_000, 300_000]) {
    const pair = new Pair([{ delaysUs: [delayUs] }], { mtu: MTU });
    pair.lines[0]!.mtuBytes = 1492;
    pair.client.turn(pair.now);
    pair.runUntil(() => pair.client.eventsOf("session").includes("up"));
    pair.client.send(pair.now, whole(1, 1426));
    const tookUs = pair.runUntil(() => pair.server.delivered.length > 0);
    // A round trip in which sizes are asked for, and the way of the packet.
    assertLessOrEqual(tookUs, 3 * delayUs + 20_000, `${delayUs}`);
    pair.finish();
  }
});

Deno.test("Endpoint waits for the answers of a distant line that it knows nothing of", () => {
  const pair = new Pair([{ delaysUs: [10_000, 320_000] }], { mtu: MTU }).connect();
  const reasons = new Set<string>();
  for (let i = 0; i < 100; i++) {
    pair.run(SECOND / 100);
    for (const { mtuReason = "" } of pair.server.endpoint.status(pair.now).peers[0]!.links) {
      reasons.add(mtuReason);
    }
  }
  assertEquals([...reasons].filter((reason) => reason.includes("lost")), []);
  assertEquals(sizes(pair, "server"), [1500, 1500]);
  pair.finish();
});
