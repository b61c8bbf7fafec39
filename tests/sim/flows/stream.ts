/**
 * A UDP stream of constant rate, such as a call: its longest silence, what was lost, how long
 * packets took.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import {
  IPV4_BYTES,
  PROTOCOL,
  read32,
  type Side,
  write16,
  write32,
  writePorts,
} from "../packet.ts";
import { Flow, type Network } from "./flow.ts";
import { Samples } from "./samples.ts";

const UDP_BYTES = 8;

/** Options of a stream. */
export interface StreamOptions {
  readonly from: Side;
  readonly packetsPerSecond: number;
  /** IP packet. */
  readonly bytes: number;
  /** Type of service; 0xb8 is expedited forwarding. */
  readonly tos?: number;
}

/** Packets at a fixed interval. */
export class StreamFlow extends Flow {
  /** Microseconds; counted from the first packet that arrives. */
  longestGapUs = 0;
  /** When the longest gap ended. */
  longestGapAt = 0;
  readonly delays = new Samples();
  #sent = 0;
  #lastArrival = -1;
  readonly #timer: Timer;

  constructor(network: Network, port: number, readonly options: StreamOptions) {
    super(network, port);
    this.#timer = new Timer(network.queue, (now) => this.start(now));
  }

  start(now: number): void {
    const { from, bytes, tos } = this.options;
    const out = this.headers;
    writePorts(out, from, this.port);
    write16(out, IPV4_BYTES + 4, bytes - IPV4_BYTES);
    write16(out, IPV4_BYTES + 6, 0);
    write32(out, IPV4_BYTES + UDP_BYTES, this.#sent++);
    write32(out, IPV4_BYTES + UDP_BYTES + 4, now);
    this.emit(from, PROTOCOL.udp, bytes, tos);
    this.#timer.set(now + 1e6 / this.options.packetsPerSecond);
  }

  stop(): void {
    this.#timer.set(Infinity);
  }

  /** Bytes of UDP payload that came out. */
  get goodBytes(): number {
    const { from, bytes } = this.options;
    return this.ledgers[from].delivered * (bytes - IPV4_BYTES - UDP_BYTES);
  }

  /** Packets that never came out, including those still on their way. */
  get lost(): number {
    const ledger = this.ledgers[this.options.from];
    return ledger.sent - ledger.delivered;
  }

  protected receive(now: number, _side: Side, bytes: Uint8Array, at: number): void {
    const sentAtUs = read32(bytes, at + IPV4_BYTES + UDP_BYTES + 4);
    this.delays.add((now - sentAtUs) % 0x1_0000_0000);
    if (this.#lastArrival >= 0 && now - this.#lastArrival > this.longestGapUs) {
      this.longestGapUs = now - this.#lastArrival;
      this.longestGapAt = now;
    }
    this.#lastArrival = now;
  }
}
