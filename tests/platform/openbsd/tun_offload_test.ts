/**
 * The tun interface of OpenBSD 7.7 and later: TUNSCAP, super-packets, checksums left to the
 * kernel. What the fake kernel turns a write into is computed by tests/offload/reference.ts.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MODEST_SUPER_BYTES } from "../../../src/platform/offload_tun.ts";
import { openTun } from "../../../src/platform/openbsd/tun.ts";
import type { Tun } from "../../../src/platform/platform.ts";
import { MAX_PACKET_BYTES, PacketPool } from "../../../src/slab.ts";
import { anyPacket } from "../../offload/arbitrary.ts";
import {
  bytesOf,
  FLAG,
  headerBytesOf,
  type Packet,
  packetFrom,
  packetOf,
  payloadOf,
  segmentsOf,
  TCP,
  UDP,
} from "../../offload/reference.ts";
import { put } from "../../offload/staging.ts";
import { NUMBERS } from "./abi.ts";
import { IPV6_PACKET, readPackets } from "./batches.ts";
import { FakeLibc } from "./fake_libc.ts";
import type { FakeTun, Release } from "./fake_tun.ts";
import { FakeWorld } from "./fake_world.ts";
import { goldenTest } from "./golden.ts";

const MSS = 1388;
const STAMPS = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8];
const SUMS = ["IFCAP_CSUM_TCPv4", "IFCAP_CSUM_UDPv4", "IFCAP_CSUM_TCPv6", "IFCAP_CSUM_UDPv6"];

/** An interface of a release, its other side, and its libc. */
function open(
  release: Release = "7.8",
  prepare: (device: FakeTun) => void = () => {},
): { tun: Tun; device: FakeTun; libc: FakeLibc } {
  const host = new FakeWorld().host();
  host.release = release;
  const libc = new FakeLibc(host);
  const device = host.createTun("tun0");
  prepare(device);
  return { tun: openTun(libc, "tun0"), device, libc };
}

/** Writes packets in one go, and releases their slots. */
function write(tun: Tun, packets: readonly Packet[], marked = false): number {
  const pool = new PacketPool(packets.length);
  const slots = packets.map((packet) =>
    put(pool, bytesOf(packet, marked ? "zero" : "right"), marked)
  );
  return tun.write(pool, Int32Array.from(slots), slots.length);
}

/** Reads everything, and fills in missing checksums. */
function readAll(tun: Tun): Packet[] {
  const pool = new PacketPool(64);
  const slots = new Int32Array(64);
  const packets: Packet[] = [];
  for (let count; (count = tun.read(pool, slots, 64)) > 0;) {
    for (const slot of slots.subarray(0, count)) {
      const bytes = pool.packet(slot);
      packets.push(pool.needsChecksum[slot] === 0 ? packetFrom(bytes) : unsummed(bytes));
      pool.release(slot);
    }
  }
  return packets;
}

/** Reads a packet whose checksum field means nothing. */
function unsummed(bytes: Uint8Array): Packet {
  const whole = bytes.slice();
  const ipBytes = whole[0]! >> 4 === 4 ? 20 : 40;
  const protocol = whole[ipBytes === 20 ? 9 : 6]!;
  whole.fill(0, ipBytes + (protocol === TCP ? 16 : 6), ipBytes + (protocol === TCP ? 18 : 8));
  return packetFrom(whole, "zero");
}

/** Packets without their identification: OpenBSD gives a new one to each that it cuts. */
function withoutId(packets: readonly Packet[]): string[] {
  return packets.map((packet) => bytesOf({ ...packet, id: 0 }).toHex());
}

const written = ({ incoming }: FakeTun): Packet[] => incoming.map((packet) => packetFrom(packet));

/** A TCP stream in segments. */
function flowOf(version: 4 | 6, bytes: number, mss = MSS): Packet[] {
  const whole = packetOf({
    version,
    tcpOptions: STAMPS,
    flags: FLAG.ack | FLAG.psh,
    payload: payloadOf(bytes),
  });
  return segmentsOf(whole, mss);
}

