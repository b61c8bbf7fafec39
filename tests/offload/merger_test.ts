import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { VNET_FRAMING } from "../../src/offload/framing.ts";
import { Merger } from "../../src/offload/merger.ts";
import { Segmenter } from "../../src/offload/segmenter.ts";
import { GSO, NEEDS_CSUM } from "../../src/offload/vnet_header.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { anyPacket } from "./arbitrary.ts";
import { checkVnetHeader, expand, LINUX_RULES, mergeSlots, type Write } from "./merging.ts";
import {
  bytesOf,
  type Field,
  FLAG,
  type Packet,
  packetOf,
  payloadOf,
  segmentsOf,
  slowSum,
  TCP,
  UDP,
} from "./reference.ts";
import { put, stageSuper } from "./staging.ts";

/** A packet, and what its checksum field holds; all but "right" and "wrong" are marked. */
type Given = readonly [Packet, Field];

function merge(given: readonly Given[], merger = new Merger(VNET_FRAMING, LINUX_RULES)): Write[] {
  const pool = new PacketPool(64);
  const slots = given.map(([packet, field]) =>
    put(pool, bytesOf(packet, field), field === "pseudo" || field === "zero")
  );
  return mergeSlots(merger, pool, slots).map((write) => {
    assert(write, "a packet of the tests has a place for a checksum");
    return write;
  });
}

/** How many packets each write has. */
function sizes(given: readonly Given[], merger?: Merger): number[] {
  return merge(given, merger).map((write) => expand(write).length);
}

/** Segments of a super-packet, with right checksums. */
function flow(changes: Partial<Packet>, count: number, size = 100): Given[] {
  const packet = packetOf({ ...changes, payload: payloadOf(count * size) });
  return segmentsOf(packet, size).map((segment) => [segment, "right"]);
}

const VERSIONS = [4, 6] as const;
const PROTOCOLS = [TCP, UDP] as const;

Deno.test("Merger makes one write of a flow that is in order, over both IPs, for TCP and UDP", () => {
  for (const version of VERSIONS) {
    for (const protocol of PROTOCOLS) {
      const given = flow(
        { version, protocol, tcpOptions: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8] },
        5,
      );
      const [write, ...more] = merge(given);
      assertEquals(more, []);
      assertEquals(expand(write!), given.map(([packet]) => bytesOf(packet)));
      assertEquals(write!.header.gsoSize, 100);
    }
  }
});

