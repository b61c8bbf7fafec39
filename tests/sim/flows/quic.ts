/**
 * A download or upload by QUIC: one stream without an end, in UDP, so that the tunnel cannot tell
 * what it is.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import { CLIENT, PROTOCOL, SERVER, type Side } from "../packet.ts";
import {
  type AckPacket,
  type DataPacket,
  ECN_CAPABLE,
  emptyAck,
  payloadOf,
  readAck,
  readData,
  writeAck,
  writeData,
} from "../quic/packet.ts";
import { ReceivingSocket } from "../quic/receiving_socket.ts";
import { QuicReceiver } from "../quic/receiver.ts";
import { QuicSender } from "../quic/sender.ts";
import type { CongestionName } from "../tcp/congestion.ts";
import { Flow, type Network } from "./flow.ts";

/** quinn's default: what 100 Mbit/s need for 100 ms. */
const WINDOW_BYTES = 1_250_000;
/** Largest datagram that quinn looks for, in an IP packet. */
const MAX_PACKET_BYTES = 1452 + 28;

/** Options of a transfer. */
export interface QuicOptions {
  /** Which side sends the data. */
  readonly from: Side;
  /** Of the TUN interfaces at first. Later changes are not followed: probing is not modelled. */
  readonly mtu: number;
  readonly congestion?: CongestionName;
}

/** One connection that sends as fast as it may. */
export class QuicFlow extends Flow {
  readonly sender: QuicSender;
  readonly receiver: QuicReceiver;
  readonly socket: ReceivingSocket;
  readonly #packetBytes: number;
  readonly #data: DataPacket = { number: 0, piece: 0, marked: false };
  readonly #ack: AckPacket = emptyAck();
  readonly #senderTimer: Timer;
  readonly #ackTimer: Timer;
  #stopped = false;

  constructor(network: Network, port: number, readonly options: QuicOptions) {
    super(network, port);
    const { from, mtu, congestion = "cubic" } = options;
    this.#packetBytes = Math.min(mtu, MAX_PACKET_BYTES);
    const window = Math.floor(WINDOW_BYTES / payloadOf(this.#packetBytes));
    this.#senderTimer = new Timer(network.queue, (now) => {
      if (!this.#stopped) this.sender.onTimer(now);
    });
    this.#ackTimer = new Timer(network.queue, (now) => this.receiver.onDelayedAck(now));
    const io = {
      sendPacket: (_now: number, number: number, piece: number): void => {
        this.#data.number = number;
        this.#data.piece = piece;
        writeData(this.headers, from, port, this.#data, this.#packetBytes);
        this.emit(from, PROTOCOL.udp, this.#packetBytes, ECN_CAPABLE);
      },
      armTimer: (at: number): void => this.#senderTimer.set(at),
    };
    this.sender = new QuicSender(io, congestion, window);
    this.receiver = new QuicReceiver({
      sendAck: (now): void => this.#sendAck(now),
      armDelayedAck: (at): void => this.#ackTimer.set(at),
    }, window);
    this.socket = new ReceivingSocket(network.queue, (now, { number, piece, marked }) => {
      if (!this.#stopped) this.receiver.onData(now, number, piece, marked);
    });
  }

  /** Stream data that the application has got in order. */
  get goodBytes(): number {
    return this.receiver.next * payloadOf(this.#packetBytes);
  }

  start(now: number): void {
    this.sender.start(now);
  }

  stop(): void {
    this.#stopped = true;
    this.#senderTimer.set(Infinity);
    this.#ackTimer.set(Infinity);
  }

  protected receive(now: number, side: Side, bytes: Uint8Array, at: number): void {
    if (this.#stopped) return;
    if (side === this.options.from) {
      if (readAck(bytes, at, this.#ack)) this.sender.onAck(now, this.#ack);
    } else if (readData(bytes, at, this.#data)) {
      this.socket.push(now, this.#data);
    }
  }

  #sendAck(now: number): void {
    const side = this.options.from === CLIENT ? SERVER : CLIENT;
    this.receiver.fill(now, this.#ack);
    this.emit(side, PROTOCOL.udp, writeAck(this.headers, side, this.port, this.#ack));
  }
}
