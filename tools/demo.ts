/**
 * `make demo`: watch one TCP transfer use two lines at once and survive the
 * death of one of them.
 *
 *     client namespace                                   server namespace
 *     [ aggvpn ] ===== line 1: 50 Mbit/s, 20 ms ===== [ aggvpn ]
 *     [        ] ===== line 2: 50 Mbit/s, 20 ms ===== [        ]
 *
 * @module
 */

import { type Lab, withLab } from "../lab/namespaces.ts";
import { INNER, Program } from "../lab/program.ts";
import { missingForProgram } from "../lab/require.ts";
import type { TcpSample } from "../lab/tools/tcp.ts";
import { buildEmulated, symmetric, type Topology } from "../lab/topology.ts";
import { averageBps, type Flow, freshPort, tcpTransfer } from "../lab/traffic.ts";
import { type Mark, Row, Screen } from "./demo/screen.ts";
import { tableLines } from "./demo/table.ts";

const MEGABITS = 50;
const RTT_MS = 20;
/** Seconds of a transfer over one line, and through the tunnel. */
const ALONE_S = 4;
const TUNNEL_S = 15;
/** When line 2 is cut, and when it is restored, in seconds of the transfer. */
const CUT_S = 5.5;
const RESTORE_S = 9.5;
/** TCP's slow start is left out of the averages. */
const WARM_UP_S = 1;
/** Steps of a chart a second: samples come ten times as often as seconds. */
const STEPS_PER_SECOND = 3;

function openScreen(): Screen {
  const isTerminal = Deno.stdout.isTerminal();
  const locale = Deno.env.get("LC_ALL") || Deno.env.get("LC_CTYPE") || Deno.env.get("LANG") || "";
  return new Screen({
    write: (text) => void Deno.stdout.writeSync(new TextEncoder().encode(text)),
    isTerminal,
    color: isTerminal && !Deno.env.get("NO_COLOR"),
    unicode: !/^(C|POSIX)$/.test(locale),
    fullBps: 2 * MEGABITS * 1e6,
    stepsPerSecond: STEPS_PER_SECOND,
  });
}

/** Puts samples of 100 ms into the steps of a row. */
class Steps {
  #bytes = 0;
  #samples = 0;
  #total = 0;

