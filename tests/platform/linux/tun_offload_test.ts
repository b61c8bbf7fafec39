import { assert, assertEquals } from "@std/assert";
import type { Libc } from "../../../src/platform/linux/libc.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import { OffloadTun } from "../../../src/platform/offload_tun.ts";
import { PlainTun } from "../../../src/platform/plain_tun.ts";
import type { TunKind } from "../../../src/platform/platform.ts";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { PacketPool } from "../../../src/slab.ts";
import {
  bytesOf,
  type Packet,
  packetFrom,
  packetOf,
  payloadOf,
  segmentsOf,
  TCP,
  UDP,
} from "../../offload/reference.ts";
import { put } from "../../offload/staging.ts";
import { InnerSocket } from "./inner_socket.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";
import { FAR, NEAR, openEnd, packetCounts, withTunPair } from "./tun_pair.ts";

const PORT = 7000;
const ICMP6 = 58;
const KINDS: readonly TunKind[] = ["offload", "plain"];
const FAMILIES = [4, 6] as const;

/** Sends `bytes` each way over TCP. Returns how many segments and super-packets went out. */
function transfer(
  kinds: readonly [TunKind, TunKind],
  family: 4 | 6,
  bytes: number,
): { segments: number; sent: number; received: number; checksumErrors: number } {
  const data = payloadOf(bytes);
  const reversed = data.toReversed();
  const prepare = (): InnerSocket => InnerSocket.open("tcp", family);
  const { pair, ...counts } = withTunPair(kinds, prepare, (pair, client) => {
    const listener = InnerSocket.open("tcp", family).bind(FAR[family], PORT).listen();
    client.connect(FAR[family], PORT);
    let server: InnerSocket | undefined;
    pair.carryUntil(() => (server = listener.accept()) !== undefined);
    assertEquals(streamOf(() => pair.carry(), client, server!, data), data);
    assertEquals(streamOf(() => pair.carry(), server!, client, reversed), reversed);
    for (const socket of [client, server!, listener]) socket.close();
  });
  return { segments: pair.forth, ...counts };
}

/** Sends `data` from one end to the other and returns what arrives. */
function streamOf(
  carry: () => boolean,
  from: InnerSocket,
  to: InnerSocket,
  data: Uint8Array,
): Uint8Array {
  const received = new Uint8Array(data.length);
  const end = performance.now() + 20_000;
  let sent = 0;
  for (let at = 0; at < data.length;) {
    assert(performance.now() < end, `${at} of ${data.length} bytes arrived`);
    if (sent < data.length) sent += from.send(data.subarray(sent, sent + 200_000));
    carry();
    for (let part; (part = to.receive()) !== undefined; at += part.length) received.set(part, at);
  }
  return received;
}

