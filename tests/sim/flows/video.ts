/**
 * The picture of a video call: frames in bursts, each of which must be whole by a deadline.
 *
 * A frame that is not freezes the picture for its time. That others need it to be decoded is left
 * out, since calls recover in many ways.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import {
  HEADER_BYTES,
  IPV4_BYTES,
  PROTOCOL,
  read32,
  type Side,
  write16,
  write32,
  writePorts,
} from "../packet.ts";
import { Flow, type Network } from "./flow.ts";

const UDP_BYTES = 8;
const HEADERS_BYTES = IPV4_BYTES + UDP_BYTES;
/** What real-time media put into a packet at most. */
const PAYLOAD_BYTES = 1200;
/** A receiver's buffer: later than this after it was sent, a frame is not shown; microseconds. */
const DEADLINE_US = 150_000;
const FRAMES_PER_SECOND = 30;
const FRAME_US = 1e6 / FRAMES_PER_SECOND;
const DEADLINE_FRAMES = Math.ceil(DEADLINE_US / FRAME_US) + 1;

/** Frames at a fixed interval, all of the same size. */
export class VideoFlow extends Flow {
  /** How long the picture stood still, in microseconds. */
  frozenUs = 0;
  readonly #from: Side;
  readonly #frameBytes: number;
  readonly #timer: Timer;
  /** Bytes of each frame that came in time. */
  readonly #bytes: number[] = [];

  /** @param mbps of payload, in Mbit/s */
  constructor(network: Network, port: number, from: Side, mbps: number) {
    super(network, port);
    this.#from = from;
    this.#frameBytes = Math.round(mbps * 1e6 / 8 / FRAMES_PER_SECOND);
    this.#timer = new Timer(network.queue, (now) => this.start(now));
  }

  start(now: number): void {
    const frame = this.#bytes.length;
    this.#bytes.push(0);
    const due = this.#bytes[frame - DEADLINE_FRAMES];
    if (due !== undefined && due < this.#frameBytes) this.frozenUs += FRAME_US;
    for (let left = this.#frameBytes; left > 0; left -= PAYLOAD_BYTES) {
      this.#send(now, frame, Math.min(left, PAYLOAD_BYTES));
    }
    this.#timer.set(now + FRAME_US);
  }

  stop(): void {
    this.#timer.set(Infinity);
  }

  #send(now: number, frame: number, payloadBytes: number): void {
    const out = this.headers.fill(0);
    const bytes = Math.max(HEADERS_BYTES + payloadBytes, HEADER_BYTES);
    writePorts(out, this.#from, this.port);
    write16(out, IPV4_BYTES + 4, bytes - IPV4_BYTES);
    write32(out, HEADERS_BYTES, frame);
    write32(out, HEADERS_BYTES + 4, now);
    write32(out, HEADERS_BYTES + 8, payloadBytes);
    this.emit(this.#from, PROTOCOL.udp, bytes);
  }

  protected receive(now: number, _side: Side, bytes: Uint8Array, at: number): void {
    const frame = read32(bytes, at + HEADERS_BYTES);
    const delayUs = (now - read32(bytes, at + HEADERS_BYTES + 4)) % 0x1_0000_0000;
    if (delayUs > DEADLINE_US) return;
    this.#bytes[frame] = this.#bytes[frame]! + read32(bytes, at + HEADERS_BYTES + 8);
  }
}