goldenTest(
  "tun_offload",
  "openTun() turns TUNSCAP on, and a super-packet is one call each way",
  (record, make) => {
    const host = new FakeWorld().host();
    const libc = make(host);
    const tun = openTun(libc, "tun0");
    assertEquals(tun.offload, "checksum, TSO");
    record.step("open", libc);
    const device = host.tuns.get("tun0")!;
    const flow = flowOf(4, 40, 16);
    assertEquals(write(tun, flow), 3);
    record.step("write three segments", libc);
    assertEquals(
      write(tun, [packetOf({ version: 6, protocol: UDP, payload: payloadOf(8) })], true),
      1,
    );
    record.step("write a datagram without its checksum", libc);
    device.inject(IPV6_PACKET);
    device.send(packetOf({ version: 6, payload: payloadOf(40) }), 16);
    device.send(packetOf({ protocol: UDP, payload: payloadOf(8) }));
    const pool = new PacketPool(8);
    assertEquals(readPackets(tun, pool).length, 1 + 3 + 1);
    record.step("read a packet, a super-packet and a datagram", libc);
    tun.close();
    record.step("close", libc);
    assertEquals(withoutId(written(device)).slice(0, 3), withoutId(flow));
  },
);

Deno.test("openTun() asks tun(4) for less when it refuses, and does without before 7.7", () => {
  const { IFCAP_TSOv4, IFCAP_TSOv6 } = NUMBERS;
  const sums = SUMS.reduce((sum, name) => sum | NUMBERS[name as keyof typeof NUMBERS], 0);
  const cases: readonly [Release, number, string, number | undefined, number][] = [
    ["7.8", -1, "checksum, TSO", sums | IFCAP_TSOv4 | IFCAP_TSOv6, 1],
    ["7.8", ~IFCAP_TSOv6, "checksum, TSO of writes", sums, 2],
    ["7.8", 0, "checksum of writes, TSO of writes", 0, 3],
    ["7.6", -1, "none", undefined, 1],
  ];
  for (const [release, known, name, capabilities] of cases) {
    const { tun, device } = open(release, (device) => device.knownCapabilities &= known);
    assertEquals([tun.offload, device.capabilities], [name, capabilities]);
    const flow = flowOf(4, 5000);
    assertEquals(write(tun, flow), flow.length);
    // Writes do not depend on the capabilities.
    assertEquals(device.written.length, release === "7.8" ? 1 : flow.length);
    assertEquals(withoutId(written(device)), withoutId(flow));
    const sent = packetOf({ version: 6, payload: payloadOf(5000) });
    device.send(sent, MSS);
    device.send(packetOf({ protocol: UDP }));
    assertEquals(
      withoutId(readAll(tun)),
      withoutId([...segmentsOf(sent, MSS), packetOf({ protocol: UDP })]),
    );
    tun.close();
  }
});

Deno.test("openTun() does without offload when it is told to", () => {
  const host = new FakeWorld().host();
  const tun = openTun(new FakeLibc(host), "tun0", "plain");
  assertEquals([tun.offload, host.tuns.get("tun0")!.capabilities], ["none", undefined]);
});

for (const version of [4, 6] as const) {
  Deno.test(`64 KiB of TCP over IPv${version} are 48 calls before 7.7 and 2 after`, () => {
    const flow = flowOf(version, 65_536);
    const calls = (["7.6", "7.8"] as const).map((release) => {
      const { tun, device, libc } = open(release);
      libc.takeCalls();
      assertEquals(write(tun, flow), 48);
      assertEquals(withoutId(written(device)), withoutId(flow));
      const writes = libc.takeCalls().length;
      const half = { ...flow[0]!, payload: payloadOf(32_768) };
      for (let i = 0; i < 2; i++) device.send(half, MSS);
      assertEquals(
        withoutId(readAll(tun)),
        withoutId([half, half].flatMap((one) => segmentsOf(one, MSS))),
      );
      return [writes, libc.takeCalls().filter((call) => !call.endsWith("EAGAIN")).length];
    });
    assertEquals(calls, [[48, 48], [2, 2]]);
  });
}

Deno.test("OffloadTun of OpenBSD merges only TCP, and each flow separately", () => {
  const { tun, device } = open();
  const tcp = [flowOf(4, 3 * MSS), flowOf(6, 3 * MSS)];
  const udp = [0, 1, 2].map((i) => packetOf({ protocol: UDP, payload: payloadOf(1000, i) }));
  const mixed = [0, 1, 2].flatMap((i) => [tcp[0]![i]!, udp[i]!, tcp[1]![i]!]);
  assertEquals(write(tun, mixed), 9);
  assertEquals(device.written.map(({ flags, mss }) => [flags, mss]), [
    [NUMBERS.TUN_H_TCP_CSUM | NUMBERS.TUN_H_TCP_MSS, MSS],
    [0, 0],
    [NUMBERS.TUN_H_TCP_CSUM | NUMBERS.TUN_H_TCP_MSS, MSS],
    [0, 0],
    [0, 0],
  ]);
  const expected = [...tcp[0]!, udp[0]!, ...tcp[1]!, udp[1]!, udp[2]!];
  assertEquals(withoutId(written(device)), withoutId(expected));
});

