/**
 * Minutes at full speed: does memory use stay constant?
 *
 * @module
 */

import { withLab } from "../../lab/namespaces.ts";
import { type Side, usage } from "../../lab/program.ts";
import { buildVeth } from "../../lab/topology.ts";
import { freshPort, tcpTransfer } from "../../lab/traffic.ts";
import { median } from "../median.ts";
import type { Subject } from "./subject.ts";

/** Samples of the TCP sink come every 100 ms; one in so many is looked at. */
const SAMPLES_PER_LOOK = 50;
/** Up to this ratio of the last fifth of the time to the second, memory counts as flat. */
const FLAT = 1.03;

/** Memory of one end over time, in bytes. */
export interface Memory {
  readonly least: number;
  readonly most: number;
  /** Medians of the second and the last fifth; the first is the warm-up. */
  readonly early: number;
  readonly late: number;
  readonly isFlat: boolean;
}

/** What {@linkcode soak} saw. */
export interface Soak {
  readonly tcpBps: number;
  readonly memory: Readonly<Record<Side, Memory>>;
}

/** Runs one TCP flow for `seconds`; calls `onLook` every five. */
export async function soak(
  subject: Subject,
  seconds: number,
  onLook: (atSeconds: number, rss: Readonly<Record<Side, number>>) => void,
): Promise<Soak> {
  return await withLab(async (lab) => {
    const net = await buildVeth(lab, subject.cables);
    const { ends, pids } = await subject.start(lab, net);
    if (!pids) throw new Error(`${subject.title} has no process`);
    const seen: Record<Side, number[]> = { client: [], server: [] };
    const flow = { from: net.server, to: net.client, address: ends.client, port: freshPort() };
    let samples = 0;
    const { bps } = await tcpTransfer(lab, flow, seconds, {
      onSample(): void {
        if (++samples % SAMPLES_PER_LOOK !== 0) return;
        const rss = { client: usage(pids.client).rssBytes, server: usage(pids.server).rssBytes };
        seen.client.push(rss.client);
        seen.server.push(rss.server);
        onLook(samples / 10, rss);
      },
    });
    return {
      tcpBps: bps,
      memory: { client: memoryOf(seen.client), server: memoryOf(seen.server) },
    };
  });
}

/** Sums up samples in order of time; needs at least ten. */
export function memoryOf(samples: readonly number[]): Memory {
  const fifth = Math.floor(samples.length / 5);
  const early = median(samples.slice(fifth, 2 * fifth));
  const late = median(samples.slice(-fifth));
  return {
    least: Math.min(...samples),
    most: Math.max(...samples),
    early,
    late,
    isFlat: late <= early * FLAT,
  };
}
