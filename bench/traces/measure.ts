/**
 * Plays one set of lines in the emulator and sends one transfer through the tunnel, or one over
 * each line without it, with a ping and a call beside it.
 *
 * @module
 */

import { carriedBps } from "../../lab/emulator/opportunities.ts";
import { type Lab, withLab } from "../../lab/namespaces.ts";
import { INNER, Program } from "../../lab/program.ts";
import { delay } from "../../lab/require.ts";
import type { EchoReport, StreamReport } from "../../lab/tools/udp.ts";
import { buildEmulated, type LineSpec, type Topology } from "../../lab/topology.ts";
import {
  bulkTransfer,
  type Carrier,
  type Flow,
  freshPort,
  ping,
  udpStream,
} from "../../lab/traffic.ts";
import type { LineSet } from "../../lab/varying_lines.ts";
import { Recorder } from "../links/recorder.ts";
import { STEP_SECONDS } from "../links/series.ts";
import type { Course } from "./picture.ts";

/** Left out of the averages. */
export const WARM_UP_SECONDS = 2;
const PING_INTERVAL_MS = 25;
/** A packet of 160 bytes each 10 ms. */
const CALL = { packetsPerSecond: 100, sizeBytes: 160 } as const;

/** Which way the transfer goes: `down` to the client. */
export type Way = "up" | "down";

/** What is measured over one way. */
export interface Figures {
  readonly bps: number;
  /** Of the capacity of the lines that were used, in percent. */
  readonly percent: number;
  readonly ping: EchoReport;
  readonly call: StreamReport;
  /** When the recordings began to play, by the host's clock. */
  readonly beganUs: number;
}

/** Mean of what a line can carry while it is measured, in bit/s. */
export function capacityBps(line: LineSpec, way: Way, seconds: number): number {
  return carriedIn(line[way], WARM_UP_SECONDS * 1e6, seconds * 1e6);
}

/** The same between two instants in microseconds. */
function carriedIn({ trace, rateBps = 0 }: LineSpec[Way], fromUs: number, toUs: number): number {
  return trace ? carriedBps(trace, fromUs, toUs) : rateBps;
}

/** One transfer through the tunnel over all lines of `set`, and its course. */
export async function measureTunnel(
  set: LineSet,
  way: Way,
  carrier: Carrier,
  seed: number,
): Promise<{ figures: Figures; course: Course }> {
  return await withLab(async (lab) => {
    const net = await buildEmulated(lab, set.lines, { seed });
    await Program.start(lab, net, {});
    const sum = set.lines.reduce((bps, line) => bps + capacityBps(line, way, set.seconds), 0);
    const play = player(net, set.lines);
    const recorder = new Recorder(net, way);
    const figures = await load(lab, net, way, INNER, carrier, set.seconds, sum, play);
    await recorder.stop();
    const used = recorder.lines(figures.beganUs, set.seconds);
    return { figures, course: courseOf(set, way, carrier, figures, used) };
  });
}

function courseOf(
  { title, lines, seconds }: LineSet,
  way: Way,
  carrier: Carrier,
  { bps, percent, ping, beganUs }: Figures,
  used: readonly (readonly number[])[],
): Course {
  const stepUs = STEP_SECONDS * 1e6;
  const steps = Math.round(seconds / STEP_SECONDS);
  const { beginUs = NaN, rttUs = [] } = ping.trips ?? {};
  const [p50, p99] = [ping.rttUs.p50, ping.rttUs.p99].map((us) => Math.round(us / 1000));
  return {
    title,
    detail:
      `${carrier} ${way}: ${(bps / 1e6).toFixed(1)} Mbit/s, ${percent.toFixed(0)} % of what ` +
      `the lines can carry; ping ${p50} ms (median), ${p99} ms (99 %)`,
    seconds,
    capacity: lines.map((line) =>
      Array.from({ length: steps }, (_, i) => carriedIn(line[way], i * stepUs, (i + 1) * stepUs))
    ),
    used,
    pings: rttUs.map((us, i) => ({
      at: (beginUs - beganUs) / 1e6 + i * PING_INTERVAL_MS / 1000,
      tripS: us < 0 ? NaN : us / 1e6,
    })),
  };
}

/** A transfer over each line of `set` without a tunnel, at the same time. */
export async function measureLines(
  set: LineSet,
  way: Way,
  carrier: Carrier,
  seed: number,
): Promise<Figures[]> {
  return await withLab(async (lab) => {
    const net = await buildEmulated(lab, set.lines, { seed });
    const play = player(net, set.lines);
    return await Promise.all(set.lines.map((line, i) => {
      const bps = capacityBps(line, way, set.seconds);
      return load(lab, net, way, net.lines[i]!, carrier, set.seconds, bps, play);
    }));
  });
}

async function load(
  lab: Lab,
  net: Topology,
  way: Way,
  ends: { readonly client: string; readonly server: string },
  carrier: Carrier,
  seconds: number,
  capacity: number,
  play: () => void,
): Promise<Figures> {
  const [from, to] = way === "down" ? ["server", "client"] as const : ["client", "server"] as const;
  const flow = (): Flow => ({ from: net[from], to: net[to], address: ends[to], port: freshPort() });
  const measuredSeconds = seconds - WARM_UP_SECONDS - 1;
  const [transfer, echo, call] = await Promise.all([
    bulkTransfer(lab, flow(), seconds, carrier, {
      warmupSeconds: WARM_UP_SECONDS,
      onSample: play,
    }),
    delay(WARM_UP_SECONDS * 1000).then(() =>
      ping(lab, flow(), {
        count: Math.floor(measuredSeconds * 1000 / PING_INTERVAL_MS),
        intervalMs: PING_INTERVAL_MS,
        trips: true,
      })
    ),
    delay(WARM_UP_SECONDS * 1000).then(() =>
      udpStream(lab, flow(), { ...CALL, seconds: measuredSeconds })
    ),
  ]);
  return {
    bps: transfer.bps,
    percent: 100 * transfer.bps / capacity,
    ping: echo,
    call,
    beganUs: transfer.samples[0]?.at ?? NaN,
  };
}

/** Plays all recordings from their beginning when it is called first; then does nothing. */
function player(net: Topology, lines: readonly LineSpec[]): () => void {
  let begun = false;
  return () => {
    if (begun) return;
    begun = true;
    lines.forEach(({ up, down }, i) => {
      const change = { up: played(up), down: played(down) };
      if (change.up || change.down) {
        void net.emulator?.set(i, {
          ...change.up && { up: change.up },
          ...change.down && { down: change.down },
        });
      }
    });
  };
}

function played({ trace, delayTrace }: LineSpec[Way]): Partial<LineSpec[Way]> | undefined {
  if (!trace && !delayTrace) return undefined;
  return { ...trace && { trace }, ...delayTrace && { delayTrace } };
}
