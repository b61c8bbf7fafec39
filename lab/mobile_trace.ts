/**
 * A made-up recording of a mobile line, so that tests and benches need no file: a rate whose
 * logarithm wanders and returns to its mean (a Gauss-Markov process), gaps in which nothing
 * leaves, and opportunities in clumps, as a base station grants them.
 *
 * @module
 */

import { OPPORTUNITY_BYTES } from "./emulator/opportunities.ts";
import { Random } from "./random.ts";

/** What a line is like. */
export interface MobileLine {
  readonly seed: number;
  readonly meanBps: number;
  /** Standard deviation of the rate's logarithm: 0.7 is a moving car, 0.15 a dish. */
  readonly spread: number;
  /** Correlation of the rate with that of 100 ms ago, 0 to 1. */
  readonly memory: number;
  /** Mean time between gaps, and mean length of a gap, in milliseconds. */
  readonly gapEveryMs: number;
  readonly gapMs: number;
  /** Time between two clumps, in milliseconds. */
  readonly clumpMs: number;
}

const STEP_MS = 100;
const LENGTH_MS = 60_000;

/** LTE in a moving car: 14 Mbit/s on average, a gap of about 90 ms every second. */
export function lteInCar(seed: number, meanBps = 14e6): MobileLine {
  return { seed, meanBps, spread: 0.7, memory: 0.9, gapEveryMs: 1000, gapMs: 90, clumpMs: 5 };
}

/** A dish to low satellites: steadier, with short gaps. */
export function lowSatellite(seed: number, meanBps = 48e6): MobileLine {
  return { seed, meanBps, spread: 0.18, memory: 0.8, gapEveryMs: 15_000, gapMs: 90, clumpMs: 2 };
}

/** Wi-Fi with others in the room: a new rate every few tenths of a second. */
export function crowdedWifi(seed: number, meanBps = 11e6): MobileLine {
  return { seed, meanBps, spread: 0.6, memory: 0.6, gapEveryMs: 30_000, gapMs: 60, clumpMs: 1 };
}

/** Returns the milliseconds at which 1500 bytes may leave, a minute of them, as recordings have them. */
export function mobileTrace(line: MobileLine): number[] {
  const random = new Random(line.seed);
  const instants: number[] = [];
  let logarithm = 0;
  let rateBps = line.meanBps;
  let owedBytes = 0;
  let gapAtMs = random.exponential(line.gapEveryMs);
  let gapEndsAtMs = -1;
  for (let ms = line.clumpMs; ms <= LENGTH_MS; ms += line.clumpMs) {
    if (ms % STEP_MS < line.clumpMs) {
      const step = Math.sqrt(1 - line.memory ** 2) * line.spread * random.normal();
      logarithm = line.memory * logarithm + step;
      rateBps = line.meanBps * Math.exp(logarithm - line.spread ** 2 / 2);
    }
    if (ms >= gapAtMs) {
      gapEndsAtMs = ms + random.exponential(line.gapMs);
      gapAtMs = gapEndsAtMs + random.exponential(line.gapEveryMs);
    }
    if (ms < gapEndsAtMs) continue;
    owedBytes += rateBps * line.clumpMs / 8000;
    for (; owedBytes >= OPPORTUNITY_BYTES; owedBytes -= OPPORTUNITY_BYTES) instants.push(ms);
  }
  instants.push(LENGTH_MS);
  return instants;
}
