/**
 * What a case of `make bench-links` is: lines, configuration, traffic, events
 * and what is expected of the result. Cases are data; see `scenarios.ts`.
 *
 * @module
 */

import type { ProgramOptions } from "../../tests/lab/program.ts";
import type { Shape } from "../../tests/lab/emulator/shape.ts";
import type { LineSpec } from "../../tests/lab/topology.ts";
import type { TcpResult } from "../../tests/lab/traffic.ts";
import type { EchoReport, StreamReport } from "../../tests/lab/tools/udp.ts";

/** Which way traffic goes: `down` to the client. */
export type Way = "up" | "down";

/** Where it goes: through the tunnel, or over one line alone without it. */
export type Over = "tunnel" | { readonly line: number };

/** A change of a line in the course of the traffic. */
export interface Event {
  /** Seconds after the traffic began. */
  readonly at: number;
  /** Number of the line, from 0. */
  readonly line: number;
  readonly up?: Partial<Shape>;
  readonly down?: Partial<Shape>;
}

/** Traffic of a case; what is absent is not sent. */
export interface Traffic {
  readonly seconds: number;
  /** Left out of the averages of TCP. */
  readonly warmUpSeconds: number;
  /** TCP transfers at the same time. */
  readonly flows: number;
  readonly way: Way;
  readonly over: Over;
  /** A stream of numbered datagrams the same way. */
  readonly stream?: { readonly packetsPerSecond: number; readonly sizeBytes: number };
  /** Round trips, idle and then under load. */
  readonly ping?: true;
  readonly events?: readonly Event[];
}

/** Everything measured in one run. */
export interface Measured {
  readonly flows: readonly TcpResult[];
  readonly stream?: StreamReport;
  readonly idlePing?: EchoReport;
  readonly loadedPing?: EchoReport;
  /** Of the client's and of the server's process, while the traffic ran. */
  readonly cpu?: readonly number[];
  readonly rssBytes?: readonly number[];
  /** Of the link emulator. */
  readonly emulatorCpu?: number;
  /** A duration, for cases without traffic. */
  readonly elapsedMs?: number;
}

/** One expectation: a row of the table. */
export interface Expectation {
  readonly label: string;
  readonly value: (measured: Measured, scenario: Scenario) => number;
  readonly unit: string;
  /** `>=`, `<` or `<=`; absent for a reference that nothing is expected of. */
  readonly target?: { readonly sense: ">=" | "<" | "<="; readonly value: number };
}

/** Emulated lines, or bare cables that only the CPU limits. */
export type Network = { readonly lines: readonly LineSpec[] } | { readonly cables: number };

/** What is done in a case besides building its network. */
export type Action =
  | { readonly kind: "traffic"; readonly traffic: Traffic }
  | { readonly kind: "idle"; readonly seconds: number }
  | { readonly kind: "start"; readonly times: number };

/** A case. */
export interface Scenario {
  /** Short and unique, for `--case`. */
  readonly name: string;
  readonly title: string;
  readonly network: Network;
  readonly program: ProgramOptions;
  readonly action: Action;
  /** Raw sum of the lines in bits per second when it is not that of the start. */
  readonly sumBps?: number;
  readonly expect: readonly Expectation[];
}

/** The raw sum of the lines' rates in bits per second of IP packets. */
export function rawSumBps(scenario: Scenario, way: Way): number {
  if (scenario.sumBps !== undefined) return scenario.sumBps;
  if ("cables" in scenario.network) return 0;
  return scenario.network.lines.reduce((sum, line) => sum + (line[way].rateBps ?? 0), 0);
}

/** TCP payload per second of all flows. */
export function goodputBps(measured: Measured): number {
  return measured.flows.reduce((sum, flow) => sum + flow.bps, 0);
}
