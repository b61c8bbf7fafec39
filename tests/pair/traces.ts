/**
 * A mobile line as Mahimahi records them (mm-link(1)): the milliseconds at which a packet of
 * 1500 bytes could be sent. This one is synthetic, so that no recording has to be shipped: a
 * rate that wanders between 4 and 36 Mbit/s from one 100 ms to the next, an outage of
 * 300 ms in the tenth second, and opportunities that come in clumps of 5 ms, as a base station
 * grants them. It lasts ten seconds and repeats.
 *
 * @module
 */

import { OPPORTUNITY_BYTES } from "../../lab/emulator/opportunities.ts";
import { Rng } from "./rng.ts";

const LENGTH_MS = 10_000;
const STEP_MS = 100;
const CLUMP_MS = 5;
const LEAST_MBPS = 4;
const MOST_MBPS = 36;
/** The rate moves by a factor of up to this, up or down, per step. */
const WANDER = 1.35;
const SHADOW = { fromMs: 9_200, toMs: 9_500 } as const;

/** Returns the text of the trace. */
export function mobileTrace(): string {
  const rng = new Rng(2026);
  const lines: number[] = [];
  let mbps = 20;
  let owedBytes = 0;
  for (let ms = CLUMP_MS; ms <= LENGTH_MS; ms += CLUMP_MS) {
    if (ms % STEP_MS === 0) {
      const moved = mbps * WANDER ** (2 * rng.next() - 1);
      mbps = Math.min(MOST_MBPS, Math.max(LEAST_MBPS, moved));
    }
    if (ms > SHADOW.fromMs && ms < SHADOW.toMs) continue;
    owedBytes += mbps * 1e3 * CLUMP_MS / 8;
    for (; owedBytes >= OPPORTUNITY_BYTES; owedBytes -= OPPORTUNITY_BYTES) lines.push(ms);
  }
  if (lines.at(-1) !== LENGTH_MS) lines.push(LENGTH_MS);
  return lines.join("\n") + "\n";
}
