/**
 * A made-up recording of a mobile line, so that tests and benches need no file. The logarithm of
 * its rate wanders around its mean on two scales of time, tenths of a second and seconds (the sum of
 * two Gauss-Markov processes); in between there are short gaps and, seldom, outages; opportunities
 * come in clumps, as a base station grants them. The figures of each kind are fitted to recordings:
 * quantiles and correlation of the rate, number of gaps by length.
 *
 * @module
 */

import { OPPORTUNITY_BYTES } from "./emulator/opportunities.ts";
import { Random } from "./random.ts";

/** What a line is like. */
export interface MobileLine {
  readonly seed: number;
  readonly meanBps: number;
  /** Standard deviations of the rate's logarithm within a second, and over seconds. */
  readonly fastSpread: number;
  readonly slowSpread: number;
  /** Mean time between gaps, and mean length of a gap, in milliseconds. */
  readonly gapEveryMs: number;
  readonly gapMs: number;
  /** One gap in this many is an outage, of this mean length in milliseconds. */
  readonly gapsPerOutage: number;
  readonly outageMs: number;
  /** Time between two clumps, in milliseconds. */
  readonly clumpMs: number;
}

const STEP_MS = 100;
const LENGTH_MS = 60_000;
/** Correlation of a rate with that of one step ago. */
const FAST_MEMORY = 0.6;
const SLOW_MEMORY = 0.975;

/** LTE in a moving car: 14 Mbit/s on average, about a gap of 55 ms every second. */
export function lteInCar(seed: number, meanBps = 14e6): MobileLine {
  return {
    seed,
    meanBps,
    fastSpread: 0.45,
    slowSpread: 0.6,
    gapEveryMs: 800,
    gapMs: 55,
    gapsPerOutage: 40,
    outageMs: 800,
    clumpMs: 5,
  };
}

/** 5G in a moving car, with handovers between cells of very different rates. */
export function fiveGInCar(seed: number, meanBps = 50e6): MobileLine {
  return {
    seed,
    meanBps,
    fastSpread: 0.3,
    slowSpread: 1.2,
    gapEveryMs: 5000,
    gapMs: 100,
    gapsPerOutage: 3,
    outageMs: 1200,
    clumpMs: 2,
  };
}

/** A dish to low satellites: steadier, with short gaps. */
export function lowSatellite(seed: number, meanBps = 48e6): MobileLine {
  return {
    seed,
    meanBps,
    fastSpread: 0.25,
    slowSpread: 0.15,
    gapEveryMs: 15_000,
    gapMs: 90,
    gapsPerOutage: Infinity,
    outageMs: 0,
    clumpMs: 2,
  };
}

/** Wi-Fi with others in the room: a new rate every few tenths of a second. */
export function crowdedWifi(seed: number, meanBps = 11e6): MobileLine {
  return {
    seed,
    meanBps,
    fastSpread: 0.35,
    slowSpread: 0.5,
    gapEveryMs: 30_000,
    gapMs: 60,
    gapsPerOutage: Infinity,
    outageMs: 0,
    clumpMs: 1,
  };
}

/**
 * Returns the milliseconds at which 1500 bytes may leave, a minute of them, as recordings have
 * them. They carry `meanBps` on average.
 */
export function mobileTrace(line: MobileLine): number[] {
  const shares = sharesOf(line);
  const sum = shares.reduce((total, share) => total + share, 0);
  const bytes = line.meanBps * LENGTH_MS / 8000;
  const instants: number[] = [];
  let owedBytes = 0;
  shares.forEach((share, i) => {
    owedBytes += bytes * share / sum;
    for (; owedBytes >= OPPORTUNITY_BYTES; owedBytes -= OPPORTUNITY_BYTES) {
      instants.push((i + 1) * line.clumpMs);
    }
  });
  instants.push(LENGTH_MS);
  return instants;
}

/** What each clump carries, in no unit. */
function sharesOf(line: MobileLine): number[] {
  const random = new Random(line.seed);
  const fast = new Wandering(random, line.fastSpread, FAST_MEMORY);
  const slow = new Wandering(random, line.slowSpread, SLOW_MEMORY);
  const shares: number[] = [];
  let share = 1;
  let gapAtMs = random.exponential(line.gapEveryMs);
  let gapEndsAtMs = -1;
  for (let ms = line.clumpMs; ms <= LENGTH_MS; ms += line.clumpMs) {
    if (ms % STEP_MS < line.clumpMs) share = Math.exp(fast.next() + slow.next());
    if (ms >= gapAtMs) {
      const isOutage = random.next() * line.gapsPerOutage < 1;
      gapEndsAtMs = ms + random.exponential(isOutage ? line.outageMs : line.gapMs);
      gapAtMs = gapEndsAtMs + random.exponential(line.gapEveryMs);
    }
    shares.push(ms < gapEndsAtMs ? 0 : share);
  }
  return shares;
}

/** A number that wanders around 0: a Gauss-Markov process. */
class Wandering {
  #value = 0;

  constructor(readonly random: Random, readonly spread: number, readonly memory: number) {}

  next(): number {
    const step = Math.sqrt(1 - this.memory ** 2) * this.spread * this.random.normal();
    return this.#value = this.memory * this.#value + step;
  }
}
