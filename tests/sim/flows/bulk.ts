/**
 * A bulk TCP transfer: opened by the client, as long as the simulation, in
 * either direction. Goodput is what the receiver has in order.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import { CLIENT, PROTOCOL, SERVER, type Side } from "../packet.ts";
import type { CongestionName } from "../tcp/congestion.ts";
import { Receiver } from "../tcp/receiver.ts";
import { DATA_HEADERS_BYTES, FLAG, readSegment, Segment, writeSegment } from "../tcp/segment.ts";
import { type Ack, Sender } from "../tcp/sender.ts";
import { Flow, type Network } from "./flow.ts";

/** Receive buffer, as Linux' auto-tuning allows by default. */
const WINDOW_BYTES = 6 << 20;
const SYN_RETRY_US = 1_000_000;

/** Options of a bulk transfer. */
export interface BulkOptions {
  /** Which side sends the data. */
  readonly from: Side;
  /** Of the TUN interfaces. */
  readonly mtu: number;
  readonly hystart?: boolean;
  readonly congestion?: CongestionName;
  /** Segments to send at first; endless when absent. */
  readonly limit?: number;
}

/** One TCP connection that sends as fast as it may. */
export class BulkFlow extends Flow {
  readonly sender: Sender;
  readonly receiver: Receiver;
  #segmentBytes: number;
  readonly #segment = new Segment();
  readonly #out = new Segment();
  readonly #ack: Ack;
  readonly #handshakeTimer: Timer;
  readonly #senderTimer: Timer;
  readonly #ackTimer: Timer;
  #established = false;
  #stopped = false;