for (const family of FAMILIES) {
  Deno.test({
    ...networkTest(`OffloadTun carries TCP over IPv${family} whole, a super-packet at a time`),
    fn(): void {
      const { segments, sent, received, checksumErrors } = transfer(
        ["offload", "offload"],
        family,
        4_000_000,
      );
      assert(segments > 2900, `${segments} segments`);
      assert(sent < segments / 4, `read in ${sent} packets`);
      assert(received < segments / 4, `written in ${received} packets`);
      assertEquals(checksumErrors, 0);
    },
  });

  Deno.test({
    ...networkTest(`OffloadTun and PlainTun understand each other over IPv${family}`),
    fn(): void {
      for (const kinds of [["offload", "plain"], ["plain", "offload"]] as const) {
        const { segments, received, sent, checksumErrors } = transfer(kinds, family, 1_000_000);
        assert(segments > 700, `${segments} segments`);
        // The end that has offload is spared most of the packets.
        assert((kinds[0] === "plain" ? received : sent) < segments / 2);
        assertEquals(checksumErrors, 0, `from ${kinds[0]} to ${kinds[1]}`);
      }
    },
  });

  Deno.test({
    ...networkTest(`OffloadTun cuts and merges UDP over IPv${family} of a sender with UDP_SEGMENT`),
    fn(): void {
      const sizes = [1200, 1200, 1, 1340, 600];
      const received: Uint8Array[] = [];
      const prepare = (): InnerSocket => InnerSocket.open("udp", family).bind(NEAR[family], PORT);
      const expected = sizes.map((_, i) => payloadOf(20_100, i));
      for (const kind of KINDS) {
        const { pair, sent, received: writes, checksumErrors } = withTunPair(
          ["offload", kind],
          prepare,
          (pair, sender) => {
            const receiver = InnerSocket.open("udp", family).bind(FAR[family], PORT);
            sender.connect(FAR[family], PORT);
            for (const [i, size] of sizes.entries()) {
              const data = size === 1 ? expected[i]!.subarray(0, 50) : expected[i]!;
              sender.setSegmentBytes(size);
              assertEquals(sender.send(data), data.length);
              let at = 0;
              pair.carryUntil(() => {
                for (let datagram; (datagram = receiver.receive()) !== undefined;) {
                  assertEquals(datagram, data.slice(at, at + size));
                  at += datagram.length;
                  received.push(datagram);
                }
                return at === data.length;
              });
            }
            receiver.close();
            sender.close();
          },
        );
        assert(pair.forth >= 17 + 17 + 50 + 15 + 34, `${pair.forth} datagrams`);
        assert(sent < 20, `read in ${sent} packets`);
        if (kind === "offload") assert(writes < 30, `written in ${writes} packets`);
        assertEquals(checksumErrors, 0);
      }
      assertEquals(received.length, 2 * (17 + 17 + 50 + 15 + 34));
    },
  });
}

/** All packets that wait, without the kernel's own (IPv6 neighbours, multicast). */
function readAll(tun: DeviceTun, pool: PacketPool): Uint8Array[] {
  const slots = new Int32Array(64);
  const packets: Uint8Array[] = [];
  for (let count; (count = tun.read(pool, slots, 64)) > 0;) {
    for (const slot of slots.subarray(0, count)) {
      const packet = pool.packet(slot).slice();
      if (packet[0]! >> 4 === 4 || [TCP, UDP].includes(packet[6]!)) packets.push(packet);
      pool.release(slot);
    }
  }
  return packets;
}

Deno.test({
  ...networkTest(
    "OffloadTun writes super-packets that the kernel cuts into the packets they were made of",
  ),
  fn: () =>
    inNewNetwork(() => {
      Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", "1");
      Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
      const inside = openEnd("offload", 2);
      const outside = openTun(openLibc(), "out", "plain");
      ip("link set dev out mtu 1400 up");
      ip("route add 198.51.100.0/24 dev out");
      ip("-6 route add 2001:db8:1::/64 dev out");
      const pool = new PacketPool(64);
      for (const version of FAMILIES) {
        for (const protocol of [TCP, UDP]) {
          for (const [i, marked] of [[0, true], [1, false], [2, true]] as const) {
            const packet = packetOf({
              version,
              protocol,
              source: NEAR[version],
              destination: version === 4
                ? [198, 51, 100, 9]
                : [0x20, 1, 0xd, 0xb8, 0, 1, ...new Array(9).fill(0), 9],
              df: i === 0,
              flags: 0x19,
              tcpOptions: i === 2 ? [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8] : [],
              payload: payloadOf(13_001 + i, i),
            });
            const segments = segmentsOf(packet, 1300);
            assertEquals(forward(inside, outside, pool, segments, marked), segments.map(oneHop));
          }
        }
      }
      assertEquals(packetCounts(inside.name).received, 12, "not all were merged");
      assertEquals([inside.refusedPackets, inside.malformedPackets], [0, 0]);
      inside.close();
      outside.close();
    }),
});

function oneHop(packet: Packet): Packet {
  const { id, df, label } = packet;
  const isIpv4 = packet.version === 4;
  return {
    ...packet,
    ttl: packet.ttl - 1,
    id: isIpv4 ? id : 0,
    df: isIpv4 && df,
    label: isIpv4 ? 0 : label,
    ...packet.protocol === TCP ? {} : {
      sequence: 0,
      acknowledgment: 0,
      flags: 0,
      window: 0,
      tcpOptions: [],
    },
  };
}

