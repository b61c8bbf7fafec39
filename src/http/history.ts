/**
 * What the links did in the last ten minutes, a sample a second, in memory that is bounded.
 *
 * @module
 */

import type { LinkStatus, PeerStatus } from "../tunnel/options.ts";

/** Samples that are kept. */
export const HISTORY_SAMPLES = 600;
/** Links of which they are kept: 12 kB each. Of more, nothing is remembered. */
export const HISTORY_LINKS = 256;

/** What is kept of a link; NaN where it was not there, or where the value is not known. */
const SERIES = {
  send: ({ sendBps }: LinkStatus) => sendBps,
  receive: ({ receiveBps }: LinkStatus) => receiveBps,
  rtt: ({ srttUs }: LinkStatus) => srttUs > 0 ? srttUs : NaN,
  sendLoss: ({ sendLoss }: LinkStatus) => sendLoss,
  receiveLoss: ({ receiveLoss }: LinkStatus) => receiveLoss,
} as const satisfies Readonly<Record<string, (link: LinkStatus) => number>>;

/** A name of what is kept. */
export type SeriesName = keyof typeof SERIES;

/** What is kept of a link, the oldest first; null where nothing is known. */
export type LinkHistory =
  & { readonly id: number; readonly name: string }
  & Readonly<Record<SeriesName, readonly (number | null)[]>>;

/** The history of a peer's links. */
export interface PeerHistory {
  /** Milliseconds since 1970 of each sample. */
  readonly atMs: readonly number[];
  readonly links: readonly LinkHistory[];
}

const NAMES = Object.keys(SERIES) as SeriesName[];

interface Kept {
  readonly id: number;
  name: string;
  /** Number of its last sample. */
  last: number;
  /** A ring for each name. */
  readonly values: Readonly<Record<SeriesName, Float32Array>>;
}

/** Rings of samples, of all links with one hand. */
export class History {
  readonly #atMs: Float64Array<ArrayBuffer> = new Float64Array(HISTORY_SAMPLES);
  /** By peer, then by the number of the link. */
  readonly #peers: Map<string, Map<number, Kept>> = new Map();
  #links = 0;
  /** Samples so far; the place of the next one is this modulo the ring's length. */
  #count = 0;

  /** Adds a sample. */
  add(atMs: number, peers: readonly PeerStatus[]): void {
    const at = this.#count % HISTORY_SAMPLES;
    this.#atMs[at] = atMs;
    for (const links of this.#peers.values()) {
      for (const { values } of links.values()) for (const name of NAMES) values[name][at] = NaN;
    }
    for (const peer of peers) for (const link of peer.links) this.#addLink(peer.name, link, at);
    this.#count++;
    this.#forget();
  }

  /** Returns what is kept of the links of `peer`. */
  of(peer: string): PeerHistory {
    const order = Array.from(
      { length: Math.min(this.#count, HISTORY_SAMPLES) },
      (_, i) => (this.#count - Math.min(this.#count, HISTORY_SAMPLES) + i) % HISTORY_SAMPLES,
    );
    const links = [...this.#peers.get(peer)?.values() ?? []].sort((a, b) => a.id - b.id);
    return {
      atMs: order.map((at) => this.#atMs[at]!),
      links: links.map(({ id, name, values }) => {
        const series = NAMES.map((name) => [name, order.map((at) => rounded(values[name][at]!))]);
        return { id, name, ...Object.fromEntries(series) as Omit<LinkHistory, "id" | "name"> };
      }),
    };
  }

  #addLink(peer: string, link: LinkStatus, at: number): void {
    const kept = this.#peers.get(peer)?.get(link.id) ?? this.#begin(peer, link);
    if (kept === undefined) return;
    kept.name = link.name;
    kept.last = this.#count;
    for (const name of NAMES) kept.values[name][at] = SERIES[name](link);
  }

  #begin(peer: string, { id, name }: LinkStatus): Kept | undefined {
    if (this.#links >= HISTORY_LINKS) return undefined;
    this.#links++;
    const ring = (): Float32Array => new Float32Array(HISTORY_SAMPLES).fill(NaN);
    const values = Object.fromEntries(NAMES.map((name) => [name, ring()])) as Kept["values"];
    const kept = { id, name, last: this.#count, values };
    const links = this.#peers.get(peer) ?? new Map<number, Kept>();
    this.#peers.set(peer, links.set(id, kept));
    return kept;
  }

  /** Lets go of links of which no sample is left. */
  #forget(): void {
    for (const [peer, links] of this.#peers) {
      for (const [id, { last }] of links) {
        if (this.#count - last <= HISTORY_SAMPLES) continue;
        links.delete(id);
        this.#links--;
      }
      if (links.size === 0) this.#peers.delete(peer);
    }
  }
}

/** Three digits or so are seen, and JSON has no NaN. */
function rounded(value: number): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(4));
}
