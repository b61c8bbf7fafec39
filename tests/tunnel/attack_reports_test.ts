/**
 * What a peer with keys can do with REPORT and PROBE: anything to itself, nothing to the server and
 * to others.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FRAME } from "../../src/wire/frame.ts";
import { cpuMs } from "../cpu_time.ts";
import { close, control, probe, probeAck, report, type ReportFields } from "./frames.ts";
import { range, udp4 } from "./packets.ts";
import { MALLORY_ADDRESS, RawClient } from "./raw_client.ts";

/** Packets for the raw client, so that the server has something in flight to it. */
function feed(mallory: RawClient, count: number): void {
  const { pair } = mallory;
  for (const i of range(0, count)) {
    pair.server.send(pair.now, udp4(i, { to: MALLORY_ADDRESS, bytes: 1000 }));
    pair.run(500);
  }
}

Deno.test("a peer's absurd REPORTs harm nobody", () => {
  const mallory = new RawClient({ links: 2 });
  const [u16, u32] = [fc.nat(0xffff), fc.nat(0xffff_ffff)];
  const edge = fc.constantFrom(0, 1, 0xff, 0xffff);
  const fields: fc.Arbitrary<ReportFields> = fc.record({
    linkId: fc.constantFrom(0, 1, 2, 255),
    sessionId: fc.constantFrom(mallory.sessionId, 0, 0xffff_ffff, mallory.remoteId),
    highest: fc.oneof(fc.nat(400), u32),
    receivedAtUs: u32,
    heldUs: fc.nat(0xff_ffff),
    datagrams: u32,
    bytes: fc.constantFrom(0, 1e6, 2 ** 48 - 1),
    owdUs: fc.nat(0xff_ffff),
    queueDelayUs: fc.nat(0xff_ffff),
    ranges: fc.array(fc.tuple(fc.oneof(edge, u16), fc.oneof(edge, u16)), {
      minLength: 1,
      maxLength: 32,
    }),
  });
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 12 }), (reports) => {
      feed(mallory, 2);
      for (const one of reports) mallory.send(0, report(one));
      mallory.answerProbes();
    }),
    { numRuns: 60 },
  );
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a peer's malformed control frames are counted and change nothing", () => {
  const mallory = new RawClient();
  const before = mallory.pair.server.drops("frame");
  const bad: Uint8Array[] = [
    control(FRAME.report, new Uint8Array(34)),
    control(FRAME.report, new Uint8Array(35)), // no range
    control(FRAME.report, new Uint8Array(35 + 33 * 4).fill(33)),
    control(FRAME.probe, new Uint8Array(6)),
    control(FRAME.probeAck, new Uint8Array(6)),
    control(FRAME.close, []),
    control(FRAME.link, new Uint8Array(2)),
    Uint8Array.of(FRAME.close, 0, 9, 0), // longer than the datagram
    Uint8Array.of(FRAME.probe, 0), // no whole header
  ];
  for (const frame of bad) mallory.send(0, frame);
  assertEquals(mallory.pair.server.drops("frame") - before, bad.length);
  mallory.send(0, control(77, new Uint8Array(900)), control(0, []));
  assertEquals(mallory.pair.server.drops("frame") - before, bad.length, "those are skipped");
  assertEquals(mallory.pair.server.eventsOf("session"), ["up", "up"], "a CLOSE without a reason");
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a flood of PROBEs gets one answer a batch, and each has been paid for", () => {
  const mallory = new RawClient();
  mallory.pair.run(50_000);
  const before = mallory.received.length;
  mallory.deliver(...range(0, 640).map((i) => mallory.seal(0, probe(i), probe(i), probe(i))));
  const answers = mallory.received.length - before;
  assert(answers >= 1 && answers <= 10, `${answers}`);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a peer that answers probes and reports nothing cannot stop the server", () => {
  const mallory = new RawClient();
  feed(mallory, 20);
  const { pair } = mallory;
  assert(pair.server.endpoint.status(pair.now).peers[1]!.links[0]!.inFlightBytes > 10_000);
  for (const i of range(0, 20_000)) {
    mallory.send(0, probe(i), probeAck(i & 63));
    if (i % 100 === 0) pair.run(1_000);
  }
  mallory.assertOthersServed();
  pair.finish();
});

Deno.test("a datagram full of REPORTs costs little", () => {
  const mallory = new RawClient();
  for (const i of range(0, 17_000)) mallory.send(0, probe(i)); // each answer is one to report on
  const highest = mallory.serverCounter(0) - 1;
  const one = report({ linkId: 0, sessionId: mallory.sessionId, highest, ranges: [[0, 0xffff]] });
  const datagrams = range(0, 200).map(() => mallory.seal(0, ...range(0, 45).map(() => one)));
  const ms = cpuMs(() => mallory.deliver(...datagrams));
  assert(ms < 600, `${ms} ms`); // 60; 1800 when every counter was walked
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("what follows a CLOSE, in its datagram or after it, is dropped", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  const again = mallory.seal(0, probe(1));
  mallory.send(0, close(), probe(2), control(FRAME.report, []));
  assertEquals(server.eventsOf("session"), ["up", "up", "down"]);
  const before = server.drops("unknown-session");
  mallory.deliver(again);
  assertEquals(server.drops("unknown-session") - before, 1);
  mallory.assertOthersServed();
  mallory.handshake();
  assertEquals(server.eventsOf("session"), ["up", "up", "down", "up"]);
  mallory.pair.finish();
});
