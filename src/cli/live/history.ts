/**
 * What links did in the last two minutes, a sample a second.
 *
 * @module
 */

import type { LinkStatus, PeerStatus } from "../../tunnel/options.ts";

/** Samples that are kept of each link. */
export const SAMPLES = 120;

/** What a link did, the newest last; NaN while that was not known. */
export interface LinkHistory {
  readonly sendBps: number[];
  readonly receiveBps: number[];
  readonly rttUs: number[];
}

/** Samples by link. */
export class History {
  readonly #links = new Map<string, LinkHistory>();

  /** Takes a sample of every link; one that is not there has a gap. */
  add(peers: readonly PeerStatus[]): void {
    const present = new Map<string, LinkStatus>();
    for (const peer of peers) {
      for (const link of peer.links) present.set(keyOf(peer.name, link.name), link);
    }
    for (const key of present.keys()) if (!this.#links.has(key)) this.#links.set(key, empty());
    for (const [key, history] of this.#links) {
      const link = present.get(key);
      const isUp = link?.state === "up" || link?.state === "suspect";
      push(history.sendBps, link?.sendBps ?? NaN);
      push(history.receiveBps, link?.receiveBps ?? NaN);
      push(history.rttUs, isUp && link.srttUs > 0 ? link.srttUs : NaN);
      if (!link && history.sendBps.every(Number.isNaN)) this.#links.delete(key);
    }
  }

  /** What a link of a peer did. */
  of(peer: string, link: string): LinkHistory {
    return this.#links.get(keyOf(peer, link)) ?? empty();
  }

  /** The greatest rate and round trip of all, which have the full height. */
  get scale(): { readonly bps: number; readonly rttUs: number } {
    let [bps, rttUs] = [0, 0];
    for (const link of this.#links.values()) {
      bps = greatest(bps, link.sendBps, link.receiveBps);
      rttUs = greatest(rttUs, link.rttUs);
    }
    return { bps, rttUs };
  }
}

function keyOf(peer: string, link: string): string {
  return `${peer}/${link}`;
}

function empty(): LinkHistory {
  return { sendBps: [], receiveBps: [], rttUs: [] };
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > SAMPLES) values.shift();
}

function greatest(least: number, ...lists: readonly (readonly number[])[]): number {
  return lists.flat().reduce((max, value) => value > max ? value : max, least);
}
