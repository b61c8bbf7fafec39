/**
 * Which size of packets is worth sending through the tunnel, when its links carry different ones?
 *
 * Packets that fit every link use all of them; longer ones spend less on headers, but leave the
 * narrower links to what fits. The size that gives the larger goodput wins, which is nearly always
 * the smaller one: 1280 instead of 1500 bytes cost 1.5 %, a link that carries more is worth it.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { isBackup, isOutranked, rank } from "../scheduler/tiers.ts";
import { IPV4_BYTES, TCP_BYTES } from "../wire/ip_layout.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";

/** Headers inside a packet: of the bytes of a TCP segment these are no goodput. */
const INNER_HEADER_BYTES = IPV4_BYTES + TCP_BYTES;
/** What leaving a narrow link to small packets must gain. */
const GAIN = 1.005;
/** A larger size must have been right for so long, in microseconds: changes have a cost as well. */
const RAISE_AFTER_US = 5_000_000;

/** No end may say that it takes less (RFC 791). */
const LEAST_LIMIT_BYTES = 576;

/** What counts of a link. */
export interface LinkSize {
  /** The longest packet that it carries whole. */
  readonly packetBytes: number;
  readonly rateBps: number;
}

/**
 * Returns the length of packets that gives the largest goodput over `links`; `current` when that is
 * nearly as good, and when there are none.
 */
export function bestPacketBytes(links: readonly LinkSize[], current: number): number {
  if (links.length === 0) return current;
  const common = Math.min(...links.map(({ packetBytes }) => packetBytes));
  if (common >= current) return common;
  let best = current;
  let mostBps = GAIN * goodputBps(links, current);
  for (const { packetBytes } of links) {
    const bps = goodputBps(links, packetBytes);
    if (bps <= mostBps) continue;
    mostBps = bps;
    best = packetBytes;
  }
  return best;
}

/** Of packets of a length, over the links that carry it. */
function goodputBps(links: readonly LinkSize[], packetBytes: number): number {
  const share = (packetBytes - INNER_HEADER_BYTES) / (packetBytes + PACKET_OVERHEAD_BYTES[4]);
  let sum = 0;
  for (const link of links) if (link.packetBytes >= packetBytes) sum += link.rateBps;
  return share * sum;
}

/** The longest packet that is to enter the tunnel for one peer. Instants in microseconds. */
export class TunnelMtu {
  /** Bytes of the longest packet. */
  bytes: number;
  #limit: number;
  /** What the links carried when it was looked at last. */
  #seen: number | undefined;
  #largerSinceUs = Infinity;

  /** @param limit no larger packet is wanted, in bytes */
  constructor(limit: number) {
    this.#limit = limit;
    this.bytes = limit;
  }

  /** The other end takes no packet longer than `limit` bytes. */
  agree(limit: number): void {
    this.#limit = Math.max(limit, LEAST_LIMIT_BYTES);
    this.#seen = undefined;
  }

  /** Looks at the links, which is cheap when they carry what they did. Returns whether it changed. */
  update(now: number, paths: readonly Path[]): boolean {
    const seen = fingerprint(paths);
    if (seen === this.#seen && now < this.#largerSinceUs + RAISE_AFTER_US) return false;
    this.#seen = seen;
    const best = Math.min(bestPacketBytes(sizesOf(paths), this.bytes), this.#limit);
    if (best <= this.bytes) this.#largerSinceUs = Infinity;
    else if (this.#largerSinceUs === Infinity) this.#largerSinceUs = now;
    if (best > this.bytes && now < this.#largerSinceUs + RAISE_AFTER_US) return false;
    this.#largerSinceUs = Infinity;
    if (best === this.bytes) return false;
    this.bytes = best;
    return true;
  }

  /** When {@linkcode update} may have something to do although nothing happens. */
  get timeoutAtUs(): number {
    return this.#largerSinceUs + RAISE_AFTER_US;
  }
}

/** Changes with the sizes that links carry, their tiers and their states. */
function fingerprint(paths: readonly Path[]): number {
  let print = 0;
  for (const path of paths) {
    const known = path.mtu.knownBytes ?? 0;
    const isUp = path.live.state === "up" ? 1 : 0;
    print = (Math.imul(print, 0x3d4d51cb) + known * 8 + rank(path) * 2 + isUp) | 0;
  }
  return print;
}

/** Links that count, up or not: their sizes are known, and they are used beside those of best rank. */
function sizesOf(paths: readonly Path[]): LinkSize[] {
  return paths.filter((path) => path.mtu.knownBytes !== undefined)
    .filter((path) => !isBackup(path) || !isOutranked(path, paths))
    .map((path) => ({
      packetBytes: path.mtu.knownBytes! - path.mtu.size + path.packetBytes,
      rateBps: path.rate.rateBps,
    }));
}