function forward(
  inside: DeviceTun,
  outside: DeviceTun,
  pool: PacketPool,
  segments: readonly Packet[],
  marked: boolean,
): Packet[] {
  const slots = segments.map((segment) =>
    put(pool, bytesOf(segment, marked ? "zero" : "right"), marked)
  );
  assertEquals(inside.write(pool, Int32Array.from(slots), slots.length), slots.length);
  for (const slot of slots) pool.release(slot);
  return readAll(outside, pool).map((bytes) => packetFrom(bytes));
}

Deno.test({
  ...networkTest(
    "OffloadTun.read() gives a super-packet out as there is room, and says that there is more",
  ),
  fn: () =>
    inNewNetwork(() => {
      Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
      const tun = openTun(openLibc(), undefined);
      ip(`address add 192.0.2.1/24 dev ${tun.name}`);
      ip(`link set dev ${tun.name} mtu 1400 up`);
      const socket = InnerSocket.open("udp", 4);
      socket.connect(FAR[4], PORT);
      socket.setSegmentBytes(1000);
      assertEquals(socket.send(payloadOf(9_500)), 9_500);
      const pool = new PacketPool(4);
      const slots = new Int32Array(8);
      assertEquals([tun.backlog, tun.read(pool, slots, 1), tun.backlog], [false, 1, true]);
      assertEquals([tun.read(pool, slots.subarray(1), 8), tun.backlog], [3, true]);
      assertEquals([tun.read(pool, slots, 8), tun.backlog], [0, true]);
      for (const slot of slots.subarray(0, 4)) pool.release(slot);
      assertEquals(readAll(tun, pool).map((packet) => packet.length), [
        ...new Array(5).fill(1028),
        528,
      ]);
      assertEquals([tun.backlog, pool.available], [false, 4]);
      socket.close();
      tun.close();
    }),
});

Deno.test({
  ...networkTest(
    "OffloadTun.read() gives the router solicitation that the kernel sends unasked, as it is",
  ),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), undefined);
      ip(`link set dev ${tun.name} up`);
      const pool = new PacketPool(8);
      const slots = new Int32Array(8);
      const end = performance.now() + 10_000;
      const lengths: number[] = [];
      while (!lengths.includes(48)) {
        assert(performance.now() < end, `only packets of ${lengths} bytes`);
        const count = tun.read(pool, slots, 8);
        for (const slot of slots.subarray(0, count)) {
          const packet = pool.packet(slot);
          assertEquals(packet[0]! >> 4, 6);
          if (packet[6] === ICMP6) lengths.push(packet.length);
          pool.release(slot);
        }
      }
      assertEquals([tun.malformedPackets, tun.oversizePackets], [0, 0]);
      tun.close();
    }),
});

/** A libc whose ioctl(2) with a number as argument is `refuse`d for some of them. */
function libcWithout(refuse: (value: bigint) => boolean): Libc {
  const libc = openLibc();
  const { ioctlValue } = libc.symbols;
  const symbols = {
    ...libc.symbols,
    ioctlValue: (fd: number, request: bigint, value: bigint): number =>
      refuse(value) ? -1 : ioctlValue(fd, request, value),
  };
  return { ...libc, symbols };
}

/** Five datagrams through `tun` as they leave this network, each with its claimed checksum. */
function sendSome(tun: DeviceTun): Packet[] {
  const pool = new PacketPool(64);
  const socket = InnerSocket.open("udp", 4);
  socket.connect(FAR[4], PORT);
  for (let i = 0; i < 5; i++) socket.send(payloadOf(500, i));
  socket.close();
  const slots = new Int32Array(64);
  const count = tun.read(pool, slots, 64);
  return [...slots.subarray(0, count)]
    .filter((slot) => pool.packet(slot)[0]! >> 4 === 4)
    .map((slot) =>
      pool.needsChecksum[slot] === 0
        ? packetFrom(pool.packet(slot))
        : packetFrom(pool.packet(slot), "pseudo")
    );
}

