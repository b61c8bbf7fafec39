/**
 * Watches lines and tunnel while traffic runs: what each line delivered, per 100 ms, and on request
 * one line of text per second about what the tunnel believes.
 *
 * @module
 */

import type { LineCounters } from "../../lab/emulator/protocol.ts";
import { attempt } from "../../lab/process.ts";
import { INNER, type Program } from "../../lab/program.ts";
import { delay } from "../../lab/require.ts";
import type { Topology } from "../../lab/topology.ts";
import type { PeerStatus } from "../../src/tunnel/options.ts";
import type { Way } from "./scenario.ts";
import { type Reading, resample } from "./series.ts";

const EVERY_MS = 100;
const READINGS_PER_TRACE = 10;

/** One reading of all lines, and of both ends when they were asked. */
interface Snapshot {
  /** Microseconds of the host's clock. */
  readonly now: number;
  readonly lines: readonly LineCounters[];
  /** Longest queues since the last line of the trace, in bytes. */
  readonly peaks: readonly number[];
  readonly sender?: PeerStatus | undefined;
  readonly receiver?: PeerStatus | undefined;
  /** What the kernel says about the sender's connections. */
  readonly tcp?: string;
}

/** A running watch. */
export class Recorder {
  readonly #net: Topology;
  readonly #way: Way;
  readonly #program: Program | undefined;
  readonly #snapshots: Snapshot[] = [];
  readonly #running: Promise<void>;
  #peaks: number[] = [];
  #stopped = false;

  /** `program` is asked for its status every second; without it only lines are watched. */
  constructor(net: Topology, way: Way, program?: Program) {
    this.#net = net;
    this.#way = way;
    this.#program = program;
    this.#running = this.#run();
  }

  /** Takes a last reading. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Bits per second of each line per 100 ms; `startUs` of the host's clock is 0. */
  lines(startUs: number, seconds: number): number[][] {
    const count = this.#snapshots[0]?.lines.length ?? 0;
    return Array.from({ length: count }, (_, line) => {
      const readings = this.#snapshots.map(({ now, lines }): Reading => ({
        at: (now - startUs) / 1e6,
        bytes: lines[line]?.[this.#way].outBytes ?? 0,
      }));
      return resample(readings, seconds);
    });
  }

  /** One line of text per second. */
  trace(startUs: number): string[] {
    const asked = this.#snapshots.filter(({ sender }) => sender !== undefined);
    return asked.slice(1).map((snapshot, i) =>
      traceLine(asked[i] as Snapshot, snapshot, this.#way, startUs)
    );
  }

  async #run(): Promise<void> {
    const { emulator } = this.#net;
    if (emulator === undefined) return;
    for (let next = performance.now(), i = 0;; next += EVERY_MS, i++) {
      const { now, lines } = await emulator.counters();
      const own = lines.map((line) => line[this.#way].peakQueueBytes);
      this.#peaks = own.map((bytes, line) => Math.max(bytes, this.#peaks[line] ?? 0));
      const asks = this.#program !== undefined && i % READINGS_PER_TRACE === 0;
      const peaks = this.#peaks;
      if (asks) this.#peaks = [];
      this.#snapshots.push({ now, lines, peaks, ...asks && await this.#ask() });
      if (this.#stopped) return;
      await delay(Math.max(0, next + EVERY_MS - performance.now()));
    }
  }

  async #ask(): Promise<Pick<Snapshot, "sender" | "receiver" | "tcp">> {
    const [client, server, { stdout: tcp }] = await Promise.all([
      this.#peer("client"),
      this.#peer("server"),
      this.#sockets(),
    ]);
    return this.#way === "up"
      ? { sender: client, receiver: server, tcp }
      : { sender: server, receiver: client, tcp };
  }

  async #peer(side: "client" | "server"): Promise<PeerStatus | undefined> {
    return (await this.#program?.status(side))?.tunnel.peers[0];
  }

  #sockets(): Promise<{ stdout: string }> {
    const { client, server } = this.#net;
    const [from, to] = this.#way === "up" ? [client, INNER.server] : [server, INNER.client];
    return attempt(["ip", "netns", "exec", from, "ss", "-tinH", "dst", to]);
  }
}

/** What happened between two readings. Rates in Mbit/s, times in ms, queues in kB. */
function traceLine(before: Snapshot, after: Snapshot, way: Way, startUs: number): string {
  const seconds = (after.now - before.now) / 1e6;
  const lines = after.lines.map((line, i) => {
    const [a, b] = [before.lines[i]?.[way], line[way]];
    const grown = (key: "outBytes" | "tailDrops" | "lost" | "swallowed" | "tooBig"): number =>
      b[key] - (a?.[key] ?? 0);
    const link = after.sender?.links.find(({ name }) => name === line.name);
    return [
      `${line.name} ${mega(grown("outBytes") * 8 / seconds)}`,
      `q${((after.peaks[i] ?? 0) / 1000).toFixed(0).padStart(4)}`,
      `drop${grown("tailDrops").toString().padStart(4)}`,
      `lost${(grown("lost") + grown("swallowed") + grown("tooBig")).toString().padStart(4)}`,
      `rate${mega(link?.rateBps ?? NaN)}`,
      `srtt${((link?.srttUs ?? NaN) / 1000).toFixed(0).padStart(4)}`,
      `fly${((link?.inFlightBytes ?? NaN) / 1000).toFixed(0).padStart(4)}`,
      link?.state === "up" ? link.reason : `${link?.state.toUpperCase()} ${link?.reason}`,
    ].join(" ").trimEnd();
  });
  const { sender, receiver } = after;
  const tunnel = [
    `queued${String(sender?.queuedPackets ?? "-").padStart(4)}`,
    `resent+${(sender?.resentPackets ?? 0) - (before.sender?.resentPackets ?? 0)}`,
    `held+${(receiver?.heldPackets ?? 0) - (before.receiver?.heldPackets ?? 0)}`,
    `hold p50 ${((receiver?.holdP50Us ?? NaN) / 1000).toFixed(1)}`,
    `p99 ${((receiver?.holdP99Us ?? NaN) / 1000).toFixed(1)}`,
  ].join(" ");
  const at = ((after.now - startUs) / 1e6).toFixed(1).padStart(5);
  return [`${at} s`, ...lines, tunnel, tcpText(after.tcp ?? "")].join(" | ");
}

/** Congestion windows in segments, RTT in ms and retransmissions so far, from ss(8) -i. */
export function tcpText(said: string): string {
  const all = (pattern: RegExp): string =>
    [...said.matchAll(pattern)].map(([, value]) => value).join(",") || "-";
  return `tcp cwnd ${all(/\bcwnd:(\d+)/g)} ssthresh ${all(/\bssthresh:(\d+)/g)} ` +
    `rtt ${all(/\brtt:([\d.]+)/g)} retrans ${all(/\bretrans:\d+\/(\d+)/g)}`;
}

function mega(bps: number): string {
  return (bps / 1e6).toFixed(1).padStart(6);
}
