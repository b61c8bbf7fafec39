import { assertEquals, assertIsError, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { openTun } from "../../../src/platform/openbsd/tun.ts";
import { setMtu } from "../../../src/platform/openbsd/tun_mtu.ts";
import { MAX_PACKET_BYTES, MOST_PACKET_BYTES, PacketPool } from "../../../src/slab.ts";
import { bytesOf, packetOf, payloadOf, UDP } from "../../offload/reference.ts";
import { put as putMarked } from "../../offload/staging.ts";
import { IPV4_PACKET, IPV6_PACKET, put, readPackets } from "./batches.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import { type Release, RELEASES } from "./fake_tun.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { goldenTest } from "./golden.ts";
import { SystemError } from "./system_error.ts";

function makeLibc(
  release: Release = "7.8",
  options: FakeOptions = {},
): { host: FakeHost; libc: FakeLibc } {
  const host = new FakeWorld().host();
  host.release = release;
  return { host, libc: new FakeLibc(host, options) };
}

goldenTest("tun", "openTun() frames packets by address family, both ways", (record, make) => {
  const host = new FakeWorld().host();
  host.release = "7.6";
  const libc = make(host);
  const tun = openTun(libc, "tun0");
  assertEquals([tun.offload, tun.backlog], ["none", false]);
  record.step("open", libc);
  const device = host.tuns.get("tun0")!;
  device.inject(IPV4_PACKET);
  device.inject(IPV6_PACKET);
  const pool = new PacketPool(4);
  assertEquals(readPackets(tun, pool), [IPV4_PACKET, IPV6_PACKET]);
  record.step("read until nothing waits", libc);
  const slots = Int32Array.of(put(pool, IPV6_PACKET), put(pool, IPV4_PACKET));
  assertEquals(tun.write(pool, slots, 2), 2);
  assertEquals(device.incoming, [IPV6_PACKET, IPV4_PACKET]);
  record.step("write", libc);
  setMtu(libc, tun, 1400);
  assertEquals(device.mtu, 1400);
  record.step("change the MTU", libc);
  tun.close();
  tun.close();
  assertEquals(host.tuns.size, 0, "it was made by opening the device");
  record.step("close", libc);
});

Deno.test("openTun() takes the first free interface when none is named", () => {
  const { libc } = makeLibc();
  const [first, second] = [0, 1].map(() => openTun(libc, undefined));
  assertEquals([first!.name, second!.name], ["tun0", "tun1"]);
  first!.close();
  assertEquals(openTun(libc, undefined).name, "tun0");
});

for (const release of RELEASES) {
  Deno.test(`openTun() reuses an interface that stays, and lowers an MTU beyond a slot, on ${release}`, () => {
    const { host, libc } = makeLibc(release);
    const device = host.createTun("tun1");
    device.mtu = 9000;
    for (let run = 0; run < 2; run++) {
      const tun = openTun(libc, "tun1");
      assertEquals([device.mtu, device.isUp], [MAX_PACKET_BYTES, true]);
      device.inject(IPV4_PACKET);
      tun.close();
      assertEquals([...host.tuns.keys()], ["tun1"]);
      // Nothing that was asked for outlives the program.
      assertEquals([device.isUp, device.capabilities, device.outgoing], [false, undefined, []]);
    }
  });
}

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

Deno.test("openTun() closes an interface whose MTU it cannot lower", () => {
  const { host, libc } = makeLibc();
  const device = host.createTun("tun0");
  device.mtu = 9000;
  device.setInfo = (): never => {
    throw new SystemError("EIO");
  };
  assertThrows(() => openTun(libc, "tun0"), AggvpnError, "Cannot set the MTU");
  assertEquals(libc.files.open, []);
});

Deno.test("setMtu() reports what the kernel refuses", () => {
  const { libc } = makeLibc();
  const tun = openTun(libc, "tun0");
  for (const mtu of [20, 16385]) {
    const error = assertThrows(() => setMtu(libc, tun, mtu), AggvpnError);
    assertEquals(error.message, `Cannot set the MTU of interface "tun0": Invalid argument`);
  }
});

for (const release of RELEASES) {
  Deno.test(`a tun of ${release} takes the longest packet that a peer can send`, () => {
    const { host, libc } = makeLibc(release);
    const tun = openTun(libc, "tun0");
    const pool = new PacketPool(4);
    const payload = payloadOf(MOST_PACKET_BYTES - 28);
    const longest = bytesOf(packetOf({ protocol: UDP, payload }));
    assertEquals(tun.write(pool, Int32Array.of(put(pool, longest)), 1), 1);
    assertEquals(host.tuns.get("tun0")!.incoming, [longest]);
    tun.close();
  });

  Deno.test(`a tun of ${release} has the checksum that the other end's kernel has left out`, () => {
    const { host, libc } = makeLibc(release);
    const tun = openTun(libc, "tun0");
    const pool = new PacketPool(8);
    const packets = ([4, 6] as const).flatMap((version) => [
      packetOf({ version, protocol: UDP, payload: payloadOf(33) }),
      packetOf({ version, payload: payloadOf(1000) }),
      packetOf({ version, flags: 2 }),
    ]);
    const fragment = IPV4_PACKET; // neither TCP nor UDP: there is no place for a checksum
    const slots = Int32Array.from([
      ...packets.map((packet) => putMarked(pool, bytesOf(packet, "zero"), true)),
      putMarked(pool, fragment, true),
    ]);
    assertEquals(tun.write(pool, slots, 7), 6);
    assertEquals(tun.refusedPackets, 1);
    const device = host.tuns.get("tun0")!;
    assertEquals(device.incoming, packets.map((packet) => bytesOf(packet)));
    // Who computed them: the kernel, or this program.
    assertEquals(device.written.every(({ flags }) => (flags !== 0) === (release === "7.8")), true);
  });

  Deno.test(`a tun of ${release} drops what is too long and what is no IP, and keeps the rest`, () => {
    const { host, libc } = makeLibc(release);
    const tun = openTun(libc, "tun0");
    const device = host.tuns.get("tun0")!;
    const long = new Uint8Array(MAX_PACKET_BYTES + 1).fill(0x45);
    const longest = long.slice(1);
    for (const packet of [long, new Uint8Array(0), longest, IPV6_PACKET]) device.inject(packet);
    const pool = new PacketPool(3);
    assertEquals(readPackets(tun, pool), [longest, IPV6_PACKET]);
    assertEquals([tun.oversizePackets, tun.malformedPackets, pool.available], [1, 1, 3]);
  });

  Deno.test(`a tun of ${release} stops at its limit and when the pool is empty`, () => {
    const { host, libc } = makeLibc(release);
    const tun = openTun(libc, "tun0");
    for (let i = 0; i < 4; i++) host.tuns.get("tun0")!.inject(IPV4_PACKET);
    const pool = new PacketPool(2);
    assertEquals(readPackets(tun, pool, 1).length, 1);
    assertEquals(readPackets(tun, pool, 8).length, 2);
    assertEquals(pool.available, 2);
  });

  Deno.test(`a tun of ${release} throws when it is destroyed, and loses no slot`, () => {
    const { host, libc } = makeLibc(release);
    const tun = openTun(libc, "tun0");
    host.tuns.get("tun0")!.isDestroyed = true;
    const pool = new PacketPool(2);
    const error = assertThrows(() => readPackets(tun, pool), AggvpnError, "Input/output error");
    assertIsError(error.cause, Error, "EIO");
    assertEquals(pool.available, 2);
    assertEquals(tun.write(pool, Int32Array.of(put(pool, IPV4_PACKET)), 1), 0);
    assertEquals(tun.refusedPackets, 1);
  });
}
