/**
 * What a case of `make bench-links` is: lines, configuration, traffic, events
 * and what is expected of the result. Cases are data; see `scenarios.ts`.
 *
 * @module
 */

import type { Shape } from "../../lab/emulator/shape.ts";
import type { ProgramOptions } from "../../lab/program.ts";
import type { EchoReport, StreamReport } from "../../lab/tools/udp.ts";
import type { LineSpec } from "../../lab/topology.ts";
import type { TcpResult } from "../../lab/traffic.ts";
import type { Machine } from "./machine.ts";

/** Which way traffic goes: `down` to the client. */
export type Way = "up" | "down";

/** Where it goes: through the tunnel, or over one line alone without it. */
export type Over = "tunnel" | { readonly line: number };

/** A change of a line during the traffic. */
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
  /** All of it, with the warm-up. */
  readonly seconds: number;
  /** Left out of the averages of TCP. */
  readonly warmUpSeconds: number;
  /** TCP transfers at the same time. */
  readonly flows: number;
  readonly way: Way;
  readonly over: Over;
  /** A stream of numbered datagrams the same way, from the beginning to the end. */
  readonly stream?: { readonly packetsPerSecond: number; readonly sizeBytes: number };
  /** Round trips, idle and then under load. */
  readonly ping?: { readonly intervalMs: number };
  readonly events?: readonly Event[];
  /** Numbers of lines on which somebody else has a TCP transfer the same way, all the time. */
  readonly outside?: readonly number[];
}

/** Everything measured in one run. */
export interface Measured {
  readonly flows: readonly TcpResult[];
  /** Of somebody else, outside the tunnel. */
  readonly outside?: readonly { readonly bps: number }[];
  readonly stream?: StreamReport;
  readonly idlePing?: EchoReport;
  readonly loadedPing?: EchoReport;
  /**
   * Bits per second of IP packets that each line delivered in the way of the
   * traffic, per 100 ms from its beginning.
   */
  readonly lines?: readonly (readonly number[])[];
  /** The same case over {@linkcode Scenario.best} alone. */
  readonly alone?: Measured;
  /** Of the client's and of the server's process, while the traffic ran. */
  readonly cpu?: readonly number[];
  readonly rssBytes?: readonly number[];
  /** Of the link emulator. */
  readonly emulatorCpu?: number;
  /** Of the whole machine. */
  readonly machine?: Machine;
  /** A duration, for cases without traffic. */
  readonly elapsedMs?: number;
  /** One line of text per second about what lines and tunnel did, if asked for. */
  readonly trace?: readonly string[];
}

/** One expectation: a row of the table. */
export interface Expectation {
  readonly label: string;
  readonly value: (measured: Measured, scenario: Scenario) => number;
  readonly unit: string;
  /** Absent for a reference, of which nothing is expected. */
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
  /** The line than which the tunnel must not be slower; it is also measured alone. */
  readonly best?: number;
  /** What the picture calls it, in plain words; absent: its course is not in the picture. */
  readonly picture?: string;
  readonly expect: readonly Expectation[];
}

/** The same case with one of its lines alone; events of the others are left out. */
export function withLineAlone(scenario: Scenario, line: number): Scenario {
  const { network, action, best: _, ...rest } = scenario;
  if ("cables" in network || action.kind !== "traffic") return scenario;
  const events = (action.traffic.events ?? []).filter((event) => event.line === line);
  return {
    ...rest,
    network: { lines: network.lines.slice(line, line + 1) },
    action: {
      kind: "traffic",
      traffic: { ...action.traffic, events: events.map((event) => ({ ...event, line: 0 })) },
    },
  };
}