Deno.test("OffloadTun of OpenBSD leaves room for a link header in 64 KiB", () => {
  const { tun, device } = open();
  const flow = segmentsOf(packetOf({ payload: payloadOf(64 * 1023) }), 1023);
  assertEquals(write(tun, flow), 64);
  assertEquals(device.written.map(({ packet }) => packet.length), [63 * 1023 + 40, 1023 + 40]);
});

Deno.test("OffloadTun of OpenBSD writes smaller super-packets after one found no memory", () => {
  const { tun, device } = open("7.8", (device) => device.memoryBytes = MODEST_SUPER_BYTES);
  const flow = flowOf(4, 40 * MSS);
  assertEquals(write(tun, flow), 0);
  assertEquals(write(tun, flow), 40);
  const sizes = device.written.map(({ packet }) => packet.length);
  assertEquals(sizes.length, 4);
  assert(sizes.every((size) => size <= MODEST_SUPER_BYTES));
  assertEquals(withoutId(written(device)), withoutId(flow));
});

Deno.test("OffloadTun of OpenBSD does not write less for other errors", () => {
  const { tun, device } = open();
  const flow = flowOf(6, 40 * MSS);
  device.isDestroyed = true;
  assertEquals(write(tun, flow), 0);
  device.isDestroyed = false;
  assertEquals(write(tun, flow), 40);
  assertEquals(device.written.length, 1);
});

/** What a host may send by itself: TCP in super-packets, of any size that IP allows. */
const anySent = anyPacket(fc.oneof(fc.nat(200), fc.nat(64_000)), false).map((packet) => ({
  ...packet,
  // Nothing else is sent in one piece: tcp_output() of sys/netinet/tcp_output.c.
  flags: packet.protocol === TCP ? FLAG.ack | packet.flags & FLAG.psh : packet.flags,
}));

Deno.test("OffloadTun of OpenBSD reads what the host sends, cut as its kernel would", () => {
  const plain = open("7.6");
  const { tun, device } = open();
  fc.assert(
    fc.property(
      fc.array(anySent, { maxLength: 4 }),
      fc.integer({ min: 500, max: 1800 }),
      (sent, mss) => {
        for (const packet of sent) {
          const isLong = packet.payload.length > mss;
          if (packet.protocol === UDP && isLong) continue;
          for (const to of [plain.device, device]) to.send(packet, isLong ? mss : 0);
        }
        assertEquals(withoutId(readAll(tun)), withoutId(readAll(plain.tun)));
      },
    ),
  );
});

Deno.test("OffloadTun of OpenBSD writes packets that come out as they went in", () => {
  const { tun, device } = open();
  const any = anyPacket(fc.oneof(fc.nat(60), fc.nat(MAX_PACKET_BYTES - 100)), true);
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 20 }), fc.nat(2), (packets, copies) => {
      // A flow continues where the previous packet ended: some are merged.
      const all = packets.flatMap((packet) =>
        Array.from({ length: copies + 1 }, (_, i) => ({
          ...packet,
          id: packet.id + i & 0xffff,
          sequence: (packet.sequence + i * packet.payload.length) >>> 0,
        }))
      );
      device.incoming.length = 0;
      assertEquals(write(tun, all), all.length);
      assertEquals(withoutId(written(device)).sort(), withoutId(all).sort());
    }),
  );
});

