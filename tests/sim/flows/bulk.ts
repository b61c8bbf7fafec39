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
import { Pieces, Segmentation } from "../tcp/segmentation.ts";
import { DATA_HEADERS_BYTES, FLAG, readSegment, Segment, writeSegment } from "../tcp/segment.ts";
import { type Ack, Sender } from "../tcp/sender.ts";
import { Flow, type Network } from "./flow.ts";

/** Receive buffer, as Linux' auto-tuning allows by default. */
const WINDOW_BYTES = 6 << 20;
const SYN_RETRY_US = 1_000_000;
/** Headers that the maximum segment size leaves out (RFC 6691), and options that are in it. */
const MSS_HEADERS_BYTES = 40;
const OPTIONS_BYTES = DATA_HEADERS_BYTES - MSS_HEADERS_BYTES;

/** Options of a bulk transfer. */
export interface BulkOptions {
  /** Which side sends the data. */
  readonly from: Side;
  /** Of the TUN interfaces, until {@linkcode BulkFlow.setMtu} says otherwise. */
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
  readonly #segments: Segmentation;
  readonly #pieces = new Pieces();
  /** Of the TUN interfaces, by side. */
  readonly #mtus: [number, number];
  /** The maximum segment size that the receiving side has announced. */
  #peerMss = Infinity;
  /** Payload of the segments that are sent now, the first time or again. */
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
    this.#mtus = [options.mtu, options.mtu];
    this.#segmentBytes = options.mtu - DATA_HEADERS_BYTES;
    this.#segments = new Segmentation(this.#segmentBytes);
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
    return this.#segments.startOf(this.receiver.next);
  }

  /** Payload of a segment that is sent now. */
  get segmentBytes(): number {
    return this.#segmentBytes;
  }

  /**
   * The TUN interface of `side` has another mtu: what its TCP sends from now on, and sends again,
   * is no larger. It grows no further than the other side announced when the connection began.
   */
  override setMtu(side: Side, mtu: number): void {
    this.#mtus[side] = mtu;
    this.#resize();
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
    if (side === this.options.from && !this.#established) {
      this.#peerMss = segment.mss;
      this.#resize();
    }
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
    const byte = this.#unwrapByte(segment.seq, receiver.next);
    const number = this.#segments.segmentAt(byte);
    const from = byte - this.#segments.startOf(number);
    const size = this.#segments.sizeOf(number);
    if (!this.#pieces.add(number, size, from, from + segment.payloadBytes)) return;
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

  #resize(): void {
    const mss = Math.min(this.#peerMss, this.#mtus[this.options.from] - MSS_HEADERS_BYTES);
    this.#segmentBytes = mss - OPTIONS_BYTES;
    this.#segments.resize(this.sender.board.next, this.#segmentBytes);
  }

  /** Returns the number of the segment that begins at sequence number `seq`, near `known`. */
  #unwrap(seq: number, known: number): number {
    return this.#segments.segmentAt(this.#unwrapByte(seq, known));
  }

  /** Returns the byte of the stream at sequence number `seq`, near segment `known`. */
  #unwrapByte(seq: number, known: number): number {
    return this.#segments.startOf(known) + ((seq - this.#seqOf(known)) | 0);
  }

  #seqOf(segment: number): number {
    return sequenceOf(this.#segments.startOf(segment));
  }

  #sendControl(side: Side, flags: number): void {
    const out = this.#out;
    out.flags = flags;
    out.seq = flags & FLAG.syn ? 0 : 1;
    out.ack = flags & FLAG.ack ? 1 : 0;
    out.mss = flags & FLAG.syn ? this.#mtus[side] - MSS_HEADERS_BYTES : 0;
    out.sackCount = 0;
    this.#emit(side, 0);
  }

  #sendData(_now: number, segment: number): void {
    const out = this.#out;
    out.flags = FLAG.ack;
    out.ack = 1;
    out.mss = out.sackCount = 0;
    const end = this.#segments.startOf(segment + 1);
    for (let at = this.#segments.startOf(segment); at < end; at += this.#segmentBytes) {
      out.seq = sequenceOf(at);
      this.#emit(this.options.from, Math.min(this.#segmentBytes, end - at));
    }
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

  #windowBytes(): number {
    const { held, next } = this.receiver;
    return WINDOW_BYTES - held * this.#segments.sizeOf(next);
  }

  #emit(side: Side, payloadBytes: number): void {
    const out = this.#out;
    const sends = side === this.options.from;
    out.window = sends ? 65536 : this.#windowBytes();
    out.tsValue = Math.floor(this.network.queue.now / 1000);
    out.tsEcho = sends ? 0 : this.receiver.tsRecent;
    const headerBytes = writeSegment(this.headers, side, this.port, out);
    this.emit(side, PROTOCOL.tcp, headerBytes + payloadBytes);
  }
}

/** The sequence number of a byte of the stream. */
function sequenceOf(byte: number): number {
  return (1 + byte) % 0x1_0000_0000;
}
