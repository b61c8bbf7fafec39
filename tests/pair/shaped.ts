/**
 * A line as the emulator of `lab/` has it, in virtual time.
 *
 * @module
 */

import type { Shape } from "../../lab/emulator/shape.ts";
import type { LineSpec } from "../../lab/topology.ts";
import { constantRate, traceOf } from "./elements/rate_schedule.ts";
import type { DirectionSpec, LinkSpec } from "./link.ts";

/** Describes one direction; its recordings begin at `beginUs`. Its rate is not that of a wire. */
export function directionOf(shape: Partial<Shape>, beginUs: number): DirectionSpec {
  const { queueUs = 0, queueBytes = 0, rateBps = 0, burst, trace, delayTrace, mtu } = shape;
  return {
    rate: trace ? traceOf(trace, beginUs) : constantRate(rateBps),
    delayUs: shape.delayUs ?? 0,
    ...delayTrace && { recordedDelay: { ms: delayTrace, beginUs } },
    queue: { ...queueUs > 0 && { us: queueUs }, ...queueBytes > 0 && { bytes: queueBytes } },
    loss: shape.loss ?? 0,
    ...burst && {
      burstLoss: {
        toBad: burst.enter,
        toGood: burst.leave,
        lossGood: burst.good,
        lossBad: burst.bad,
      },
    },
    jitterUs: shape.jitterUs ?? 0,
    jitterIsNormal: shape.jitterIsNormal ?? false,
    reorders: shape.reorder ?? false,
    ...mtu && { mtuBytes: mtu },
  };
}

/** Describes lines; their recordings begin at `beginUs`. */
export function linksOf(lines: readonly LineSpec[], beginUs: number): LinkSpec[] {
  return lines.map(({ up, down }, i) => ({
    name: `line${i + 1}`,
    up: directionOf(up, beginUs),
    down: directionOf(down, beginUs),
  }));
}
