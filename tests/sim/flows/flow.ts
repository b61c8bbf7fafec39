/**
 * Inner traffic between the two TUN interfaces: what all kinds have in common.
 *
 * @module
 */

import type { EventQueue } from "../../pair/event_queue.ts";
import { CLIENT, HEADER_BYTES, packetIdOf, SERVER, type Side, writeIpv4 } from "../packet.ts";
import { Ledger } from "./ledger.ts";

/** Where flows put their packets. */
export interface Network {
  readonly queue: EventQueue;
  /**
   * Puts a packet into the TUN of `side`; it may be dropped there.
   * @param headers its first {@linkcode HEADER_BYTES} or all of it, copied; the rest is payload
   */
  inject(side: Side, headers: Uint8Array, totalBytes: number): void;
}

/** One conversation between client and server. */
export abstract class Flow {
  /** By the side that sends. */
  readonly ledgers: readonly [Ledger, Ledger] = [new Ledger(), new Ledger()];
  protected readonly headers = new Uint8Array(HEADER_BYTES);

  /** @param port the client's port, by which packets find the flow */
  constructor(readonly network: Network, readonly port: number) {}

  /** Begins to send. */
  abstract start(now: number): void;
  /** Stops sending. */
  abstract stop(): void;
  /** The TUN interface of `side` has another mtu. */
  setMtu(_side: Side, _mtu: number): void {}

  /** Handles a packet that is not a duplicate. */
  protected abstract receive(
    now: number,
    side: Side,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void;

  /** A packet has reached the end of the tunnel at `side`, which has not seen it yet. */
  onArrival(now: number, side: Side, bytes: Uint8Array, at: number): void {
    this.ledgers[side === CLIENT ? SERVER : CLIENT].onArrived(now, packetIdOf(bytes, at));
  }

  /** A packet came out of the TUN of `side`. Returns false when it had come out before. */
  onPacket(now: number, side: Side, bytes: Uint8Array, at: number, length: number): boolean {
    const sender = side === CLIENT ? SERVER : CLIENT;
    const fresh = this.ledgers[sender].onDelivered(now, packetIdOf(bytes, at));
    if (fresh) this.receive(now, side, bytes, at, length);
    return fresh;
  }

  /** Completes the packet in {@linkcode headers} with an IPv4 header and sends it. */
  protected emit(side: Side, protocol: number, totalBytes: number, tos = 0): void {
    writeIpv4(this.headers, side, protocol, totalBytes, this.ledgers[side].nextId(), tos);
    this.network.inject(side, this.headers, totalBytes);
  }
}
