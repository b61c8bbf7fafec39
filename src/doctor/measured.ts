/**
 * From what tests found to facts of a link.
 *
 * @module
 */

import type { LineTestResult } from "../tunnel/line_tests.ts";
import { type LinkStatus, MTU_SOUGHT } from "../tunnel/options.ts";
import type { IdleFacts, LoadFacts, MappingFacts } from "./facts.ts";
import { isLossy, jitter, percentile } from "./grade.ts";

/** A probe with its answer and its report, in bytes, both ways: what a test of an idle link sends. */
const PROBE_BYTES = 300;
/** So much more in a second is somebody else's. */
const BUSY_BYTES = 50_000;

/**
 * Counters tell the directions apart, but count what is lost on purpose, to find out sizes; answers
 * do not, but several probes that come at once may have one. The smaller of both is believed.
 * `carriedBytes`: what the link has carried.
 */
export function idleFacts(
  { roundTripsUs, probes, unanswered, there, here }: LineTestResult,
  carriedBytes: number,
  durationMs: number,
): IdleFacts {
  const [lossUp, lossDown] = [there, here].map(({ loss }) => rounded(Math.min(loss, unanswered)));
  return {
    rttUs: Math.round(percentile(roundTripsUs, 0.5)),
    jitterUs: Math.round(jitter(roundTripsUs)),
    probes,
    lossUp: lossUp!,
    lossDown: lossDown!,
    isLossy: isLossy(Math.max(lossUp!, lossDown!), probes),
    isBusy: carriedBytes - probes * PROBE_BYTES > BUSY_BYTES * durationMs / 1000,
  };
}

/** What a load came to; `idleUs`: the round trip without it. */
export function loadFacts(
  { way, isUnderstood, isServed, roundTripsUs, there, here }: LineTestResult,
  idleUs: number,
): LoadFacts {
  const { bps, loss, datagrams } = way === "up" ? there : here;
  const nothing = { bps: 0, rttUs: idleUs, loss: 0 };
  if (way === "down" && !isUnderstood) {
    return { ...nothing, problem: "the server runs an older version, which cannot do its part" };
  }
  if (way === "down" && !isServed) {
    return { ...nothing, problem: "the server does not send: it may be busy with another client" };
  }
  if (datagrams === 0) return { ...nothing, problem: "nothing arrived" };
  const whenFull = roundTripsUs.slice(roundTripsUs.length >> 1);
  return {
    bps: Math.round(bps),
    rttUs: Math.round(percentile(whenFull, 0.5)),
    loss: rounded(loss),
  };
}

/** What a silence of `seconds` shows, after one of `livesS`. */
export function mappingOf(
  result: LineTestResult | undefined,
  livesS: number,
  seconds: number,
): MappingFacts {
  if (!result) return { livesS, problem: "the session ended meanwhile" };
  if (!result.isUnderstood) {
    return { livesS, problem: "the server runs an older version, which cannot do its part" };
  }
  return result.isServed ? { livesS: seconds } : { livesS, endsS: seconds };
}

/** Whether both directions of a link know what they carry. */
export function settledMtu({ mtuReason, remoteMtu }: LinkStatus): boolean {
  return mtuReason !== MTU_SOUGHT && remoteMtu > 0;
}

/** A fraction as programs and people want it: a hundredth of a percent is more than was measured. */
function rounded(fraction: number): number {
  return Math.round(fraction * 1e4) / 1e4;
}
