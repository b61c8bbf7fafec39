/**
 * Counts datagrams that come faster than {@linkcode udpSink} could look at each.
 *
 * @module
 */

import { HostClock, openLibc } from "../libc.ts";
import { say, udpSocket } from "./socket.ts";

const MAX = 2048;
const MAX_SIZE = BigInt(MAX);
const MSG_DONTWAIT = 0x40;
/**
 * How long it sleeps when it has emptied the socket, in microseconds. A reader that waits in the
 * kernel is woken for every datagram, at the deliverer's cost.
 */
const NAP_US = 1000;
/** A stream is over when nothing has come for this long. */
const SILENCE_US = 500_000;

/** The result. */
export interface CountReport {
  readonly received: number;
}

/** Counts what comes to `address` until the stream ends, or for `seconds`. */
export function udpCount(address: string, port: number, seconds: number): void {
  const libc = openLibc();
  const clock = new HostClock();
  clock.sharpen();
  const fd = udpSocket(address, port, "bind");
  say({ listening: true });
  const bytes = new Uint8Array(MAX);
  const end = clock.now() + seconds * 1e6;
  let received = 0;
  for (let heardAt = Infinity, now = 0; now < end && now - heardAt < SILENCE_US;) {
    const before = received;
    while (libc.recvfrom(fd, bytes, MAX_SIZE, MSG_DONTWAIT, null, null) >= 0) received++;
    now = clock.now();
    if (received > before) heardAt = now;
    clock.sleep(NAP_US);
  }
  say({ received } satisfies CountReport);
}
