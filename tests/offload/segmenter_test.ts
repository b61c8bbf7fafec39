import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { VNET_FRAMING } from "../../src/offload/framing.ts";
import { Segmenter } from "../../src/offload/segmenter.ts";
import { stagedBytes } from "../../src/offload/super_packet.ts";
import { GSO, NEEDS_CSUM, VNET_HEADER_BYTES, VnetHeader } from "../../src/offload/vnet_header.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { anyPacket } from "./arbitrary.ts";
import {
  bytesOf,
  FLAG,
  headerBytesOf,
  ipBytesOf,
  type Packet,
  packetOf,
  payloadOf,
  segmentsOf,
  slowSum,
  TCP,
  UDP,
} from "./reference.ts";
import { cutAll, headerOf, stage, stageSuper } from "./staging.ts";

function expected(packet: Packet, size: number): Uint8Array[] {
  return segmentsOf(packet, size).map((segment) => bytesOf(segment));
}

function isPlain(packet: Packet): boolean {
  return ipBytesOf(packet) === (packet.version === 4 ? 20 : 40);
}

/** Cuts with room for everything. */
function cutSuper(packet: Packet, size: number): Uint8Array[] {
  const pool = new PacketPool(64);
  const segmenter = new Segmenter(VNET_FRAMING);
  segmenter.load(pool, stageSuper(pool, packet, size));
  return cutAll(segmenter, pool);
}

