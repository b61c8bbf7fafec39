/**
 * Cutting and merging super-packets, and checksums: what offload costs besides system calls.
 *
 * @module
 */

import { fillChecksum } from "../../src/offload/checksum.ts";
import { VNET_FRAMING } from "../../src/offload/framing.ts";
import { Merger } from "../../src/offload/merger.ts";
import { Segmenter } from "../../src/offload/segmenter.ts";
import { PacketPool } from "../../src/slab.ts";
import { LINUX_RULES } from "../../tests/offload/merging.ts";
import {
  bytesOf,
  type Packet,
  packetOf,
  payloadOf,
  segmentsOf,
} from "../../tests/offload/reference.ts";
import { put, stageSuper } from "../../tests/offload/staging.ts";
import { BATCH, type Stage } from "./stage.ts";

/** TCP with time stamps: packets of 1428 bytes. */
const SEGMENT_BYTES = 1376;
/** Segments of one super-packet; two of them are a batch. */
const SEGMENTS = BATCH / 2;

function superPacket(segments: number): Packet {
  return packetOf({
    tcpOptions: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
    payload: payloadOf(segments * SEGMENT_BYTES),
  });
}

function cut(): Stage {
  const pool = new PacketPool(BATCH);
  const segmenter = new Segmenter(VNET_FRAMING);
  const slots = new Int32Array(BATCH);
  const length = stageSuper(pool, superPacket(SEGMENTS), SEGMENT_BYTES);
  let count = 0;
  return {
    name: `Segmenter, ${SEGMENTS} segments of 1428 B`,
    prepare(): void {
      while (count > 0) pool.release(slots[--count]!);
    },
    run(): void {
      // The same bytes can be loaded again: cutting changes nothing that matters.
      segmenter.load(pool, length);
      count = segmenter.cut(pool, slots, 0, BATCH);
      segmenter.load(pool, length);
      count = segmenter.cut(pool, slots, count, BATCH);
    },
  };
}

/** Packets of one flow, in slots; `prepare` restores them. */
function withPackets(
  packets: readonly Packet[],
  marked: boolean,
  name: string,
  run: (pool: PacketPool, slots: Int32Array) => void,
): Stage {
  const pool = new PacketPool(BATCH);
  const slots = Int32Array.from(packets, (packet) => put(pool, bytesOf(packet), marked));
  const [bytes, marks] = [pool.bytes.slice(), pool.needsChecksum.slice()];
  return {
    name,
    prepare(): void {
      pool.bytes.set(bytes);
      pool.needsChecksum.set(marks);
    },
    run: (): void => run(pool, slots),
  };
}

function merge(packets: readonly Packet[], marked: boolean, name: string): Stage {
  const merger = new Merger(VNET_FRAMING, LINUX_RULES);
  return withPackets(packets, marked, `Merger, ${name}`, (pool, slots) => {
    merger.plan(pool, slots, 0, BATCH);
    for (let run = 0; run < merger.count; run++) merger.finish(pool, run);
  });
}

function fill(packets: readonly Packet[]): Stage {
  return withPackets(packets, true, "fillChecksum, 1428 B", (pool, slots) => {
    for (const slot of slots) fillChecksum(pool, slot);
  });
}

/** What an interface with offload does, then what one without has to do. */
export function offloadingStages(): readonly Stage[] {
  const flow = segmentsOf(superPacket(BATCH), SEGMENT_BYTES);
  const acks = flow.map((packet) => ({ ...packet, payload: new Uint8Array(0) }));
  return [
    cut(),
    merge(flow, true, "a flow of 1428 B, checksums missing"),
    merge(flow, false, "a flow of 1428 B, checksums to verify"),
    merge(acks, false, "acknowledgements: nothing to merge"),
    fill(flow),
  ];
}
