/**
 * Echo requests of the client at a fixed interval, answered by the server: the round trip that a
 * person at the keyboard notices.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import {
  CLIENT,
  IPV4_BYTES,
  PROTOCOL,
  read32,
  SERVER,
  type Side,
  write16,
  write32,
} from "../packet.ts";
import { Flow, type Network } from "./flow.ts";
import { Samples } from "./samples.ts";

const ICMP_BYTES = 8;
const PING_BYTES = 84;
const HEADERS = IPV4_BYTES + ICMP_BYTES + 4;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** A running ping. */
export class PingFlow extends Flow {
  readonly roundTrips = new Samples();
  #sequence = 0;
  readonly #timer: Timer;

  constructor(network: Network, port: number, readonly intervalUs: number) {
    super(network, port);
    this.#timer = new Timer(network.queue, (now) => this.start(now));
  }

  start(now: number): void {
    this.#send(CLIENT, ECHO_REQUEST, this.#sequence++, now);
    this.#timer.set(now + this.intervalUs);
  }

  stop(): void {
    this.#timer.set(Infinity);
  }

  /** Requests without an answer, including those still on their way. */
  get lost(): number {
    return this.ledgers[CLIENT].sent - this.roundTrips.count;
  }

  protected receive(now: number, side: Side, bytes: Uint8Array, at: number): void {
    const sentAtUs = read32(bytes, at + IPV4_BYTES + ICMP_BYTES);
    if (side === CLIENT) this.roundTrips.add(now - sentAtUs);
    else this.#send(SERVER, ECHO_REPLY, bytes[at + IPV4_BYTES + 7]!, sentAtUs);
  }

  #send(side: Side, type: number, sequence: number, stamp: number): void {
    const out = this.headers;
    out.fill(0, IPV4_BYTES, HEADERS);
    out[IPV4_BYTES] = type;
    write16(out, IPV4_BYTES + 4, this.port);
    write16(out, IPV4_BYTES + 6, sequence);
    write32(out, IPV4_BYTES + ICMP_BYTES, stamp);
    this.emit(side, PROTOCOL.icmp, PING_BYTES);
  }
}
