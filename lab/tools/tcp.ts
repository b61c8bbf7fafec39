/**
 * A TCP transfer: a source that writes as fast as the kernel accepts and a sink that reports every
 * 100 ms what came.
 *
 * @module
 */

import { ERRNO, errno, HostClock, openLibc } from "../libc.ts";
import {
  congestionControl,
  retransmits,
  say,
  setTimeouts,
  tcpConnect,
  tcpListen,
} from "./socket.ts";

const CHUNK = new Uint8Array(256 * 1024);
const CHUNK_SIZE = BigInt(CHUNK.length);
const REPORT_US = 100_000;
/**
 * How long the sink sleeps when it has emptied the socket. A reader that waits in the kernel is
 * woken for every segment, and on a virtual machine that costs the deliverer up to 50 us.
 */
const NAP_US = 2000;
const MSG_DONTWAIT = 0x40;

/** One line of the sink. */
export interface TcpSample {
  /** Microseconds of the host's clock at the end of the interval. */
  readonly at: number;
  /** Bytes that came in the interval. */
  readonly bytes: number;
  /** Longest time without a byte that ended, or still goes on, in the interval, in microseconds. */
  readonly gapUs: number;
}

/** Last line of the sink. */
export interface TcpTotal {
  readonly total: number;
  /** From the first byte to the last, in microseconds. */
  readonly elapsedUs: number;
  /** Longest time without a byte, in microseconds. */
  readonly longestGapUs: number;
}

/** Last line of the source. */
export interface TcpSent {
  readonly congestionControl: string;
  /** Absent where the sender does not tell. */
  readonly retransmits?: number;
}

/** Accepts one connection on `address` and reads it to its end or for `seconds`. */
export function tcpSink(address: string, port: number, seconds: number): void {
  const libc = openLibc();
  const clock = new HostClock();
  const listener = tcpListen(address, port);
  setTimeouts(listener, 10_000_000);
  say({ listening: true });
  clock.sharpen();
  const fd = libc.accept(listener, null, null);
  if (fd < 0) return say({ error: "nobody connected" });
  readToEnd(fd, clock, clock.now() + seconds * 1e6);
}

function readToEnd(fd: number, clock: HostClock, end: number): void {
  const libc = openLibc();
  let first = 0;
  let last = 0;
  let longestGapUs = 0;
  let gapUs = 0;
  let total = 0;
  let bytes = 0;
  let next = clock.now() + REPORT_US;
  for (;;) {
    const length = libc.recvfrom(fd, CHUNK, CHUNK_SIZE, MSG_DONTWAIT, null, null);
    const failed = length < 0 && errno() !== ERRNO.EAGAIN && errno() !== ERRNO.EINTR;
    const now = clock.now();
    if (first !== 0 && now - last > gapUs) gapUs = now - last;
    if (length > 0) {
      if (first === 0) first = now;
      last = now;
      total += length;
      bytes += length;
    }
    for (; now >= next; next += REPORT_US) {
      say({ at: next, bytes, gapUs: Math.round(gapUs) } satisfies TcpSample);
      if (gapUs > longestGapUs) longestGapUs = gapUs;
      bytes = 0;
      gapUs = 0;
    }
    if (length === 0 || failed || now > end) break;
    if (length < CHUNK.length) clock.sleep(NAP_US);
  }
  say({ total, elapsedUs: last - first, longestGapUs } satisfies TcpTotal);
}

/** Connects to a sink and writes for `seconds`. */
export function tcpSource(
  address: string,
  port: number,
  seconds: number,
  congestion: string,
): void {
  const libc = openLibc();
  const clock = new HostClock();
  const fd = tcpConnect(address, port, congestion);
  setTimeouts(fd, 100_000);
  const end = clock.now() + seconds * 1e6;
  while (clock.now() < end) {
    if (libc.write(fd, CHUNK, CHUNK_SIZE) >= 0) continue;
    if (errno() !== ERRNO.EAGAIN && errno() !== ERRNO.EINTR) break;
  }
  say(
    { congestionControl: congestionControl(fd), retransmits: retransmits(fd) } satisfies TcpSent,
  );
  // Ends at once: what is still queued does not matter to a measurement.
  const linger = new Int32Array([1, 0]);
  libc.setsockopt(fd, 1, 13, linger, 8);
  libc.close(fd);
}
