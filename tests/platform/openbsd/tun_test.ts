import { assertEquals, assertIsError, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { type OpenbsdTun, openTun } from "../../../src/platform/openbsd/tun.ts";
import { MAX_PACKET_BYTES, MOST_PACKET_BYTES, PacketPool } from "../../../src/slab.ts";
import { bytesOf, packetOf, payloadOf, UDP } from "../../offload/reference.ts";
import { put as putMarked } from "../../offload/staging.ts";
import { IPV4_PACKET, IPV6_PACKET, put } from "./batches.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { goldenTest } from "./golden.ts";

function makeLibc(options: FakeOptions = {}): { host: FakeHost; libc: FakeLibc } {
  const host = new FakeWorld().host();
  return { host, libc: new FakeLibc(host, options) };
}

/** Reads what waits, as bytes. */
function readAll(tun: OpenbsdTun, pool: PacketPool, limit = 8): Uint8Array[] {
  const slots = new Int32Array(limit);
  const count = tun.read(pool, slots, limit);
  const packets = Array.from(slots.subarray(0, count), (slot) => pool.packet(slot).slice());
  for (const slot of slots.subarray(0, count)) pool.release(slot);
  return packets;
}

goldenTest("tun", "OpenbsdTun frames packets by address family, both ways", (record, make) => {
  const host = new FakeWorld().host();
  const libc = make(host);
  const tun = openTun(libc, "tun0");
  record.step("open", libc);
  const device = host.tuns.get("tun0")!;
  device.inject(IPV4_PACKET);
  device.inject(IPV6_PACKET);
  const pool = new PacketPool(4);
  assertEquals(readAll(tun, pool), [IPV4_PACKET, IPV6_PACKET]);
  record.step("read until nothing waits", libc);
  const slots = Int32Array.of(put(pool, IPV6_PACKET), put(pool, IPV4_PACKET));
  assertEquals(tun.write(pool, slots, 2), 2);
  assertEquals(device.incoming, [IPV6_PACKET, IPV4_PACKET]);
  record.step("write", libc);
  tun.setMtu(1400);
  assertEquals(device.mtu, 1400);
  record.step("change the MTU", libc);
  tun.close();
  tun.close();
  assertEquals(host.tuns.size, 0, "it was made by opening the device");
  record.step("close", libc);
});

Deno.test("OpenbsdTun.write() takes the longest packet that a peer can send", () => {
  const { host, libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  const pool = new PacketPool(4);
  const longest = bytesOf(packetOf({ protocol: UDP, payload: payloadOf(MOST_PACKET_BYTES - 28) }));
  assertEquals(tun.write(pool, Int32Array.of(put(pool, longest)), 1), 1);
  assertEquals(host.tuns.get("tun0")!.incoming, [longest]);
  tun.close();
});

Deno.test("OpenbsdTun.write() fills in a checksum that the other end's kernel has left out", () => {
  const { host, libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  const pool = new PacketPool(4);
  const datagram = packetOf({ protocol: UDP, payload: payloadOf(33) });
  const fragment = IPV4_PACKET; // no TCP, no UDP: there is no place for a sum
  const slots = Int32Array.of(
    putMarked(pool, bytesOf(datagram, "zero"), true),
    putMarked(pool, fragment, true),
  );
  assertEquals(tun.write(pool, slots, 2), 1);
  assertEquals(host.tuns.get("tun0")!.incoming, [bytesOf(datagram, "right")]);
});

Deno.test("openTun() takes the first free interface when none is named", () => {
  const { host, libc } = makeLibc();
  const names = [0, 1].map(() => openTun(libc, undefined).name);
  assertEquals(names, ["tun0", "tun1"]);
  host.tuns.get("tun0")!.isOpen = false;
  assertEquals(openTun(libc, undefined).name, "tun0");
});

Deno.test("openTun() reuses an interface that stays, and lowers an MTU beyond a slot", () => {
  const { host, libc } = makeLibc();
  const device = host.createTun("tun1");
  device.mtu = 9000;
  const tun = openTun(libc, "tun1");
  assertEquals(device.mtu, MAX_PACKET_BYTES);
  tun.close();
  assertEquals([...host.tuns.keys()], ["tun1"]);
});

Deno.test("openTun() throws errors that say what to do", () => {
  const { host, libc } = makeLibc();
  openTun(libc, "tun1");
  const cases: readonly [FakeLibc, string, string, RegExp][] = [
    [libc, "tun1", "EBUSY", /another tunnel.interface/],
    [libc, "tun4", "ENOENT", /cd \/dev && sh MAKEDEV tun4/],
    [new FakeLibc(host, { uid: 1000 }), "tun0", "EACCES", /root/],
  ];
  for (const [from, name, cause, hint] of cases) {
    const error = assertThrows(() => openTun(from, name), AggvpnError, `"/dev/${name}"`);
    assertIsError(error.cause, Error, cause);
    assertEquals(hint.test(error.hint!), true, error.hint);
  }
  for (const name of ["agg0", "tun", "tun01", "tun0/..", "tap0", ""]) {
    const error = assertThrows(() => openTun(libc, name), AggvpnError, "Invalid interface name");
    assertStringIncludes(error.hint!, "tun0");
  }
});

Deno.test("openTun() tells which node is missing when all are in use", () => {
  const { libc } = makeLibc();
  for (let unit = 0; unit < 4; unit++) openTun(libc, undefined);
  const error = assertThrows(() => openTun(libc, undefined), AggvpnError, `"/dev/tun4"`);
  assertIsError(error.cause, Error, "ENOENT");
});

Deno.test("openTun() refuses an interface that carries Ethernet frames, and closes it", () => {
  const { host, libc } = makeLibc();
  host.createTun("tun2").flags = 0x8843;
  assertThrows(() => openTun(libc, "tun2"), AggvpnError, "carries no IP packets");
  assertEquals(libc.files.open, []);
});

Deno.test("OpenbsdTun.setMtu() reports what the kernel refuses", () => {
  const { libc } = makeLibc();
  const error = assertThrows(() => openTun(libc, "tun0").setMtu(20), AggvpnError);
  assertEquals(error.message, `Cannot set the MTU of interface "tun0": Invalid argument`);
});

Deno.test("OpenbsdTun.read() drops what is too long and what is no IP, and keeps the rest", () => {
  const { host, libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  const device = host.tuns.get("tun0")!;
  const long = new Uint8Array(MAX_PACKET_BYTES + 1).fill(0x45);
  const longest = long.slice(1);
  for (const packet of [long, new Uint8Array(0), longest, IPV6_PACKET]) device.inject(packet);
  const pool = new PacketPool(3);
  assertEquals(readAll(tun, pool), [longest, IPV6_PACKET]);
  assertEquals([tun.oversizePackets, tun.foreignPackets, pool.available], [1, 1, 3]);
});

Deno.test("OpenbsdTun.read() stops at its limit and when the pool is empty", () => {
  const { host, libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  for (let i = 0; i < 4; i++) host.tuns.get("tun0")!.inject(IPV4_PACKET);
  const pool = new PacketPool(2);
  assertEquals(readAll(tun, pool, 1).length, 1);
  assertEquals(readAll(tun, pool, 8).length, 2);
  assertEquals(pool.available, 2);
});

Deno.test("OpenbsdTun.read() throws when the interface is destroyed, and loses no slot", () => {
  const { host, libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  host.tuns.get("tun0")!.isDestroyed = true;
  const pool = new PacketPool(2);
  const error = assertThrows(() => readAll(tun, pool), AggvpnError, "Device not configured");
  assertIsError(error.cause, Error, "ENXIO");
  assertEquals(pool.available, 2);
  assertEquals(tun.write(pool, Int32Array.of(put(pool, IPV4_PACKET)), 1), 0);
  assertEquals(tun.refusedPackets, 1);
});