Deno.test("OffloadTun of OpenBSD drops and counts what the kernel should not have said", () => {
  const { TUN_H_IPV4_CSUM, TUN_H_TCP_CSUM, TUN_H_UDP_CSUM, TUN_H_ICMP_CSUM, TUN_H_TCP_MSS } =
    NUMBERS;
  const tcp = bytesOf(packetOf({ payload: payloadOf(600) }), "pseudo");
  const udp = bytesOf(packetOf({ version: 6, protocol: UDP, payload: payloadOf(600) }), "pseudo");
  const options = bytesOf(packetOf({ ipOptions: [1, 1, 1, 0], payload: payloadOf(600) }), "pseudo");
  const wrong: readonly [number, number, Uint8Array][] = [
    [TUN_H_ICMP_CSUM, 0, tcp],
    [TUN_H_UDP_CSUM, 0, tcp],
    [TUN_H_TCP_CSUM, 0, udp],
    [TUN_H_TCP_CSUM | TUN_H_UDP_CSUM, 0, tcp],
    [TUN_H_UDP_CSUM | TUN_H_TCP_MSS, 100, udp],
    [TUN_H_TCP_CSUM | TUN_H_TCP_MSS, 0, tcp],
    [TUN_H_TCP_CSUM | TUN_H_TCP_MSS, 100, options],
    [TUN_H_TCP_CSUM | TUN_H_TCP_MSS, 100, tcp.subarray(0, 300)],
    [TUN_H_TCP_CSUM, 0, tcp.subarray(0, 30)],
    [TUN_H_IPV4_CSUM, 0, udp],
    [TUN_H_IPV4_CSUM, 0, options.subarray(0, 22)],
    [TUN_H_TCP_CSUM, 0, Uint8Array.of(0x45)],
    [0, 0, new Uint8Array(0)],
  ];
  for (const [flags, mss, packet] of wrong) {
    const { tun, device, libc } = open();
    device.outgoing.push({ flags, mss, packet });
    assertEquals(readAll(tun), [], `flags ${flags}`);
    assertEquals((tun as unknown as { malformedPackets: number }).malformedPackets, 1);
    device.send(packetOf());
    assertEquals(readAll(tun).length, 1);
    assertEquals(libc.files.open.length, 1);
  }
});

Deno.test("OffloadTun of OpenBSD reads what is left to do although it was not asked for", () => {
  const { TUN_H_IPV4_CSUM, TUN_H_TCP_CSUM, TUN_H_TCP_MSS, TUN_H_VTAG } = NUMBERS;
  const { tun, device } = open();
  const packet = packetOf({ ipOptions: [1, 1, 1, 0], payload: payloadOf(300) });
  const bare = bytesOf(packet);
  bare.fill(0, 10, 12);
  device.outgoing.push({ flags: TUN_H_IPV4_CSUM | TUN_H_VTAG, mss: 0, packet: bare });
  const alone = packetOf({ payload: payloadOf(300) });
  // As the kernel forwards what a network card had merged from one segment.
  device.outgoing.push({
    flags: TUN_H_TCP_CSUM | TUN_H_TCP_MSS,
    mss: 300,
    packet: bytesOf(alone, "zero"),
  });
  const big = packetOf({ payload: payloadOf(3000) });
  device.outgoing.push({ flags: TUN_H_TCP_MSS, mss: 1000, packet: bytesOf(big, "wrong") });
  assertEquals(withoutId(readAll(tun)), withoutId([packet, alone, ...segmentsOf(big, 1000)]));
});

Deno.test("OffloadTun of OpenBSD never throws and loses no slot, whatever is in front of a packet", () => {
  const { tun, device } = open();
  const pool = new PacketPool(64);
  fc.assert(
    fc.property(
      anyPacket(fc.nat(3000), true),
      fc.nat(0xffff),
      fc.oneof(fc.nat(2000), fc.nat(0xffff)),
      fc.nat(100),
      (packet, flags, mss, cut) => {
        const bytes = bytesOf(packet, "pseudo");
        device.outgoing.push({ flags, mss, packet: bytes.subarray(0, bytes.length - cut) });
        let count = 0;
        while (device.outgoing.length > 0 || tun.backlog) {
          count += readPackets(tun, pool, 64).filter(({ length }) => length > 0).length;
        }
        assert(count <= Math.ceil(3000 / Math.max(1, mss)) + 1);
        assertEquals(pool.available, 64);
        assert(headerBytesOf(packet) > 0);
      },
    ),
  );
});

Deno.test("the fake refuses what tun_dev_write() refuses", () => {
  const { tun, device, libc } = open();
  const { TUN_H_TCP_CSUM, TUN_H_UDP_CSUM, TUN_H_VTAG } = NUMBERS;
  const writeRaw = (flags: number, length: number): string => {
    const bytes = new Uint8Array(length);
    bytes.set([flags & 0xff, flags >> 8]);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    assertEquals(libc.symbols.write(tun.fd, address, BigInt(length)), -1);
    return libc.takeCalls().at(-1)!.split(" ").at(-1)!;
  };
  assertEquals([writeRaw(0, 11), writeRaw(0, 12 + 65_537)], ["EMSGSIZE", "EMSGSIZE"]);
  assertEquals(writeRaw(TUN_H_TCP_CSUM | TUN_H_UDP_CSUM, 52), "EINVAL");
  assertEquals(writeRaw(TUN_H_VTAG, 52), "EINVAL");
  device.memoryBytes = 20;
  assertEquals(writeRaw(0, 52), "ENOMEM");
});
