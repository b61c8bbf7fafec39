/**
 * A stream of numbered and dated datagrams, such as a call makes, and an echo:
 * loss, gaps, one-way delay and round trips. Sender and receiver share a clock
 * because they share a host.
 *
 * @module
 */

import { ERRNO, errno, HostClock, openLibc, SIZES } from "../libc.ts";
import { say, setOption, setTimeouts, udpSocket } from "./socket.ts";

const MAX = 65536;
const MAX_SIZE = BigInt(MAX);
/** Sequence number that ends a stream. */
const LAST = 0xffffffff;

/** Distribution of a measured time, in microseconds. */
export interface Percentiles {
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the receiver of a stream saw. */
export interface StreamReport {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  /** Datagrams that came after a later one. */
  readonly reordered: number;
  /** Longest time between two arrivals, in microseconds. */
  readonly longestGapUs: number;
  /** When that gap began. */
  readonly longestGapAt: number;
  readonly owdUs: Percentiles;
}

/** What a client of the echo saw. */
export interface EchoReport {
  readonly sent: number;
  readonly received: number;
  /** From the start to the first answer, in microseconds; -1 without one. */
  readonly firstAnswerUs: number;
  /** Longest time between two answers, in microseconds. */
  readonly longestGapUs: number;
  readonly rttUs: Percentiles;
  /** Only if asked for. */
  readonly trips?: Trips;
}

/** Each round trip of an echo. */
export interface Trips {
  /** When the first was asked for, by the host's clock in microseconds. */
  readonly beginUs: number;
  /** In the order of the questions, in whole microseconds; -1 where no answer came. */
  readonly rttUs: readonly number[];
}

/** Percentiles of `values`, which are sorted in place. */
function percentiles(values: number[]): Percentiles {
  values.sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0);
  return { min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Sends `packetsPerSecond` datagrams of `size` bytes for `seconds`, evenly spaced. */
export function udpSource(
  address: string,
  port: number,
  packetsPerSecond: number,
  size: number,
  seconds: number,
): void {
  const libc = openLibc();
  const clock = new HostClock();
  clock.sharpen();
  const fd = udpSocket(address, port, "connect");
  const bytes = new Uint8Array(Math.max(16, size));
  const view = new DataView(bytes.buffer);
  const count = Math.round(packetsPerSecond * seconds);
  const start = clock.now();
  for (let i = 0; i < count; i++) {
    clock.sleep(start + i * 1e6 / packetsPerSecond - clock.now());
    view.setUint32(0, i);
    view.setFloat64(8, clock.now());
    libc.write(fd, bytes, SIZES[bytes.length] ?? BigInt(bytes.length));
  }
  view.setUint32(0, LAST);
  view.setUint32(4, count);
  for (let i = 0; i < 5; i++) {
    libc.write(fd, bytes, 16n);
    clock.sleep(100_000);
  }
  say({ sent: count });
}

/** Receives one stream on `address`; gives up after `seconds` without its end. */
export function udpSink(address: string, port: number, seconds: number): void {
  const libc = openLibc();
  const clock = new HostClock();
  const fd = udpSocket(address, port, "bind");
  setTimeouts(fd, 100_000);
  say({ listening: true });
  const bytes = new Uint8Array(MAX);
  const view = new DataView(bytes.buffer);
  const seen = new Set<number>();
  const delays: number[] = [];
  let [sent, duplicates, reordered, highest, last] = [0, 0, 0, -1, 0];
  let [longestGapUs, longestGapAt] = [0, 0];
  const end = clock.now() + seconds * 1e6;
  while (clock.now() < end) {
    const length = libc.read(fd, bytes, MAX_SIZE);
    if (length < 16) continue;
    const sequence = view.getUint32(0);
    if (sequence === LAST) {
      sent = view.getUint32(4);
      break;
    }
    const now = clock.now();
    if (last > 0 && now - last > longestGapUs) [longestGapUs, longestGapAt] = [now - last, last];
    last = now;
    if (seen.has(sequence)) duplicates++;
    else delays.push(now - view.getFloat64(8));
    seen.add(sequence);
    if (sequence < highest) reordered++;
    else highest = sequence;
  }
  say(
    {
      sent: sent || highest + 1,
      received: seen.size,
      duplicates,
      reordered,
      longestGapUs,
      longestGapAt,
      owdUs: percentiles(delays),
    } satisfies StreamReport,
  );
}

/** Sends every datagram back, for `seconds`. */
export function udpEcho(address: string, port: number, seconds: number): void {
  const libc = openLibc();
  const clock = new HostClock();
  const fd = udpSocket(address, port, "bind");
  setTimeouts(fd, 200_000);
  say({ listening: true });
  const bytes = new Uint8Array(MAX);
  const from = new Uint8Array(28);
  const fromLength = new Uint32Array([from.length]);
  const end = clock.now() + seconds * 1e6;
  while (clock.now() < end) {
    fromLength[0] = from.length;
    const length = libc.recvfrom(fd, bytes, MAX_SIZE, 0, from, fromLength);
    if (length < 0) continue;
    libc.sendto(fd, bytes, BigInt(length), 0, from, fromLength[0] ?? 0);
  }
}

/**
 * Asks an echo `count` times, `intervalMs` apart, without waiting for answers; reports each round
 * trip `withTrips`.
 */
export function udpPing(
  address: string,
  port: number,
  count: number,
  intervalMs: number,
  size: number,
  withTrips: boolean,
): void {
  const libc = openLibc();
  const clock = new HostClock();
  clock.sharpen();
  const fd = udpSocket(address, port, "connect");
  setTimeouts(fd, Math.min(50_000, intervalMs * 1000));
  const bytes = new Uint8Array(Math.max(16, size));
  const view = new DataView(bytes.buffer);
  const answer = new Uint8Array(MAX);
  const answerView = new DataView(answer.buffer);
  const trips: number[] = [];
  const inTurn = Array<number>(count).fill(-1);
  const start = clock.now();
  let [sent, received, firstAnswerUs] = [0, 0, -1];
  let [lastAt, longestGapUs] = [NaN, 0];
  for (
    const end = start + count * intervalMs * 1000 + 1e6;
    clock.now() < end && received < count;
  ) {
    if (sent < count && clock.now() >= start + sent * intervalMs * 1000) {
      view.setUint32(0, sent++);
      view.setFloat64(8, clock.now());
      libc.write(fd, bytes, BigInt(bytes.length));
    }
    if (libc.read(fd, answer, MAX_SIZE) < 16) {
      if (errno() !== ERRNO.EAGAIN) clock.sleep(1000);
      continue;
    }
    const now = clock.now();
    const tripUs = now - answerView.getFloat64(8);
    trips.push(tripUs);
    inTurn[answerView.getUint32(0)] = Math.round(tripUs);
    if (received++ === 0) firstAnswerUs = Math.round(now - start);
    else longestGapUs = Math.max(longestGapUs, Math.round(now - lastAt));
    lastAt = now;
  }
  say(
    {
      sent,
      received,
      firstAnswerUs,
      longestGapUs,
      rttUs: percentiles(trips),
      ...withTrips && { trips: { beginUs: start, rttUs: inTurn } },
    } satisfies EchoReport,
  );
}

const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DO = 2;

/** Sends one datagram that must not be fragmented; says the errno, 0 when the kernel took it. */
export function udpUnfragmented(address: string, port: number, size: number): void {
  const fd = udpSocket(address, port, "connect");
  setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  const written = openLibc().write(fd, new Uint8Array(size), BigInt(size));
  say({ errno: written < 0 ? errno() : 0 });
}
