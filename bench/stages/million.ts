/**
 * A million packets through both ends of the core: what they cost, and what they
 * leave for the garbage collector.
 *
 * @module
 */

import type { AeadProvider } from "../../src/crypto/aead.ts";
import { median } from "../median.ts";
import { allocationSites, type Site } from "./allocation_sites.ts";
import { JoinedPair, PACKETS_PER_STEP } from "./joined_pair.ts";
import { HEAP_LOOK_BYTES, heapBytes } from "./stage.ts";

const PACKETS = 1_000_000;
const WARM_UP_STEPS = 2000;
const SITE_STEPS = 4000;
const SITE_BYTES = 160;
/** Steps between two looks at the heap. */
const CHUNK_STEPS = 4;

/** The result. */
export interface Million {
  readonly packets: number;
  readonly nsPerPacket: number;
  /** Allocated on the JavaScript heap, by the median chunk. */
  readonly bytesPerPacket: number;
  /** How often the heap was smaller than one chunk earlier. */
  readonly collections: number;
  /** What is still there after a full collection; undefined without `--expose-gc`. */
  readonly retainedBytes: number | undefined;
}

/** V8 provides it with `--expose-gc`. */
const collect = (globalThis as { gc?: () => void }).gc;

/** Pushes them through a pair with `links` links. */
export function runMillion(aead: AeadProvider, links: number, sizeBytes: number): Million {
  const pair = warmPair(aead, links, sizeBytes);
  const chunks = Math.ceil(PACKETS / (CHUNK_STEPS * PACKETS_PER_STEP));
  const growths: number[] = [];
  collect?.();
  const heapBefore = heapBytes();
  const before = pair.delivered;
  let heap = heapBefore;
  let spentMs = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = performance.now();
    for (let i = 0; i < CHUNK_STEPS; i++) pair.step();
    spentMs += performance.now() - start;
    const after = heapBytes();
    growths.push(after - heap - HEAP_LOOK_BYTES);
    heap = after;
  }
  const packets = pair.delivered - before;
  collect?.();
  const retainedBytes = collect === undefined ? undefined : heapBytes() - heapBefore;
  return {
    packets,
    nsPerPacket: spentMs * 1e6 / packets,
    collections: growths.filter((growth) => growth < 0).length,
    bytesPerPacket: Math.max(0, median(growths)) / (CHUNK_STEPS * PACKETS_PER_STEP),
    retainedBytes,
  };
}

/** Who allocated how many bytes per packet, the most first. */
export async function sitesPerPacket(aead: AeadProvider, links: number): Promise<Site[]> {
  const pair = warmPair(aead, links, SITE_BYTES);
  const before = pair.delivered;
  const sites = await allocationSites(() => {
    for (let i = 0; i < SITE_STEPS; i++) pair.step();
  });
  const packets = pair.delivered - before;
  return sites.map(({ name, bytes }) => ({ name, bytes: bytes / packets }));
}

/** A pair that the compiler is done with. */
function warmPair(aead: AeadProvider, links: number, sizeBytes: number): JoinedPair {
  const pair = new JoinedPair(aead, links, sizeBytes);
  for (let i = 0; i < WARM_UP_STEPS; i++) pair.step();
  return pair;
}