Deno.test({
  ...networkTest("openTun() asks for less where the kernel has less, and each degree works"),
  fn(): void {
    const degrees: readonly [(value: bigint) => boolean, string][] = [
      [() => false, "checksum, TSO, ECN, USO"],
      [(value) => (value & 0x60n) !== 0n, "checksum, TSO, ECN"],
      [(value) => (value & 0x68n) !== 0n, "checksum, TSO"],
      [(value) => value > 1n, "checksum"],
      [(value) => value > 0n, "none"],
    ];
    for (const [refuse, offload] of degrees) {
      inNewNetwork(() => {
        const tun = openTun(libcWithout(refuse), undefined);
        assert(tun instanceof OffloadTun);
        assertEquals(tun.offload, offload);
        ip(`address add 192.0.2.1/24 dev ${tun.name}`);
        ip(`link set dev ${tun.name} up`);
        assertEquals(
          sendSome(tun).map(({ payload }) => payload),
          Array.from({ length: 5 }, (_, i) => payloadOf(500, i)),
        );
        tun.close();
      });
    }
  },
});

Deno.test({
  ...networkTest("openTun() does without a header where the driver has none or refuses it"),
  fn(): void {
    const TUNGETFEATURES = 0x8004_54cfn;
    const IFF_VNET_HDR_HIGH = 0x40;
    const libc = openLibc();
    const { ioctl } = libc.symbols;
    type Memory = Uint8Array<ArrayBuffer>;
    const none = (fd: number, request: bigint, value: Memory): number => {
      const result = ioctl(fd, request, value);
      if (request === TUNGETFEATURES) value.fill(0);
      return result;
    };
    const refusing = (fd: number, request: bigint, value: Memory): number =>
      value.length === 40 && (value[17]! & IFF_VNET_HDR_HIGH) !== 0
        ? -1
        : ioctl(fd, request, value);
    for (const fake of [none, refusing]) {
      inNewNetwork(() => {
        const tun = openTun(
          { ...libc, symbols: { ...libc.symbols, ioctl: fake as typeof ioctl } },
          undefined,
        );
        assert(tun instanceof PlainTun);
        assertEquals([tun.offload, tun.backlog], ["none", false]);
        ip(`address add 192.0.2.1/24 dev ${tun.name}`);
        ip(`link set dev ${tun.name} up`);
        assertEquals(sendSome(tun).length, 5);
        tun.close();
      });
    }
  },
});

Deno.test({
  ...networkTest("openTun() takes over an interface of either kind and leaves it without offload"),
  fn: () =>
    inNewNetwork(() => {
      ip("tuntap add dev agg0 mode tun");
      ip("tuntap add dev agg1 mode tun vnet_hdr");
      for (const [i, name] of ["agg0", "agg1"].entries()) {
        ip(`address add 192.0.2.1/24 dev ${name}`);
        for (const kind of [...KINDS, ...KINDS]) {
          const tun = openTun(openLibc(), name, kind);
          ip(`link set dev ${name} up`);
          assertEquals(tun instanceof OffloadTun, kind === "offload");
          // With offload on, the kernel would not fill in the checksum for the plain one.
          assertEquals(sendSome(tun).length, 5, `${name} ${kind}`);
          tun.close();
          // If up when it gets its carrier back, it drops packets until a kernel worker handles it.
          ip(`link set dev ${name} down`);
        }
        ip(`link delete agg${i}`);
      }
    }),
});

Deno.test({
  ...networkTest(
    "DeviceTun.write() takes the longest packet that a peer can send, and refuses what is hopeless",
  ),
  fn: () =>
    inNewNetwork(() => {
      for (const kind of KINDS) {
        const tun = openEnd(kind, 1);
        const pool = new PacketPool(4);
        const longest = packetOf({ protocol: UDP, payload: payloadOf(1984 - 28) });
        const slots = Int32Array.of(
          put(pool, bytesOf(longest)),
          put(pool, bytesOf(longest, "zero"), true),
          put(pool, Uint8Array.of(0x45, 0, 0, 4), true),
        );
        assertEquals(tun.write(pool, slots, 3), 2);
        assertEquals(tun.refusedPackets, 1);
        tun.close();
      }
    }),
});
