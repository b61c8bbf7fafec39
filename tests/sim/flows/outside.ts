/**
 * Traffic of somebody else on a line that the tunnel uses: it competes for the line's queue and
 * knows nothing of the tunnel.
 *
 * @module
 */

import { DROPPED } from "../../pair/elements/element.ts";
import type { EventQueue, Handler } from "../../pair/event_queue.ts";
import type { SimLink } from "../../pair/link.ts";
import { CLIENT, HEADER_BYTES, SERVER, type Side } from "../packet.ts";
import type { Flow, Network } from "./flow.ts";

/** A line as the network of one flow without a tunnel. */
export class OutsideNetwork implements Network {
  /** Who is at both ends; set once, before it begins. */
  flow!: Flow;
  /** Packets on the way, by their places; a place holds headers and length. */
  #packets: Uint8Array[] = [];
  #lengths: number[] = [];
  readonly #free: number[] = [];
  readonly #atClient: Handler;
  readonly #atServer: Handler;

  constructor(readonly queue: EventQueue, readonly link: SimLink) {
    this.#atClient = { onEvent: (now, place) => this.#arrive(now, CLIENT, place) };
    this.#atServer = { onEvent: (now, place) => this.#arrive(now, SERVER, place) };
  }

  inject(side: Side, headers: Uint8Array, totalBytes: number): void {
    const chain = side === CLIENT ? this.link.up : this.link.down;
    const arrival = chain.pass(this.queue.now, totalBytes - chain.headerBytes);
    if (arrival === DROPPED) return;
    const place = this.#free.pop() ?? this.#packets.push(new Uint8Array(HEADER_BYTES)) - 1;
    this.#packets[place]!.set(headers.subarray(0, Math.min(HEADER_BYTES, totalBytes)));
    this.#lengths[place] = totalBytes;
    this.queue.add(arrival, side === CLIENT ? this.#atServer : this.#atClient, place);
  }

  #arrive(now: number, side: Side, place: number): void {
    const bytes = this.#packets[place]!;
    this.flow.onArrival(now, side, bytes, 0);
    this.flow.onPacket(now, side, bytes, 0, this.#lengths[place]!);
    this.#free.push(place);
  }
}
