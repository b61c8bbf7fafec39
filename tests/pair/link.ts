/**
 * A line between client and server, described in a few numbers: `up` carries what the
 * client sends, `down` what the server sends.
 *
 * @module
 */

import { CodelBottleneck, PieBottleneck, type Police, Policer } from "./elements/aqm.ts";
import { Bottleneck, type QueueLimit } from "./elements/bottleneck.ts";
import { Delay, Jitter, Order, RecordedDelay } from "./elements/delay.ts";
import { Chain, type Element, IP_UDP_BYTES, IPV6_UDP_BYTES } from "./elements/element.ts";
import {
  Blackhole,
  GilbertElliott,
  type GilbertElliottOptions,
  Mtu,
  type MtuStep,
  RandomLoss,
  type Span,
} from "./elements/loss.ts";
import { constantRate, type RateSchedule } from "./elements/rate_schedule.ts";
import type { Rng } from "./rng.ts";

/** Default queue of a line: a home router's. */
const DEFAULT_QUEUE: QueueLimit = { us: 100_000 };

/** One direction of a line. */
export interface DirectionSpec {
  readonly rate: RateSchedule;
  readonly delayUs: number;
  readonly queue?: QueueLimit;
  /** What manages the queue. */
  readonly aqm?: "pie" | "codel";
  /** What drops the rest in front of the queue. */
  readonly police?: Police;
  /** Random loss, 0 to 1. */
  readonly loss?: number;
  readonly burstLoss?: GilbertElliottOptions;
  /** A delay that was recorded, instead of `delayUs`. */
  readonly recordedDelay?: { readonly ms: readonly number[]; readonly beginUs: number };
  readonly jitterUs?: number;
  /** Whether the jitter is normal around the delay, with that as its standard deviation. */
  readonly jitterIsNormal?: boolean;
  /** Whether the jitter lets packets overtake each other. */
  readonly reorders?: boolean;
  /**
   * Largest IP packet on the line: the datagram and 28 bytes with IPv4, 48 with IPv6. What is
   * larger is silently dropped and counted in {@linkcode SimLink.upMtu}; no limit when absent.
   */
  readonly mtuBytes?: number;
  /** When that changes. */
  readonly mtuSchedule?: readonly MtuStep[];
  /** When it silently drops everything. */
  readonly blackholes?: readonly Span[];
}

/** Both directions, and what happens to the client's public port. */
export interface LinkSpec {
  readonly name: string;
  readonly up: DirectionSpec;
  readonly down: DirectionSpec;
  /** Whether its addresses, and so its headers, are those of IPv6. */
  readonly ipv6?: boolean;
  /** Instants at which a NAT gives the client another public port; the old one is dead. */
  readonly rebindsUs?: readonly number[];
  /** When the client's interface is gone: sending fails with "unreachable". */
  readonly unplugged?: readonly Span[];
}

/** A line that carries datagrams. */
export interface SimLink {
  readonly spec: LinkSpec;
  readonly up: Chain;
  readonly down: Chain;
  readonly upQueue: Bottleneck;
  readonly downQueue: Bottleneck;
  readonly upDelay: Delay;
  readonly downDelay: Delay;
  readonly upMtu: Mtu;
  readonly downMtu: Mtu;
}

/** The pieces of one direction that somebody looks at. */
interface Direction {
  readonly chain: Chain;
  readonly queue: Bottleneck;
  readonly delay: Delay;
  readonly mtu: Mtu;
}

function queueOf(
  aqm: DirectionSpec["aqm"],
  rate: RateSchedule,
  limit: QueueLimit,
  rng: Rng,
): Bottleneck {
  if (aqm === "pie") return new PieBottleneck(rate, limit, rng.fork(7));
  return aqm === "codel" ? new CodelBottleneck(rate, limit) : new Bottleneck(rate, limit);
}

/** Builds the elements of one direction, in the order of a real line. */
function directionOf(spec: DirectionSpec, headerBytes: number, rng: Rng): Direction {
  const mtu = new Mtu(spec.mtuBytes ?? Infinity, spec.mtuSchedule);
  const rate = spec.rate.fresh?.() ?? spec.rate;
  const limit = spec.queue ?? DEFAULT_QUEUE;
  const queue = queueOf(spec.aqm, rate, limit, rng);
  const delay = new Delay(spec.delayUs);
  const elements: Element[] = spec.police ? [mtu, new Policer(spec.police), queue] : [mtu, queue];
  if (spec.blackholes !== undefined) elements.push(new Blackhole(spec.blackholes));
  if (spec.loss) elements.push(new RandomLoss(spec.loss, rng.fork(1)));
  if (spec.burstLoss) elements.push(new GilbertElliott(spec.burstLoss, rng.fork(2)));
  const { recordedDelay, reorders = false, jitterIsNormal = false } = spec;
  if (recordedDelay === undefined) elements.push(delay);
  else {
    elements.push(new RecordedDelay(recordedDelay.ms, recordedDelay.beginUs));
    if (!reorders) elements.push(new Order());
  }
  if (spec.jitterUs) {
    const jitter = { reorders, ...jitterIsNormal && { normalAroundUs: spec.delayUs } };
    elements.push(new Jitter(spec.jitterUs, jitter, rng.fork(3)));
  }
  return { chain: new Chain(elements, headerBytes), queue, delay, mtu };
}

/** Builds a line. */
export function openLink(spec: LinkSpec, rng: Rng): SimLink {
  const headerBytes = spec.ipv6 ? IPV6_UDP_BYTES : IP_UDP_BYTES;
  const up = directionOf(spec.up, headerBytes, rng);
  const down = directionOf(spec.down, headerBytes, rng);
  return {
    spec,
    up: up.chain,
    down: down.chain,
    upQueue: up.queue,
    downQueue: down.queue,
    upDelay: up.delay,
    downDelay: down.delay,
    upMtu: up.mtu,
    downMtu: down.mtu,
  };
}

/** The address 2001:db8:0:NET::HOST of a line with IPv6. */
export function exampleOf(net: number, host: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0x20, 0x01, 0x0d, 0xb8]);
  bytes[7] = net;
  bytes[15] = host;
  return bytes;
}

/** What most lines need; `both` can give the rest for both directions. */
export interface LineNumbers {
  readonly name: string;
  /** Rate from server to client, in Mbit/s. */
  readonly mbps: number;
  /** Rate from client to server; the same when absent. */
  readonly upMbps?: number;
  /** Round trip without load, in milliseconds. */
  readonly rttMs: number;
  readonly queueMs?: number;
  readonly both?: Partial<DirectionSpec>;
  readonly link?: Partial<LinkSpec>;
}

/** Describes a line by its usual numbers. */
export function line(numbers: LineNumbers): LinkSpec {
  const { name, mbps, upMbps = mbps, rttMs, queueMs } = numbers;
  const direction = (rate: number): DirectionSpec => ({
    rate: constantRate(rate * 1e6),
    delayUs: rttMs * 500,
    ...(queueMs === undefined ? {} : { queue: { us: queueMs * 1000 } }),
    ...numbers.both,
  });
  return { name, up: direction(upMbps), down: direction(mbps), ...numbers.link };
}
