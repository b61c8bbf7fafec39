/**
 * The last ten minutes, second by second, of each link.
 *
 * @module
 */

import type { PeerHistory, SeriesName } from "../src/http/history.ts";
import type { LiveSample } from "../src/http/live.ts";

/** Null: the link was not there, or the value is not known. */
export type Values = (number | null)[];

/** What is known of a link. */
export interface LinkSeries extends Record<SeriesName, Values> {
  readonly id: number;
  name: string;
}

const NAMES: readonly SeriesName[] = ["send", "receive", "rtt", "sendLoss", "receiveLoss"];
const KEPT_S = 600;
/** Beyond that nothing was recorded: a host that slept is not drawn as one long line. */
const GAP_S = 5;

/** Samples of all links, with one time for all. */
export class Series {
  /** Seconds since 1970. */
  readonly times: number[] = [];
  /** In the order of their numbers. */
  links: LinkSeries[] = [];

  /** Replaces everything. */
  begin({ atMs, links }: PeerHistory): void {
    this.times.length = 0;
    this.links = links.map(({ id, name }) => emptyLink(id, name, 0));
    atMs.forEach((ms, i) => {
      this.#addTime(ms / 1000);
      links.forEach((link, k) => {
        for (const name of NAMES) this.links[k]![name].push(link[name][i] ?? null);
      });
    });
  }

  /** Adds what is now. */
  add({ atMs, links }: Pick<LiveSample, "atMs" | "links">): void {
    const time = atMs / 1000;
    if (time <= (this.times.at(-1) ?? -Infinity)) return;
    this.#addTime(time);
    for (const { id, name } of links) this.#linkOf(id, name);
    for (const series of this.links) {
      const link = links.find(({ id }) => id === series.id);
      series.send.push(link ? link.sendBps : null);
      series.receive.push(link ? link.receiveBps : null);
      series.rtt.push(link && link.srttUs > 0 ? link.srttUs : null);
      series.sendLoss.push(link ? link.sendLoss : null);
      series.receiveLoss.push(link ? link.receiveLoss : null);
    }
    this.#trim(time - KEPT_S);
  }

  #linkOf(id: number, name: string): void {
    const known = this.links.find((link) => link.id === id);
    if (known) {
      known.name = name;
      return;
    }
    this.links.push(emptyLink(id, name, this.times.length - 1));
    this.links.sort((a, b) => a.id - b.id);
  }

  /** After a gap with a moment of nothing. */
  #addTime(time: number): void {
    const last = this.times.at(-1);
    if (last !== undefined && time - last > GAP_S) {
      this.times.push(last + 1);
      for (const link of this.links) for (const name of NAMES) link[name].push(null);
    }
    this.times.push(time);
  }

  #trim(from: number): void {
    const count = this.times.findIndex((time) => time >= from);
    if (count <= 0) return;
    this.times.splice(0, count);
    for (const link of this.links) for (const name of NAMES) link[name].splice(0, count);
    this.links = this.links.filter((link) => link.send.some((value) => value !== null));
  }
}

function emptyLink(id: number, name: string, length: number): LinkSeries {
  const nothing = (): Values => new Array<number | null>(length).fill(null);
  return {
    id,
    name,
    send: nothing(),
    receive: nothing(),
    rtt: nothing(),
    sendLoss: nothing(),
    receiveLoss: nothing(),
  };
}

/** Sums of each link and those before it, so that they lie on each other; null where nothing is. */
export function stacked(lists: readonly Values[]): Values[] {
  const sums: Values[] = [];
  for (const list of lists) {
    const below = sums.at(-1);
    sums.push(list.map((value, i) => {
      const under = below?.[i] ?? null;
      return value === null ? under : value + (under ?? 0);
    }));
  }
  return sums;
}