Deno.test("Segmenter cuts any super-packet as the slow segmenter does, in any portions", () => {
  const pool = new PacketPool(16);
  const packets = anyPacket(fc.integer({ min: 1, max: 9000 }), true);
  fc.assert(
    fc.property(
      packets,
      fc.integer({ min: 100, max: 1700 }),
      fc.integer({ min: 1, max: 16 }),
      (packet, size, room) => {
        const segmenter = new Segmenter(VNET_FRAMING);
        pool.bytes.fill(0xa5);
        segmenter.load(pool, stageSuper(pool, packet, size));
        assertEquals(cutAll(segmenter, pool, room), expected(packet, size));
        assertEquals([segmenter.malformed, segmenter.oversize, pool.available], [0, 0, 16]);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("Segmenter leaves the checksum out where the receiver finds its place, and only there", () => {
  const pool = new PacketPool(8);
  const slots = new Int32Array(8);
  fc.assert(
    fc.property(anyPacket(fc.integer({ min: 200, max: 800 }), true), (packet) => {
      const segmenter = new Segmenter(VNET_FRAMING);
      segmenter.load(pool, stageSuper(pool, packet, 100));
      const count = segmenter.cut(pool, slots, 0, 8);
      assertEquals(count, Math.ceil(packet.payload.length / 100));
      for (const slot of slots.subarray(0, count)) {
        assertEquals(pool.needsChecksum[slot], isPlain(packet) ? 1 : 0);
        pool.release(slot);
      }
    }),
  );
});

Deno.test("Segmenter cuts 64 KiB into many small segments, as room comes", () => {
  for (const version of [4, 6] as const) {
    const headers = version === 4 ? 40 : 60;
    const longest = 65_535 - (version === 4 ? headers : 20);
    const packet = packetOf({ version, id: 65_500, payload: payloadOf(longest) });
    const pool = new PacketPool(3);
    const segmenter = new Segmenter(VNET_FRAMING);
    segmenter.load(pool, stageSuper(pool, packet, 88));
    assertEquals(cutAll(segmenter, pool, 2), expected(packet, 88));
  }
});

Deno.test("Segmenter waits when the pool is empty and loses nothing", () => {
  const pool = new PacketPool(2);
  const segmenter = new Segmenter(VNET_FRAMING);
  const slots = new Int32Array(8);
  const packet = packetOf({ payload: payloadOf(350) });
  segmenter.load(pool, stageSuper(pool, packet, 100));
  assertEquals(segmenter.cut(pool, slots, 0, 8), 2);
  assertEquals([segmenter.cut(pool, slots, 2, 8), segmenter.pending], [2, true]);
  pool.release(slots[0]!);
  assertEquals([segmenter.cut(pool, slots, 0, 8), segmenter.pending], [1, true]);
  pool.release(slots[0]!);
  assertEquals([segmenter.cut(pool, slots, 0, 8), segmenter.pending], [1, false]);
  assertEquals(pool.packet(slots[0]!).length, 40 + 50);
});

Deno.test("Segmenter puts FIN and PSH on the last segment and CWR on the first", () => {
  const { fin, psh, ack, cwr, ece } = FLAG;
  const packet = packetOf({ flags: fin | psh | ack | cwr | ece, payload: payloadOf(300) });
  const flags = cutSuper(packet, 100).map((bytes) => bytes[33]);
  assertEquals(flags, [ack | cwr | ece, ack | ece, fin | psh | ack | ece]);
});

Deno.test("Segmenter keeps an urgent pointer pointing at the same byte", () => {
  const packet = packetOf({ flags: FLAG.ack | FLAG.urg, urgent: 150, payload: payloadOf(300) });
  const urgent = cutSuper(packet, 100).map((bytes) => [bytes[33]! & FLAG.urg, bytes[39]]);
  assertEquals(urgent, [[FLAG.urg, 150], [FLAG.urg, 50], [0, 0]]);
});

Deno.test("Segmenter counts identification and sequence number through their ends", () => {
  const packet = packetOf({ id: 0xffff, sequence: 0xffff_ff9c, payload: payloadOf(200) });
  const [first, second] = cutSuper(packet, 100);
  assertEquals([...first!.subarray(4, 6), ...first!.subarray(24, 28)], [
    255,
    255,
    255,
    255,
    255,
    156,
  ]);
  assertEquals([...second!.subarray(4, 6), ...second!.subarray(24, 28)], [0, 0, 0, 0, 0, 0]);
});

Deno.test("Segmenter passes a whole packet on, without the checksum if that may stay out", () => {
  const pool = new PacketPool(1);
  fc.assert(
    fc.property(anyPacket(fc.nat(1500), true), fc.boolean(), (packet, missing) => {
      const segmenter = new Segmenter(VNET_FRAMING);
      const header = missing ? headerOf(packet) : new VnetHeader();
      segmenter.load(pool, stage(pool, header, bytesOf(packet, missing ? "pseudo" : "right")));
      const slots = new Int32Array(1);
      assertEquals(segmenter.cut(pool, slots, 0, 1), 1);
      assertEquals(pool.needsChecksum[slots[0]!], missing && isPlain(packet) ? 1 : 0);
      if (!missing || !isPlain(packet)) {
        assertEquals(pool.packet(slots[0]!), bytesOf(packet));
      }
      pool.release(slots[0]!);
    }),
  );
});

Deno.test("Segmenter fills in a checksum whose place no parser would find", () => {
  const pool = new PacketPool(1);
  const segmenter = new Segmenter(VNET_FRAMING);
  const packet = Uint8Array.from({ length: 61 }, (_, i) => i === 0 ? 0x45 : i * 7 & 0xff);
  const header = Object.assign(new VnetHeader(), {
    flags: NEEDS_CSUM,
    csumStart: 25,
    csumOffset: 3,
  });
  segmenter.load(pool, stage(pool, header, packet));
  const [cut] = cutAll(segmenter, pool);
  const sum = ~slowSum(packet.subarray(25)) & 0xffff;
  packet.set([sum >> 8, sum & 0xff], 28);
  assertEquals(cut, packet);
});

Deno.test("Segmenter leaves out no checksum that belongs elsewhere than in its field", () => {
  const pool = new PacketPool(1);
  const packet = packetOf({ payload: payloadOf(30) });
  for (const place of [{ csumOffset: 18 }, { csumStart: 24, csumOffset: 12 }]) {
    const segmenter = new Segmenter(VNET_FRAMING);
    const slots = new Int32Array(1);
    const header = Object.assign(headerOf(packet), place);
    segmenter.load(pool, stage(pool, header, bytesOf(packet, "pseudo")));
    assertEquals([segmenter.cut(pool, slots, 0, 1), pool.needsChecksum[slots[0]!]], [1, 0]);
    pool.release(slots[0]!);
  }
});

Deno.test("Segmenter drops and counts packets that no slot holds, by the segment", () => {
  const pool = new PacketPool(1);
  const segmenter = new Segmenter(VNET_FRAMING);
  const most = MAX_PACKET_BYTES - 40;
  const packet = packetOf({ payload: payloadOf(3 * (most + 1)) });
  segmenter.load(pool, stageSuper(pool, packet, most + 1));
  assertEquals([segmenter.pending, segmenter.oversize], [false, 3]);
  const whole = bytesOf(packetOf({ payload: payloadOf(most + 1) }));
  segmenter.load(pool, stage(pool, new VnetHeader(), whole));
  assertEquals([segmenter.pending, segmenter.oversize, segmenter.malformed], [false, 4, 0]);
  segmenter.load(pool, stageSuper(pool, packet, most));
  assertEquals(cutAll(segmenter, pool, 1).map((bytes) => bytes.length), [1900, 1900, 1900, 43]);
});

Deno.test("Segmenter counts and drops what the kernel should not have said", () => {
  const pool = new PacketPool(4);
  const tcp = packetOf({ payload: payloadOf(300) });
  const udp = packetOf({ version: 6, protocol: UDP, payload: payloadOf(300) });
  type Case = readonly [Packet, Partial<VnetHeader>, (bytes: Uint8Array) => unknown];
  const nothing = (): void => {};
  const cases: readonly Case[] = [
    [tcp, { flags: 0 }, nothing],
    [tcp, { gsoSize: 0 }, nothing],
    [tcp, { gsoType: GSO.tcp6 }, nothing],
    [tcp, { gsoType: GSO.udp }, nothing],
    [tcp, { gsoType: 3 }, nothing],
    [tcp, { gsoType: 0x80 }, nothing],
    [udp, { gsoType: GSO.udp | 0x80 }, nothing],
    [tcp, { csumStart: 24 }, nothing],
    [tcp, { csumStart: 16 }, nothing],
    [tcp, { csumStart: 0xffff }, nothing],
    [tcp, { csumOffset: 6 }, nothing],
    [tcp, { csumOffset: 0xffff }, nothing],
    [udp, { csumStart: 44 }, nothing],
    [udp, { csumStart: 32 }, nothing],
    [udp, { csumOffset: 16 }, nothing],
    [tcp, {}, (bytes) => bytes[0] = 0x55],
    [tcp, {}, (bytes) => bytes[0] = 0x46],
    [tcp, {}, (bytes) => bytes[6] = 0x20],
    [tcp, {}, (bytes) => bytes[9] = UDP],
    [tcp, {}, (bytes) => bytes[32] = 0x40],
    [{ ...tcp, payload: payloadOf(10) }, {}, (bytes) => bytes[32] = 0x80],
    [udp, {}, (bytes) => bytes[6] = TCP],
    [packetOf(), {}, nothing],
  ];
  for (const [i, [packet, changes, change]] of cases.entries()) {
    const segmenter = new Segmenter(VNET_FRAMING);
    const bytes = bytesOf(packet, "pseudo");
    change(bytes);
    segmenter.load(pool, stage(pool, Object.assign(headerOf(packet, 100), changes), bytes));
    assertEquals([segmenter.pending, segmenter.malformed], [false, 1], `case ${i}`);
  }
});

Deno.test("Segmenter takes no read that is shorter than a header or fills the memory", () => {
  const pool = new PacketPool(1);
  const segmenter = new Segmenter(VNET_FRAMING);
  stageSuper(pool, packetOf({ payload: payloadOf(300) }), 100);
  for (const length of [0, 1, VNET_HEADER_BYTES, stagedBytes(VNET_FRAMING) + 1]) {
    segmenter.load(pool, length);
  }
  assertEquals([segmenter.malformed, segmenter.pending], [4, false]);
});

Deno.test("Segmenter never throws, never writes outside its slots and always ends, whatever comes", () => {
  const pool = new PacketPool(4);
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  const lengths = fc.integer({ min: -60, max: 10 });
  fc.assert(
    fc.property(
      anyPacket(fc.nat(900), true),
      fc.nat(500),
      flips,
      lengths,
      (packet, size, flips, cut) => {
        const segmenter = new Segmenter(VNET_FRAMING);
        pool.bytes.fill(0xa5);
        const length = stageSuper(pool, packet, size) + cut;
        const from = pool.stagingAt + PACKET_OFFSET - VNET_HEADER_BYTES;
        const span = VNET_HEADER_BYTES + headerBytesOf(packet);
        for (const [at, value] of flips) pool.bytes[from + at % span] = value;
        segmenter.load(pool, Math.max(0, length));
        for (const bytes of cutAll(segmenter, pool, 3)) {
          assertEquals(bytes.length > 0 && bytes.length <= MAX_PACKET_BYTES, true);
        }
        assertEquals(pool.available, 4);
        // Before the packets of all slots, and after the longest.
        for (let slot = 0; slot < 4; slot++) {
          const at = pool.at(slot);
          assertEquals(pool.bytes.slice(at, at + 4).every((byte) => byte === 0xa5), true);
          const end = at + PACKET_OFFSET + MAX_PACKET_BYTES;
          assertEquals(pool.bytes.slice(end, end + 8).every((byte) => byte === 0xa5), true);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("Segmenter goes on with the next packet as if there had been none before", () => {
  const pool = new PacketPool(4);
  const segmenter = new Segmenter(VNET_FRAMING);
  const urgent = packetOf({ flags: FLAG.urg | FLAG.ack, urgent: 9, payload: payloadOf(300) });
  segmenter.load(pool, stageSuper(pool, urgent, 100));
  cutAll(segmenter, pool);
  const next = packetOf({ version: 6, protocol: UDP, payload: payloadOf(250) });
  segmenter.load(pool, stageSuper(pool, next, 100));
  assertEquals(cutAll(segmenter, pool), expected(next, 100));
});
