/**
 * The table of `make bench-throughput` for people, and the same for programs.
 *
 * @module
 */

import type { Side } from "../../lab/program.ts";
import { median } from "../median.ts";
import type { Sample } from "./measure.ts";
import type { Subject } from "./subject.ts";

const BYTES_PER_MIB = 2 ** 20;

/** Medians of a subject's runs; NaN for what was not measured. */
export interface Summary {
  readonly name: string;
  readonly title: string;
  readonly tcpBps: number;
  readonly cpuPerGb: Readonly<Record<Side, number>>;
  readonly rssMiB: Readonly<Record<Side, number>>;
  readonly packetsPerSecond: number;
  readonly sourceLimited: boolean;
  /** Round trip beyond that of the cable. */
  readonly addedMs: number;
  /** The slowest answer to `status` under load. */
  readonly statusMs: number;
  /** Of every run, in order. */
  readonly samples: readonly Sample[];
}

/** Sums up a subject's runs. */
export function summarize({ name, title }: Subject, samples: readonly Sample[]): Summary {
  const middle = (value: (sample: Sample) => number | undefined): number =>
    median(samples.map(value).filter((it) => it !== undefined));
  const sides = (
    value: (sample: Sample, side: Side) => number | undefined,
  ): Summary["cpuPerGb"] => ({
    client: middle((sample) => value(sample, "client")),
    server: middle((sample) => value(sample, "server")),
  });
  return {
    name,
    title,
    tcpBps: middle((sample) => sample.tcpBps),
    cpuPerGb: sides((sample, side) => sample.spent?.[side].cpuPerGb),
    rssMiB: sides((sample, side) => sample.spent && sample.spent[side].rssBytes / BYTES_PER_MIB),
    packetsPerSecond: middle((sample) => sample.packetsPerSecond),
    sourceLimited: samples.some((sample) => sample.sourceLimited),
    addedMs: middle((sample) => sample.spent && (sample.pingUs - sample.rawPingUs) / 1000),
    statusMs: middle((sample) => sample.statusMs),
    samples,
  };
}

/** The headings of the table. */
export const HEADING = [
  `${"".padEnd(59)}${"CPU s per GB".padStart(15)}${"RSS MiB".padStart(15)}`,
  `${"median".padStart(50)}${"of raw".padStart(9)}${"client server".padStart(15)}` +
  "client server".padStart(15),
].join("\n");

/** The rows of a subject. `raw` is the cable; undefined when it was not measured. */
export function rowsText(summary: Summary, raw: Summary | undefined): string {
  const { tcpBps, cpuPerGb, rssMiB, packetsPerSecond, addedMs } = summary;
  const rows = [
    row(summary.title, `${(tcpBps / 1e9).toFixed(2)} Gbit/s`, tcpBps / (raw?.tcpBps ?? NaN)) +
    cell(cpuPerGb.client, 8, 2) + cell(cpuPerGb.server, 7, 2) +
    cell(rssMiB.client, 8, 0) + cell(rssMiB.server, 7, 0),
  ];
  if (!Number.isNaN(packetsPerSecond)) {
    const least = summary.sourceLimited ? "  or more: the source sends no faster" : "";
    const share = packetsPerSecond / (raw?.packetsPerSecond ?? NaN);
    rows.push(row("  small datagrams", `${packetsPerSecond.toFixed(0)} /s`, share) + least);
  }
  if (!Number.isNaN(addedMs)) {
    rows.push(row("  added round trip, idle", `${addedMs.toFixed(3)} ms`, NaN));
  }
  if (!Number.isNaN(summary.statusMs)) {
    rows.push(row("  slowest status under load", `${summary.statusMs.toFixed(1)} ms`, NaN));
  }
  return rows.map((text) => text.trimEnd()).join("\n");
}

function row(title: string, figure: string, share: number): string {
  const percent = Number.isNaN(share) ? "" : `${(share * 100).toFixed(1)} %`;
  return `${title.padEnd(37)}${figure.padStart(13)}${percent.padStart(9)}`;
}

function cell(value: number, width: number, digits: number): string {
  return (Number.isNaN(value) ? "-" : value.toFixed(digits)).padStart(width);
}

/** How busy the machine was during a run, in words. */
export function machineText({ machine: { load, idle, stolen, others } }: Sample): string {
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  return `load ${load.toFixed(1)}, CPU idle ${percent(idle)}, others ${percent(others)}` +
    (stolen < 0.005 ? "" : `, stolen ${percent(stolen)}`);
}