Deno.test("Merger gives back the super-packet that was cut", () => {
  const pool = new PacketPool(64);
  const slots = new Int32Array(64);
  const merger = new Merger(VNET_FRAMING, LINUX_RULES);
  const plain = anyPacket(fc.integer({ min: 1, max: 6000 }), false).map((packet) =>
    packet.protocol === TCP
      ? { ...packet, flags: packet.flags & (FLAG.psh | FLAG.fin) | FLAG.ack, urgent: 0 }
      : packet
  );
  fc.assert(
    fc.property(plain, fc.integer({ min: 100, max: 1700 }), (packet, size) => {
      const segmenter = new Segmenter(VNET_FRAMING);
      segmenter.load(pool, stageSuper(pool, packet, size));
      const count = segmenter.cut(pool, slots, 0, 64);
      const writes = mergeSlots(merger, pool, [...slots.subarray(0, count)]);
      for (const slot of slots.subarray(0, count)) pool.release(slot);
      assertEquals(writes.map((write) => write!.bytes), [bytesOf(packet, "pseudo")]);
      assertEquals(writes[0]!.header.gsoSize, count > 1 ? size : 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("Merger keeps every packet and the order of each flow, whatever comes", () => {
  // Flows continue, repeat, skip, change a field: often enough to merge, and not to.
  const step = fc.record({
    flow: fc.nat(2),
    change: fc.constantFrom(
      ...[
        "",
        "",
        "",
        "",
        "",
        "gap",
        "ack",
        "window",
        "ttl",
        "tos",
        "psh",
        "fin",
        "syn",
        "urg",
        "pointer",
      ],
      ...[
        "cwr",
        "short",
        "long",
        "id",
        "df",
        "option",
        "empty",
        "label",
        "wrong",
        "marked",
        "extended",
      ],
    ),
    field: fc.constantFrom<Field>("right", "pseudo", "zero"),
  });
  const start = fc.record({
    version: fc.constantFrom(...VERSIONS),
    protocol: fc.constantFrom(...PROTOCOLS),
    df: fc.boolean(),
    idStep: fc.nat(1),
  });
  const merger = new Merger(VNET_FRAMING, LINUX_RULES);
  fc.assert(
    fc.property(
      fc.array(start, { minLength: 3, maxLength: 3 }),
      fc.array(step, { minLength: 1, maxLength: 64 }),
      (starts, steps) => {
        const flows = starts.map(({ version, protocol, df }, i) =>
          packetOf({
            version,
            protocol,
            df,
            ports: [i, 7],
            tcpOptions: [1, 1, 1, 0],
            payload: payloadOf(100, i),
          })
        );
        const given = steps.map(({ flow, change, field }): Given => {
          const packet = changed(flows[flow]!, change);
          flows[flow] = {
            ...flows[flow]!,
            id: packet.id + starts[flow]!.idStep & 0xffff,
            sequence: (packet.sequence + packet.payload.length) % 2 ** 32,
          };
          if (packet.ipOptions.length + packet.extension.length > 0) return [packet, "right"];
          return [packet, change === "wrong" ? "wrong" : field];
        });
        const out = merge(given, merger).flatMap(expand);
        const expected = given.map(([packet, field]) =>
          bytesOf(packet, field === "wrong" ? "wrong" : "right")
        );
        assertEquals(byFlow(out), byFlow(expected));
      },
    ),
    { numRuns: 500 },
  );
});

function changed(packet: Packet, change: string): Packet {
  const { flags } = packet;
  const changes: Readonly<Record<string, Partial<Packet>>> = {
    gap: { sequence: (packet.sequence + 1) % 2 ** 32 },
    ack: { acknowledgment: packet.acknowledgment + 1 },
    window: { window: packet.window + 1 },
    ttl: { ttl: packet.ttl - 1 },
    tos: { tos: packet.tos ^ 3 },
    psh: { flags: flags | FLAG.psh },
    fin: { flags: flags | FLAG.fin },
    syn: { flags: FLAG.syn },
    urg: { flags: flags | FLAG.urg, urgent: 3 },
    pointer: { urgent: 3 },
    cwr: { flags: flags | FLAG.cwr },
    short: { payload: packet.payload.slice(0, 60) },
    long: { payload: payloadOf(130) },
    id: { id: packet.id ^ 0x80 },
    df: { df: !packet.df },
    option: { tcpOptions: [1, 1, 1, 1] },
    options: { tcpOptions: [] },
    empty: { payload: new Uint8Array(0) },
    label: { label: packet.label ^ 1 },
    extended: { ipOptions: [1, 1, 1, 0], extension: [packet.protocol, 0, 1, 4, 0, 0, 0, 0] },
  };
  return { ...packet, ...changes[change] };
}

/** Packets by port, in order, with the identification left out where it means nothing. */
function byFlow(packets: readonly Uint8Array[]): Map<string, Uint8Array[]> {
  const flows = new Map<string, Uint8Array[]>();
  for (const packet of packets) {
    const bytes = packet.slice();
    const isIpv4 = bytes[0]! >> 4 === 4;
    if (isIpv4 && (bytes[6]! & 0x40) !== 0) {
      bytes.fill(0, 4, 6);
      bytes.fill(0, 10, 12);
    }
    const extended = isIpv4 ? bytes[0] !== 0x45 : bytes[6] === 60;
    const key = `${isIpv4} ${extended ? "extended" : bytes[isIpv4 ? 21 : 41]}`;
    flows.set(key, [...flows.get(key) ?? [], bytes]);
  }
  return flows;
}

Deno.test("Merger merges flows that take turns, up to eight of them", () => {
  const interleaved = (count: number): Given[] => {
    const flows = Array.from({ length: count }, (_, i) => flow({ ports: [i, 1] }, 4));
    return Array.from({ length: 4 * count }, (_, i) => flows[i % count]![i / count | 0]!);
  };
  assertEquals(sizes(interleaved(3)), [4, 4, 4]);
  assertEquals(sizes(interleaved(8)), new Array(8).fill(4));
  assertEquals(sizes(interleaved(9)), new Array(36).fill(1));
});

Deno.test("Merger ends a run with what is shorter, with PSH and with FIN", () => {
  const [a, b, c, d] = flow({}, 4) as [Given, Given, Given, Given];
  const short: Given = [{ ...b[0], payload: payloadOf(99) }, "right"];
  assertEquals(sizes([a, short, c, d]), [2, 2]);
  for (const flag of [FLAG.psh, FLAG.fin]) {
    const last: Given = [{ ...b[0], flags: b[0].flags | flag }, "right"];
    const [write] = merge([a, last, c, d]);
    assertEquals(sizes([a, last, c, d]), [2, 2]);
    assertEquals(write!.bytes[33], FLAG.ack | flag);
  }
});

Deno.test("Merger sends packets without data or with more flags alone, after the run of their flow", () => {
  const [a, b, c, d] = flow({}, 4) as [Given, Given, Given, Given];
  const { syn, rst, ack, urg, ece, cwr } = FLAG;
  const pureAck: Given = [packetOf({ sequence: c[0].sequence }), "right"];
  assertEquals(sizes([a, b, pureAck, c, d]), [2, 1, 2]);
  for (const flags of [syn | ack, rst | ack, urg | ack, ece | ack, cwr | ack, 0]) {
    const odd: Given = [{ ...c[0], flags }, "right"];
    assertEquals(sizes([a, b, odd, d]), [2, 1, 1]);
  }
});

Deno.test("Merger lets nothing of a flow overtake a fragment or another unreadable packet", () => {
  const [a, b, c, d] = flow({}, 4) as [Given, Given, Given, Given];
  const extended: Given = [packetOf({ ipOptions: [1, 1, 1, 0] }), "right"];
  assertEquals(sizes([a, b, extended, c, d]), [2, 1, 2]);
});

Deno.test("Merger takes identifications that count, or stay under DF, and no others", () => {
  const ids = (df: boolean, ...ids: number[]): number[] =>
    sizes(flow({ df }, ids.length).map(([packet], i) => [{ ...packet, id: ids[i]! }, "right"]));
  for (const df of [true, false]) {
    assertEquals(ids(df, 0xfffe, 0xffff, 0, 1), [4]);
    assertEquals(ids(df, 5, 6, 6, 7), [2, 2]);
    assertEquals(ids(df, 5, 7, 9), [1, 1, 1]);
  }
  assertEquals(ids(true, 5, 5, 5, 5), [4]);
  assertEquals(ids(true, 5, 5, 6, 7), [2, 2]);
  assertEquals(ids(true, 5, 6, 5), [2, 1]);
  assertEquals(ids(true, 5, 5, 7), [2, 1]);
  assertEquals(ids(false, 5, 5, 5), [1, 1, 1]);
});

Deno.test("Merger merges what lacks its checksum and what has a right one, and nothing wrong", () => {
  const [a, b, c, d] = flow({}, 4).map(([packet]) => packet) as [Packet, Packet, Packet, Packet];
  assertEquals(sizes([[a, "right"], [b, "pseudo"], [c, "zero"], [d, "right"]]), [4]);
  const wrong = merge([[a, "right"], [b, "wrong"], [c, "right"], [d, "right"]]);
  assertEquals(wrong.map((write) => write.header.gsoSize), [0, 0, 100]);
  assertEquals(wrong[1], { header: wrong[0]!.header, bytes: bytesOf(b, "wrong") });
  const first = merge([[a, "wrong"], [b, "right"], [c, "right"]]);
  assertEquals(first.map((write) => write.header.gsoSize), [0, 100]);
});

Deno.test("Merger does not mend a wrong IPv4 header checksum", () => {
  const pool = new PacketPool(4);
  for (const broken of [0, 1]) {
    const slots = flow({}, 2).map(([packet]) => put(pool, bytesOf(packet, "zero"), true));
    const at = pool.at(slots[broken]!) + PACKET_OFFSET + 10;
    pool.bytes[at] = pool.bytes[at]! ^ 1;
    const writes = mergeSlots(new Merger(VNET_FRAMING, LINUX_RULES), pool, slots);
    assertEquals(writes.map((write) => write!.header.gsoType), [GSO.none, GSO.none]);
    assertEquals(slowSum(writes[broken]!.bytes.subarray(0, 20)) === 0xffff, false);
    for (const slot of slots) pool.release(slot);
  }
});

Deno.test("Merger leaves UDP alone without a checksum, and where the kernel cannot cut it", () => {
  const udp = flow({ protocol: UDP }, 3);
  assertEquals(sizes(udp), [3]);
  assertEquals(sizes(udp, new Merger(VNET_FRAMING, { ...LINUX_RULES, udp: false })), [1, 1, 1]);
  const pool = new PacketPool(4);
  const slots = udp.map(([packet]) => put(pool, bytesOf(packet, "zero")));
  const writes = mergeSlots(new Merger(VNET_FRAMING, LINUX_RULES), pool, slots);
  assertEquals(writes.map((write) => write!.header.flags), [0, 0, 0]);
});

Deno.test("Merger writes a single packet as it is, or says that the checksum is missing", () => {
  const packet = packetOf({ version: 6, payload: payloadOf(33) });
  const [right] = merge([[packet, "right"]]);
  assertEquals([right!.header.flags, right!.bytes], [0, bytesOf(packet)]);
  const [marked] = merge([[packet, "zero"]]);
  const { flags, gsoType, csumStart, csumOffset } = marked!.header;
  assertEquals([flags, gsoType, csumStart, csumOffset], [NEEDS_CSUM, GSO.none, 40, 16]);
  assertEquals(marked!.bytes, bytesOf(packet, "pseudo"));
});

Deno.test("Merger stays below 64 KiB", () => {
  for (const version of VERSIONS) {
    for (const protocol of PROTOCOLS) {
      const given = flow({ version, protocol }, 50, 1800);
      const found = sizes(given);
      const most = (65_535 - (protocol === TCP ? 20 : 8) - (version === 4 ? 20 : 40)) / 1800 | 0;
      assertEquals(found, [most, 50 - most]);
    }
  }
});

Deno.test("Merger refuses a marked packet without a place for a checksum, and nothing else", () => {
  const pool = new PacketPool(4);
  const good = flow({}, 2).map(([packet]) => put(pool, bytesOf(packet, "zero"), true));
  const bad = put(pool, Uint8Array.of(0x45, 0, 0, 3), true);
  const writes = mergeSlots(new Merger(VNET_FRAMING, LINUX_RULES), pool, [good[0]!, bad, good[1]!]);
  assertEquals(writes.map((write) => write?.header.flags), [NEEDS_CSUM, undefined, NEEDS_CSUM]);
});

Deno.test("Merger writes no header that the kernel would refuse, whatever comes", () => {
  const pool = new PacketPool(32);
  const merger = new Merger(VNET_FRAMING, LINUX_RULES);
  const flips = fc.array(fc.tuple(fc.nat(63), fc.nat(79), fc.nat(255)), { maxLength: 12 });
  const base = fc.constantFrom(
    ...VERSIONS.flatMap((version) =>
      PROTOCOLS.map((protocol) => flow({ version, protocol }, 12, 60))
    ),
  );
  const cuts = fc.array(fc.tuple(fc.nat(11), fc.nat(140)), { maxLength: 4 });
  fc.assert(
    fc.property(base, flips, cuts, fc.nat(0xfff), (given, flips, cuts, marks) => {
      const packets = given.map(([packet]) => bytesOf(packet));
      for (const [i, at, value] of flips) packets[i % 12]![at] = value;
      for (const [i, length] of cuts) packets[i] = packets[i]!.slice(0, length);
      const slots = packets.map((bytes, i) => put(pool, bytes, (marks >> i & 1) === 1));
      const writes = mergeSlots(merger, pool, slots);
      let count = 0;
      for (const [run, write] of writes.entries()) {
        count += merger.packets[run]!;
        if (!write) assertEquals(merger.packets[run], 1);
        else if (write.header.gsoType !== GSO.none) {
          assertEquals(expand(write).length, merger.packets[run]);
        } else checkVnetHeader(write);
      }
      assertEquals(count, 12);
      for (const slot of slots) pool.release(slot);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("Merger accepts any identification where the kernel assigns new ones", () => {
  const flow = segmentsOf(packetOf({ df: false, payload: payloadOf(500) }), 100)
    .map((packet, i): Given => [{ ...packet, id: i * 7919 & 0xffff }, "right"]);
  const packetsOf = (renumbers: boolean): number =>
    merge(flow, new Merger(VNET_FRAMING, { ...LINUX_RULES, renumbers })).length;
  assertEquals([packetsOf(false), packetsOf(true)], [5, 1]);
});

Deno.test("Merger makes no super-packet larger than the kernel takes, or has taken", () => {
  const flow = segmentsOf(packetOf({ payload: payloadOf(40_000) }), 1000)
    .map((packet): Given => [packet, "right"]);
  for (const mostBytes of [1040, 3039, 3040, 16_000, 40_040]) {
    const merger = new Merger(VNET_FRAMING, { ...LINUX_RULES, mostBytes });
    const lengths = merge(flow, merger).map(({ bytes }) => bytes.length);
    assertEquals(lengths[0], Math.floor((mostBytes - 40) / 1000) * 1000 + 40);
    merger.mostBytes = 1040;
    assertEquals(merge(flow, merger).length, 40);
  }
});