  /** Adds `bytes` to `row`; a step is finished every few samples. */
  add(row: Row, bytes: number): void {
    this.#bytes += bytes;
    this.#samples++;
    this.#total++;
    const isDone = Math.floor(this.#total * STEPS_PER_SECOND / 10) >
      Math.floor((this.#total - 1) * STEPS_PER_SECOND / 10);
    if (!isDone) return;
    row.values.push(this.#bytes * 8 / (this.#samples / 10));
    this.#bytes = 0;
    this.#samples = 0;
  }
}

function introduction(screen: Screen): void {
  const line = (i: number): string => `line ${i}: ${MEGABITS} Mbit/s, ${RTT_MS} ms`;
  screen.print(
    screen.paint("aggvpn: one TCP connection over two lines", "bold"),
    "",
    `   client ==+== ${line(1)} ==+== server   two network namespaces,`,
    `            +== ${line(2)} ==+            two emulated lines`,
    "",
  );
}

async function runAlone(lab: Lab, net: Topology, screen: Screen, line: number): Promise<number> {
  const row = new Row(`line ${line + 1} alone`, "cyan");
  const steps = new Steps();
  const result = await tcpTransfer(lab, downloadFrom(net, net.lines[line]?.client ?? ""), ALONE_S, {
    warmupSeconds: WARM_UP_S,
    onSample: ({ bytes }) => {
      steps.add(row, bytes);
      screen.update([row]);
    },
  });
  row.figureBps = result.bps;
  screen.finish([row]);
  return result.bps;
}

/** What the client downloads, to one of its addresses. */
function downloadFrom(net: Topology, address: string): Flow {
  return { from: net.server, to: net.client, address, port: freshPort() };
}

/** The transfer through the tunnel, with the cut; returns its samples and when the line was cut. */
async function runTunnel(
  lab: Lab,
  net: Topology,
  screen: Screen,
): Promise<
  { samples: readonly TcpSample[]; cutAt: number; rows: readonly Row[]; marks: readonly Mark[] }
> {
  const rows = [
    new Row("tunnel", "green"),
    new Row("  over line 1", "cyan"),
    new Row("  over line 2", "cyan"),
  ];
  const steps = rows.map(() => new Steps());
  const marks: Mark[] = [];
  const carried = [0, 0];
  let cutAt = 0;
  let count = 0;
  const show = async (bytes: number): Promise<void> => {
    const counters = await net.emulator?.counters();
    const now = counters?.lines.map((line) => line.down.outBytes) ?? [];
    [bytes, ...now.map((total, i) => total - (carried[i] ?? 0))]
      .forEach((value, i) => steps[i]?.add(rows[i] as Row, value));
    now.forEach((total, i) => carried[i] = total);
    screen.update(rows, marks);
  };
  const baseline = await net.emulator?.counters();
  baseline?.lines.forEach((line, i) => carried[i] = line.down.outBytes);
  const turn = async (sample: TcpSample): Promise<void> => {
    count++;
    const isCut = count === CUT_S * 10;
    if (isCut || count === RESTORE_S * 10) {
      await net.emulator?.cut(1, isCut);
      if (isCut) cutAt = sample.at;
      marks.push({ step: rows[0]?.values.length ?? 0, text: isCut ? "line 2 cut" : "restored" });
    }
    await show(sample.bytes);
  };
  let queue = Promise.resolve();
  const { samples } = await tcpTransfer(lab, downloadFrom(net, INNER.client), TUNNEL_S, {
    onSample: (sample) => void (queue = queue.then(() => turn(sample))),
  });
  await queue;
  return { samples, cutAt, rows, marks };
}

async function demo(lab: Lab, screen: Screen): Promise<void> {
  introduction(screen);
  const line = symmetric(MEGABITS, RTT_MS);
  const net = await buildEmulated(lab, [line, line]);
  const lines = [await runAlone(lab, net, screen, 0), await runAlone(lab, net, screen, 1)];
  const known = { up: MEGABITS, down: MEGABITS };
  await Program.start(lab, net, { rates: [known, known] });
  const { samples, cutAt, rows, marks } = await runTunnel(lab, net, screen);
  const average = (from: number, to: number): number => averageBps(samples, from, to);
  const tunnel = average(WARM_UP_S, CUT_S);
  if (rows[0]) rows[0].figureBps = tunnel;
  screen.finish(rows.slice(0, 1).concat(rows.slice(1).map(withAverage)), marks);
  const atCut = samples.filter(({ at }) => at > cutAt && at <= cutAt + 2e6);
  screen.print(
    "",
    ...tableLines({
      lines,
      tunnel,
      stallUs: Math.max(0, ...atCut.map(({ gapUs }) => gapUs)),
      duringCut: average(CUT_S + 1, RESTORE_S),
      afterCut: average(RESTORE_S + 2, TUNNEL_S),
    }),
  );
}

/** Shows a line's average before the cut, as for the tunnel. */
function withAverage(row: Row): Row {
  const slice = row.values.slice(WARM_UP_S * STEPS_PER_SECOND, CUT_S * STEPS_PER_SECOND);
  row.figureBps = slice.reduce((sum, bps) => sum + bps, 0) / Math.max(1, slice.length);
  return row;
}

function fail(message: string): number {
  Deno.stderr.writeSync(new TextEncoder().encode(message + "\n"));
  return 1;
}

async function main(): Promise<number> {
  const missing = missingForProgram();
  if (missing !== undefined) return fail(`The demo cannot run: ${missing}`);
  const screen = openScreen();
  try {
    await withLab((lab) => demo(lab, screen));
  } catch (error) {
    return fail(`The demo failed: ${error instanceof Error ? error.message : error}`);
  }
  screen.print("", "Every namespace and process of the demo is gone.");
  return 0;
}

if (import.meta.main) Deno.exit(await main());