  constructor(network: Network, port: number, readonly options: BulkOptions) {
    super(network, port);
    this.#segmentBytes = options.mtu - DATA_HEADERS_BYTES;
    this.#handshakeTimer = new Timer(network.queue, () => this.start());
    this.#senderTimer = new Timer(network.queue, (now) => {
      if (!this.#stopped) this.sender.onTimer(now);
    });
    this.#ackTimer = new Timer(network.queue, (now) => this.receiver.onDelayedAck(now));
    this.sender = new Sender({
      sendSegment: (now, segment): void => this.#sendData(now, segment),
      armTimer: (at): void => this.#senderTimer.set(at),
    }, options);
    this.receiver = new Receiver({
      sendAck: (now): void => this.#sendAck(now),
      armDelayedAck: (at): void => this.#ackTimer.set(at),
    });
    const { sackStart, sackEnd } = new Segment();
    this.#ack = { next: 0, window: 0, tsEcho: 0, sackCount: 0, sackStart, sackEnd };
  }

  /** Payload bytes delivered in order. */
  get goodBytes(): number {
    return this.receiver.next * this.#segmentBytes;
  }

  start(): void {
    this.#sendControl(CLIENT, FLAG.syn);
    this.#handshakeTimer.set(this.network.queue.now + SYN_RETRY_US);
  }

  stop(): void {
    this.#stopped = true;
    this.#handshakeTimer.set(Infinity);
    this.#senderTimer.set(Infinity);
  }

  protected receive(
    now: number,
    side: Side,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    const segment = this.#segment;
    readSegment(bytes, at, length, segment);
    if (segment.flags & FLAG.syn) this.#onSyn(now, side, segment);
    else if (side !== this.options.from) this.#onData(now, segment);
    else if (!this.#stopped) {
      this.#onAck(now, segment);
      if (segment.payloadBytes > 0) this.onRequest(now, segment.seq);
    }
  }

  /** The connection is open, on the client's side. */
  protected onOpen(_now: number): void {}

  /** The side that sends the data has received some itself. */
  protected onRequest(_now: number, _number: number): void {}

  /** Data has arrived. */
  protected onProgress(_now: number): void {}

  /** Sends `bytes` of payload against the stream, from the client. */
  protected sendRequest(number: number, bytes: number): void {
    this.#prepareAck();
    this.#out.seq = number;
    this.#emit(CLIENT, bytes);
  }

  #onSyn(now: number, side: Side, segment: Segment): void {
    this.#segmentBytes = Math.min(this.#segmentBytes, segment.mss - 12);
    if (side === SERVER) this.#sendControl(SERVER, FLAG.syn | FLAG.ack);
    else {
      this.#handshakeTimer.set(Infinity);
      this.#sendControl(CLIENT, FLAG.ack);
      if (this.options.from === CLIENT) this.#establish();
      this.onOpen(now);
    }
  }

  #onData(now: number, segment: Segment): void {
    if (segment.payloadBytes <= 0) return;
    const receiver = this.receiver;
    const number = this.#unwrap(segment.seq, receiver.next);
    receiver.onData(now, number, segment.tsValue);
    this.onProgress(now);
  }

  #onAck(now: number, segment: Segment): void {
    if (!this.#established) {
      this.#establish();
      return;
    }
    const una = this.sender.board.una;
    const ack = this.#ack;
    ack.next = this.#unwrap(segment.ack, una);
    ack.window = Math.floor(segment.window / this.#segmentBytes);
    ack.tsEcho = segment.tsEcho;
    ack.sackCount = segment.sackCount;
    for (let i = 0; i < segment.sackCount; i++) {
      ack.sackStart[i] = this.#unwrap(segment.sackStart[i]!, una);
      ack.sackEnd[i] = this.#unwrap(segment.sackEnd[i]!, una);
    }
    this.sender.onAck(now, ack);
  }

  #establish(): void {
    if (this.#established) return;
    this.#established = true;
    this.sender.start(this.network.queue.now);
  }

  /** Returns the number of the segment that begins at sequence number `seq`, near `known`. */
  #unwrap(seq: number, known: number): number {
    const difference = (seq - this.#seqOf(known)) | 0;
    return known + Math.round(difference / this.#segmentBytes);
  }

  #seqOf(segment: number): number {
    return (1 + segment * this.#segmentBytes) % 0x1_0000_0000;
  }

  #sendControl(side: Side, flags: number): void {
    const out = this.#out;
    out.flags = flags;
    out.seq = flags & FLAG.syn ? 0 : 1;
    out.ack = flags & FLAG.ack ? 1 : 0;
    out.mss = flags & FLAG.syn ? this.options.mtu - 40 : 0;
    out.sackCount = 0;
    this.#emit(side, 0);
  }

  #sendData(_now: number, segment: number): void {
    const out = this.#out;
    out.flags = FLAG.ack;
    out.seq = this.#seqOf(segment);
    out.ack = 1;
    out.mss = out.sackCount = 0;
    this.#emit(this.options.from, this.#segmentBytes);
  }

  #sendAck(_now: number): void {
    this.#prepareAck();
    this.#emit(this.options.from === CLIENT ? SERVER : CLIENT, 0);
  }

  #prepareAck(): void {
    const out = this.#out;
    out.flags = FLAG.ack;
    out.seq = 1;
    out.ack = this.#seqOf(this.receiver.next);
    out.mss = 0;
    out.sackCount = this.receiver.takeBlocks(out.sackStart, out.sackEnd);
    for (let i = 0; i < out.sackCount; i++) {
      out.sackStart[i] = this.#seqOf(out.sackStart[i]!);
      out.sackEnd[i] = this.#seqOf(out.sackEnd[i]!);
    }
  }

  #emit(side: Side, payloadBytes: number): void {
    const out = this.#out;
    const sends = side === this.options.from;
    out.window = sends ? 65536 : WINDOW_BYTES - this.receiver.held * this.#segmentBytes;
    out.tsValue = Math.floor(this.network.queue.now / 1000);
    out.tsEcho = sends ? 0 : this.receiver.tsRecent;
    const headerBytes = writeSegment(this.headers, side, this.port, out);
    this.emit(side, PROTOCOL.tcp, headerBytes + payloadBytes);
  }
}
