import { assertEquals, assertIsError, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, PacketPool, SLOT_BYTES } from "../../../src/slab.ts";
import { inNewNetwork, ip, networkTest, NOT_LINUX } from "./requirements.ts";

const LOCAL = [192, 0, 2, 1];
const PEER = [192, 0, 2, 2];
const ICMP = 1;

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An ICMP echo request from PEER to LOCAL. */
function echoRequest(payloadBytes: number): Uint8Array {
  const packet = new Uint8Array(20 + 8 + payloadBytes);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, packet.length >> 8, packet.length & 0xff, 0, 0, 0, 0, 64, ICMP]);
  packet.set(PEER, 12);
  packet.set(LOCAL, 16);
  view.setUint16(10, checksum(packet.subarray(0, 20)));
  packet[20] = 8;
  view.setUint16(22, checksum(packet.subarray(20)));
  return packet;
}

function put(pool: PacketPool, packet: Uint8Array): number {
  const slot = pool.alloc();
  pool.bytes.set(packet, pool.at(slot) + PACKET_OFFSET);
  pool.lengths[slot] = packet.length;
  return slot;
}

/** Opens `agg0` with the address LOCAL/24, up, without IPv6. */
function openAddressed(mtu: number): DeviceTun {
  Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  const tun = openTun(openLibc(), undefined);
  ip(`address add 192.0.2.1/24 dev ${tun.name}`);
  ip(`link set dev ${tun.name} mtu ${mtu} up`);
  return tun;
}

function readAll(tun: DeviceTun, pool: PacketPool): Uint8Array[] {
  const slots = new Int32Array(64);
  const packets: Uint8Array[] = [];
  for (let count; (count = tun.read(pool, slots, 64)) > 0;) {
    for (const slot of slots.subarray(0, count)) {
      packets.push(pool.packet(slot).slice());
      pool.release(slot);
    }
  }
  return packets;
}

Deno.test({
  ...networkTest("openTun() lets the kernel number the interface when no name is given"),
  fn: () =>
    inNewNetwork(() => {
      const first = openTun(openLibc(), undefined);
      const second = openTun(openLibc(), undefined);
      assertEquals([first.name, second.name], ["agg0", "agg1"]);
      first.close();
      second.close();
      assertEquals(ip("-o link").includes("agg"), false);
    }),
});

Deno.test({
  ...networkTest("DeviceTun answers pings: what is written is received, what is sent is read"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openAddressed(1400);
      const pool = new PacketPool(256);
      const slots = Int32Array.from({ length: 100 }, (_, i) => put(pool, echoRequest(i * 13)));
      assertEquals(tun.write(pool, slots, 100), 100);
      for (const slot of slots) pool.release(slot);
      const replies = readAll(tun, pool);
      assertEquals(replies.map((reply) => reply.length), [...slots].map((_, i) => 28 + i * 13));
      assertEquals(replies.every((reply) => reply[9] === ICMP && reply[20] === 0), true);
      assertEquals(pool.available, 256);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("DeviceTun.read() stops at the limit and at the end of the pool"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openAddressed(1400);
      const pool = new PacketPool(5);
      const slots = Int32Array.from({ length: 5 }, () => put(pool, echoRequest(10)));
      tun.write(pool, slots, 5);
      for (const slot of slots) pool.release(slot);
      assertEquals(tun.read(pool, slots, 0), 0);
      assertEquals(tun.read(pool, slots, 2), 2);
      pool.alloc();
      assertEquals(tun.read(pool, slots, 5), 2);
      assertEquals([tun.read(pool, slots, 5), pool.available], [0, 0]);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("DeviceTun.read() drops a packet that is too long without touching the next slot"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openAddressed(4000);
      const pool = new PacketPool(2);
      const before = new Uint8Array(SLOT_BYTES).fill(0xa5);
      pool.bytes.set(before, SLOT_BYTES);
      // Slot 0 is the one that is read into.
      for (const bytes of [MAX_PACKET_BYTES + 1, 3000, MAX_PACKET_BYTES, 100]) sendUdp(bytes - 28);
      const slots = new Int32Array(8);
      assertEquals(tun.read(pool, slots, 1), 1);
      assertEquals([slots[0], pool.lengths[0]], [0, MAX_PACKET_BYTES]);
      assertEquals(tun.oversizePackets, 2);
      assertEquals(pool.bytes.subarray(SLOT_BYTES, 2 * SLOT_BYTES), before);
      assertEquals(readAll(tun, pool).map((packet) => packet.length), [100]);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("DeviceTun.write() counts what the kernel refuses and goes on"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openAddressed(1400);
      const pool = new PacketPool(8);
      const slots = Int32Array.from(
        [Uint8Array.of(0x95, 1, 2), new Uint8Array(0), echoRequest(8)].map((packet) =>
          put(pool, packet)
        ),
      );
      assertEquals(tun.write(pool, slots, 3), 1);
      assertEquals(readAll(tun, pool).length, 1);
      ip(`link set dev ${tun.name} down`);
      assertEquals(tun.write(pool, slots, 3), 0);
      assertEquals(tun.refusedPackets, 5);
      assertEquals(tun.read(pool, slots, 1), 0);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("DeviceTun.read() throws when the interface was removed"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg7");
      ip("link del agg7");
      const pool = new PacketPool(1);
      const error = assertThrows(() => tun.read(pool, new Int32Array(1), 1), AggvpnError);
      assertStringIncludes(error.message, `Cannot read from interface "agg7"`);
      assertEquals(pool.available, 1);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("openTun() says what is in the way of a name and takes over a waiting interface"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      const busy = assertThrows(() => openTun(openLibc(), "agg0"), AggvpnError);
      assertEquals(busy.message, `Cannot create TUN interface "agg0": Device or resource busy`);
      assertIsError(busy.cause, Error, "EBUSY");
      const other = assertThrows(() => openTun(openLibc(), "lo"), AggvpnError);
      assertStringIncludes(other.hint!, "another kind");
      tun.close();
      ip("tuntap add dev agg0 mode tun");
      openTun(openLibc(), "agg0").close();
    }),
});

Deno.test({
  name: "openTun() refuses names that the kernel would not have or would change",
  ignore: NOT_LINUX,
  fn(): void {
    for (const name of ["", "x".repeat(16), "a b", "a/b", "agg%d", ".", "a\0b", "é".repeat(8)]) {
      assertThrows(() => openTun(openLibc(), name), AggvpnError, "Invalid interface name");
    }
  },
});

/** Sends one UDP datagram from this thread's network into the tunnel. */
function sendUdp(payloadBytes: number): void {
  const libc = openLibc();
  const fd = libc.symbols.socket(2, 2, 0);
  const library = Deno.dlopen("libc.so.6", {
    // ssize_t sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t); sendto(2)
    sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  });
  const address = Uint8Array.of(2, 0, 0, 9, ...PEER, 0, 0, 0, 0, 0, 0, 0, 0);
  const payload = new Uint8Array(payloadBytes);
  const sent = library.symbols.sendto(fd, payload, BigInt(payloadBytes), 0, address, 16);
  libc.symbols.close(fd);
  library.close();
  assertEquals(sent, payloadBytes);
}
