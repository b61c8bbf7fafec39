import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fillChecksum, sumOf } from "../../src/offload/checksum.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { anyPacket } from "./arbitrary.ts";
import { bytesOf, packetOf, slowSum, UDP } from "./reference.ts";
import { put } from "./staging.ts";

Deno.test("sumOf() is the sum of RFC 1071 section 3, whatever lies around", () => {
  const pool = new PacketPool(1);
  pool.bytes.fill(0xa5);
  pool.bytes.set([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], PACKET_OFFSET);
  assertEquals(sumOf(pool, PACKET_OFFSET, 8), 0xddf2);
});

Deno.test("sumOf() equals the slow sum at every place and length", () => {
  const pool = new PacketPool(1);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500 }), fc.nat(7), (bytes, shift) => {
      pool.bytes.fill(0xa5);
      pool.bytes.set(bytes, PACKET_OFFSET + shift);
      assertEquals(sumOf(pool, PACKET_OFFSET + shift, bytes.length), slowSum(bytes));
    }),
  );
});

Deno.test("fillChecksum() makes a packet as if the checksum had never been missing", () => {
  const pool = new PacketPool(1);
  fc.assert(
    fc.property(anyPacket(fc.nat(1200), false), fc.nat(0xffff), (packet, garbage) => {
      const right = bytesOf(packet);
      const slot = put(pool, bytesOf(packet, garbage > 0x7fff ? "wrong" : "pseudo"), true);
      assertEquals(fillChecksum(pool, slot), true);
      assertEquals(pool.needsChecksum[slot], 0);
      assertEquals(pool.packet(slot), right);
      pool.release(slot);
    }),
  );
});

Deno.test("fillChecksum() writes a UDP checksum of zero as 0xffff", () => {
  const pool = new PacketPool(1);
  const empty = packetOf({ protocol: UDP, payload: new Uint8Array(2) });
  const sum = bytesOf(empty).subarray(26, 28);
  // A payload of what is missing to a sum of 0xffff, whose complement is 0.
  const packet = { ...empty, payload: sum.slice() };
  const slot = put(pool, bytesOf(packet, "zero"), true);
  fillChecksum(pool, slot);
  assertEquals([...pool.packet(slot).subarray(26, 28)], [0xff, 0xff]);
});

Deno.test("fillChecksum() leaves alone what has no place for a checksum", () => {
  const pool = new PacketPool(1);
  const good = bytesOf(packetOf({ payload: new Uint8Array(20) }));
  const change = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  const cases: readonly Uint8Array[] = [
    new Uint8Array(0),
    good.subarray(0, 39),
    good.subarray(0, good.length - 1),
    Uint8Array.from([...good, 0]),
    change(0, 0x46),
    change(0, 0x55),
    change(6, 0x20),
    change(7, 1),
    change(9, 1),
    change(32, 0x40),
    change(32, 0xb0),
    bytesOf(packetOf({ ipOptions: [1, 1, 1, 0] })),
    bytesOf(packetOf({ version: 6, extension: [6, 0, 1, 4, 0, 0, 0, 0] })),
    bytesOf(packetOf({ version: 6 })).subarray(0, 59),
  ];
  for (const bytes of cases) {
    const slot = put(pool, bytes, true);
    assertEquals(fillChecksum(pool, slot), false);
    assertEquals(pool.packet(slot), bytes);
    assertEquals(pool.needsChecksum[slot], 1);
    pool.release(slot);
  }
});

Deno.test("fillChecksum() of any bytes never throws and changes two of them at most", () => {
  const pool = new PacketPool(1);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(anyPacket(fc.nat(60), true), fc.nat(), fc.nat(255), fc.nat(40)).map(
      ([packet, at, value, cut]) => {
        const bytes = bytesOf(packet, "wrong");
        bytes[at % bytes.length] = value;
        return bytes.slice(0, bytes.length - (cut > 20 ? 0 : cut));
      },
    ),
  );
  fc.assert(
    fc.property(bytes, (packet) => {
      pool.bytes.fill(0xa5);
      const slot = put(pool, packet, true);
      const before = pool.bytes.slice();
      fillChecksum(pool, slot);
      const changed = before.reduce((sum, byte, i) => sum + (byte === pool.bytes[i] ? 0 : 1), 0);
      assertEquals(changed <= 2, true);
      pool.release(slot);
    }),
    { numRuns: 200 },
  );
});

Deno.test("fillChecksum() takes the longest packet", () => {
  const pool = new PacketPool(1);
  const packet = packetOf({ version: 6, payload: new Uint8Array(MAX_PACKET_BYTES - 60).fill(255) });
  const slot = put(pool, bytesOf(packet, "zero"), true);
  assertEquals(fillChecksum(pool, slot), true);
  assertEquals(pool.packet(slot), bytesOf(packet));
});
