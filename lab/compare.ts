/**
 * Compares a tunnel with its lines at the same moment: a busy host slows down both, while a faulty
 * tunnel is worse than its lines at every try.
 *
 * @module
 */

import type { Lab } from "./namespaces.ts";
import type { Topology } from "./topology.ts";
import { type Flow, freshPort, ping, tcpTransfer } from "./traffic.ts";

/** How often a comparison is tried; the first success counts. */
const TRIES = 5;
/** Seconds of a transfer over the lines, and how many of them are left out. */
const RAW_S = 3;
const RAW_WARMUP_S = 1;

/** Traffic over line number `index` without the tunnel, up from the client or down to it. */
export function rawFlow(net: Topology, index: number, way: "up" | "down"): Flow {
  const line = net.lines[index]!;
  const port = freshPort();
  return way === "up"
    ? { from: net.client, to: net.server, address: line.server, port }
    : { from: net.server, to: net.client, address: line.client, port };
}

/** Bits per second of one TCP transfer over each line, all at once. */
export async function linesBps(lab: Lab, net: Topology, way: "up" | "down"): Promise<number> {
  const transfers = net.lines.map((_, i) =>
    tcpTransfer(lab, rawFlow(net, i, way), RAW_S, { warmupSeconds: RAW_WARMUP_S })
  );
  return (await Promise.all(transfers)).reduce((sum, { bps }) => sum + bps, 0);
}

/** The median round trip over line number `index`, in microseconds. */
export async function lineRttUs(lab: Lab, net: Topology, index: number): Promise<number> {
  return (await ping(lab, rawFlow(net, index, "up"), { count: 30 })).rttUs.p50;
}

/** Calls `measure` until what it returns is `enough`, a few times at most; returns the last. */
export async function tried<T>(
  measure: () => Promise<T>,
  enough: (measured: T) => boolean,
): Promise<T> {
  let measured = await measure();
  for (let i = 1; i < TRIES && !enough(measured); i++) measured = await measure();
  return measured;
}
