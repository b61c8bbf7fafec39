/**
 * Measures one subject once: TCP, small datagrams, and the round trip of an idle tunnel.
 *
 * @module
 */

import { type Lab, withLab } from "../../lab/namespaces.ts";
import { type Side, usage } from "../../lab/program.ts";
import { delay } from "../../lab/require.ts";
import { buildVeth, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, ping, tcpTransfer, udpFlood } from "../../lab/traffic.ts";
import { type Machine, MachineMeter } from "../links/machine.ts";
import { rawEnds, type Running, type Subject } from "./subject.ts";

/** How long TCP runs before it is measured, and how long it is measured. */
export const WARM_UP_SECONDS = 3;
export const MEASURED_SECONDS = 10;
/** Samples of the TCP sink come every 100 ms. */
const SAMPLES_PER_SECOND = 10;

/** Payload of the small datagrams. */
export const SMALL_BYTES = 160;
/** Rates of datagrams to try, in turn, until some are lost; a source sends a little less. */
const SMALL_RATES = [20, 25, 30, 40, 50, 60, 80, 100, 125, 152, 200, 250, 300, 400, 500, 600]
  .map((thousands) => thousands * 1000);
const SMALL_SECONDS = 2;
/** A rate is too high when datagrams are lost in every try. */
const SMALL_TRIES = 2;
/** A source that falls behind by more is at its own limit. */
const SOURCE_KEEPS_UP = 0.95;

/** Pause between two questions to an end under load. */
const ASK_EVERY_MS = 250;

const PINGS = { count: 200, intervalMs: 10 } as const;

/** What one end spent. */
export interface Spent {
  /** CPU seconds per gigabyte of TCP payload. */
  readonly cpuPerGb: number;
  /** Resident at the end of the transfer. */
  readonly rssBytes: number;
}

/** Everything measured in one run. */
export interface Sample {
  readonly tcpBps: number;
  readonly spent: Readonly<Record<Side, Spent>> | undefined;
  /** Datagrams per second of the highest rate at which none was lost; undefined: not asked. */
  readonly packetsPerSecond: number | undefined;
  /** Whether the limit was the source, not what carries its datagrams. */
  readonly sourceLimited: boolean;
  /** Median round trip while nothing else is sent, and that of the cable below. */
  readonly pingUs: number;
  readonly rawPingUs: number;
  /** The slowest answer of either end to `status` while TCP ran; undefined: nobody to ask. */
  readonly statusMs: number | undefined;
  /** While TCP ran. */
  readonly machine: Machine;
}

/** Builds the network, measures, and removes everything. */
export async function measure(subject: Subject): Promise<Sample> {
  return await withLab(async (lab) => {
    const net = await buildVeth(lab, subject.cables);
    const running = await subject.start(lab, net);
    const rawPingUs = await medianPing(lab, net, rawEnds(net));
    const pingUs = await medianPing(lab, net, running.ends);
    const tcp = await measureTcp(lab, net, running);
    const small = subject.small ? await measureSmall(lab, net, running) : undefined;
    return {
      ...tcp,
      packetsPerSecond: small?.packetsPerSecond,
      sourceLimited: small?.sourceLimited ?? false,
      pingUs,
      rawPingUs,
    };
  });
}

/** From the client up to the server. */
async function medianPing(lab: Lab, net: Topology, ends: Running["ends"]): Promise<number> {
  const flow = { from: net.client, to: net.server, address: ends.server, port: freshPort() };
  return (await ping(lab, flow, PINGS)).rttUs.p50;
}

/** From the server down to the client. */
function down(net: Topology, { ends }: Running): Flow {
  return { from: net.server, to: net.client, address: ends.client, port: freshPort() };
}

async function measureTcp(
  lab: Lab,
  net: Topology,
  running: Running,
): Promise<Pick<Sample, "tcpBps" | "spent" | "statusMs" | "machine">> {
  const { pids } = running;
  const read = (): Readonly<Record<Side, ReturnType<typeof usage>>> | undefined =>
    pids && { client: usage(pids.client), server: usage(pids.server) };
  const machine = new MachineMeter();
  const first = read();
  let [samples, bytes] = [0, 0];
  let [before, after] = [first, first];
  const questions = new Questions(running.ask);
  const { bps } = await tcpTransfer(lab, down(net, running), WARM_UP_SECONDS + MEASURED_SECONDS, {
    warmupSeconds: WARM_UP_SECONDS,
    onSample(sample): void {
      if (++samples > WARM_UP_SECONDS * SAMPLES_PER_SECOND) {
        bytes += sample.bytes;
        after = read();
      } else before = read();
    },
  });
  const statusMs = await questions.end();
  const cpuSeconds = (side: Side, since: typeof before): number =>
    (after?.[side].cpuSeconds ?? NaN) - (since?.[side].cpuSeconds ?? NaN);
  const spent = (side: Side): Spent => ({
    cpuPerGb: cpuSeconds(side, before) * 1e9 / bytes,
    rssBytes: after?.[side].rssBytes ?? NaN,
  });
  const own = pids ? cpuSeconds("client", first) + cpuSeconds("server", first) : 0;
  return {
    tcpBps: bps,
    spent: pids && { client: spent("client"), server: spent("server") },
    statusMs,
    machine: machine.read(own),
  };
}

/** Keeps asking both ends for their status, and remembers the longest time an answer took. */
class Questions {
  readonly #asked: Promise<void>;
  #slowestMs: number | undefined;
  #ended = false;

  constructor(ask: Running["ask"]) {
    this.#asked = ask ? this.#ask(ask) : Promise.resolve();
  }

  async end(): Promise<number | undefined> {
    this.#ended = true;
    await this.#asked;
    return this.#slowestMs;
  }

  async #ask(ask: NonNullable<Running["ask"]>): Promise<void> {
    while (!this.#ended) {
      for (const side of ["client", "server"] as const) {
        const start = performance.now();
        if (await ask(side) === undefined) throw new Error(`The ${side} does not answer`);
        this.#slowestMs = Math.max(this.#slowestMs ?? 0, performance.now() - start);
      }
      await delay(ASK_EVERY_MS);
    }
  }
}

/** The highest of {@linkcode SMALL_RATES} at which everything arrived; 0 when there is none. */
async function measureSmall(
  lab: Lab,
  net: Topology,
  running: Running,
): Promise<{ packetsPerSecond: number; sourceLimited: boolean }> {
  let best = 0;
  for (const packetsPerSecond of SMALL_RATES) {
    const sentPerSecond = await withoutLoss(lab, net, running, packetsPerSecond);
    if (sentPerSecond === undefined) return { packetsPerSecond: best, sourceLimited: false };
    best = Math.max(best, sentPerSecond);
    if (sentPerSecond < SOURCE_KEEPS_UP * packetsPerSecond) break;
  }
  return { packetsPerSecond: best, sourceLimited: true };
}

/** Datagrams per second that the source really sent; undefined when some were lost in every try. */
async function withoutLoss(
  lab: Lab,
  net: Topology,
  running: Running,
  packetsPerSecond: number,
): Promise<number | undefined> {
  const stream = { packetsPerSecond, sizeBytes: SMALL_BYTES, seconds: SMALL_SECONDS };
  for (let attempt = 0; attempt < SMALL_TRIES; attempt++) {
    const { sent, received, elapsedUs } = await udpFlood(lab, down(net, running), stream);
    if (received >= sent) return sent * 1e6 / elapsedUs;
  }
  return undefined;
}
