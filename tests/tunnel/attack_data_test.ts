/**
 * What a peer with keys can do with DATA: waste its own share of the memory.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DATA_NEEDS_CHECKSUM } from "../../src/wire/data.ts";
import { cpuMs } from "../cpu_time.ts";
import { data } from "./frames.ts";
import { range, udp4 } from "./packets.ts";
import { MALLORY_ADDRESS, RawClient } from "./raw_client.ts";

const FROM = { from: MALLORY_ADDRESS };

Deno.test("a peer's DATA with any numbers neither loops nor stays in memory", () => {
  const mallory = new RawClient({ links: 2 });
  const [u16, u32] = [fc.nat(0xffff), fc.nat(0xffff_ffff)];
  const frame = fc.record({
    kind: fc.nat(0x7f),
    flow: fc.oneof(fc.nat(3), u16),
    sequence: fc.oneof(fc.constantFrom(0, 1, 32_766, 32_767, 32_768, 65_535), u16),
    global: fc.oneof(fc.nat(100), u32),
    sentAtUs: fc.nat(0xff_ffff),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1), frame), { maxLength: 200 }), (frames) => {
      mallory.deliver(
        ...frames.map(([link, fields]) => mallory.seal(link, data(udp4(1, FROM), fields))),
      );
      mallory.pair.run(7_000);
    }),
    { numRuns: 30 },
  );
  mallory.assertOthersServed();
  mallory.pair.run(200_000);
  const { server } = mallory.pair;
  assert(server.pool.available > server.free - 64, "everything that was held has gone");
  mallory.pair.finish();
});

Deno.test("a peer that opens a gap in each of 65,536 flows holds up nobody else", () => {
  const mallory = new RawClient({ slots: 2048 });
  const { pair } = mallory;
  const packet = udp4(1, FROM);
  let global = 0;
  for (const round of range(0, 16)) {
    const flows = range(round * 4096, round * 4096 + 4096);
    mallory.deliver(
      ...flows.map((flow) =>
        mallory.seal(0, data(packet, { flow, sequence: 32_767 - round, global: global++ }))
      ),
    );
    assert(pair.server.pool.available > 900, `${pair.server.pool.available}`);
  }
  mallory.assertOthersServed();
  pair.run(200_000);
  assertEquals(pair.server.drops("no-slot"), 0);
  pair.finish();
});

Deno.test("a peer that sends far ahead and then in order causes the server little work", () => {
  const mallory = new RawClient();
  const packet = udp4(1, FROM);
  let global = 0;
  const one = (sequence: number): Uint8Array =>
    mallory.seal(0, data(packet, { sequence, global: global++ }));
  const datagrams = [one(32_767), ...range(0, 8_000).flatMap((i) => [one(2 * i + 1), one(2 * i)])];
  const ms = cpuMs(() => mallory.deliver(...datagrams));
  assert(ms < 3_000, `${ms} ms`);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a peer's DATA without a whole packet is counted and dropped", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  const fields = { global: 0 };
  const seal = (packet: Uint8Array): void => mallory.send(0, data(packet, { ...fields }));
  mallory.send(0, [0x80]);
  mallory.send(0, data(new Uint8Array(), fields).subarray(0, 11));
  seal(new Uint8Array());
  assertEquals(server.drops("frame"), 3);
  seal(new Uint8Array(1));
  seal(new Uint8Array(1_900).fill(0xff));
  seal(udp4(1, FROM).subarray(0, 31));
  assertEquals(server.drops("malformed"), 3);
  seal(udp4(1, { from: "10.7.0.1" }));
  assertEquals(server.drops("source"), 1);
  assertEquals(server.delivered.length, 0);
  mallory.send(0, data(udp4(1, FROM), { global: 5 }));
  mallory.send(0, data(udp4(1, FROM), { global: 5, sequence: 1 }));
  assertEquals([server.delivered.length, server.drops("duplicate")], [1, 1]);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a peer's DATA without a checksum is dropped when it has no place for one", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  let global = 0;
  const seal = (packet: Uint8Array): void =>
    mallory.send(0, data(packet, { kind: DATA_NEEDS_CHECKSUM, sequence: 0, global: global++ }));
  const changed = (at: number, value: number): Uint8Array => {
    const packet = udp4(1, FROM);
    packet[at] = value;
    return packet;
  };
  seal(changed(9, 1)); // ICMP
  seal(changed(9, 6)); // TCP, and too short for it
  seal(changed(6, 0x20)); // a fragment
  seal(changed(7, 1)); // another one
  seal(changed(0, 0x46)); // with options
  seal(changed(25, 13)); // UDP of another length
  seal(Uint8Array.from([...udp4(1, FROM), 0])); // longer than it says
  assertEquals([server.drops("checksum"), server.delivered.length], [7, 0]);
  seal(udp4(1, FROM));
  assertEquals([server.drops("checksum"), server.needsChecksum], [7, [true]]);
  mallory.send(0, data(udp4(2, FROM), { sequence: 1, global: global++ }));
  assertEquals(server.needsChecksum, [true, false]);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a peer that acknowledges nothing gets no more than a share of the memory", () => {
  const mallory = new RawClient({ slots: 2048 });
  const { pair } = mallory;
  for (const i of range(0, 6_000)) {
    const packet = udp4(i, { to: MALLORY_ADDRESS, bytes: 1_000, port: i });
    if (pair.server.endpoint.wantsPackets() > 0) pair.server.send(pair.now, packet);
    if (i % 500 === 0) mallory.answerProbes();
  }
  assert(pair.server.endpoint.wantsPackets() > 0, "the others' packets are not read any more");
  mallory.assertOthersServed();
  pair.finish();
});

Deno.test("a peer that goes away leaves the memory to the others", () => {
  const mallory = new RawClient({ slots: 2048 });
  const { pair } = mallory;
  for (const i of range(0, 2_000)) {
    pair.server.send(pair.now, udp4(i, { to: MALLORY_ADDRESS, bytes: 1_000, port: i & 63 }));
  }
  pair.run(15_000_000); // nobody answers any more
  const { server } = pair;
  assert(server.free - server.pool.available < 64, `${server.free - server.pool.available}`);
  mallory.assertOthersServed();
  pair.finish();
});
