import { assertEquals } from "@std/assert";
import { PACKET_OFFSET, PacketPool, SLOT_BYTES, STAGING_BYTES } from "../src/slab.ts";

Deno.test("PacketPool.alloc() assumes that the packet for a used slot has its checksum", () => {
  const pool = new PacketPool(2);
  const slot = pool.alloc();
  pool.needsChecksum[slot] = 1;
  pool.release(slot);
  assertEquals([pool.alloc(), pool.needsChecksum[slot]], [slot, 0]);
});

Deno.test("PacketPool keeps its staging memory behind the slots, aligned as they are", () => {
  const pool = new PacketPool(3);
  assertEquals(pool.stagingAt, 3 * SLOT_BYTES);
  assertEquals(pool.bytes.length, pool.stagingAt + STAGING_BYTES);
  pool.bytes.set([1, 0, 0, 0], pool.stagingAt + PACKET_OFFSET);
  assertEquals(pool.words[(pool.stagingAt + PACKET_OFFSET) / 4], 1);
});
