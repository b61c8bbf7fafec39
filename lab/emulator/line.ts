/**
 * A line: two TUN ends and the two directions between them.
 *
 * @module
 */

import { ERRNO, errno, type Libc, openLibc, SIZES } from "../libc.ts";
import { Direction } from "./direction.ts";
import { tooBigAnswer } from "./icmp.ts";
import type { LineCounters, LinePlan, Way } from "./protocol.ts";
import { SLOT_BYTES, type Slots } from "./slots.ts";
import { openTunIn } from "./tun.ts";

/** Packets that may queue, and be on the way, in one direction. */
const CAPACITY = 16384;
/** Packets read from one end before it is the others' turn. */
const READ_ROUND = 64;
const SLOT_SIZE = BigInt(SLOT_BYTES);

/** One direction with the descriptors at its ends. */
export class Lane {
  readonly direction: Direction;
  readonly from: number;
  readonly #to: number;
  readonly #slots: Slots;
  readonly #libc: Libc = openLibc();
  #captureLeft = 0;
  #captured: Uint8Array[] = [];

  constructor(from: number, to: number, slots: Slots, seed: number) {
    this.from = from;
    this.#to = to;
    this.#slots = slots;
    this.direction = new Direction(
      CAPACITY,
      seed,
      (slot) => slots.release(slot),
      (slot, length, mtu) => this.#answerTooBig(slot, length, mtu),
    );
  }

  /** Reads what waits at the near end; false when there may be more. */
  read(now: number): boolean {
    this.direction.advance(now);
    for (let i = 0; i < READ_ROUND; i++) {
      const slot = this.#slots.take();
      if (slot < 0) {
        this.direction.overran();
        return true;
      }
      const view = this.#slots.views[slot] as Uint8Array<ArrayBuffer>;
      const length = this.#libc.read(this.from, view, SLOT_SIZE);
      if (length <= 0) {
        this.#slots.release(slot);
        const code = errno();
        if (code === ERRNO.EAGAIN || code === ERRNO.EIO || code === ERRNO.EINTR) return true;
        throw new Error(`read from a line's end: errno ${code}`);
      }
      this.#slots.lengths[slot] = length;
      if (this.#captureLeft > 0) this.#keep(view.slice(0, length));
      this.direction.accept(now, slot, length);
    }
    return false;
  }

  /** Writes what has arrived by `now` to the far end. */
  deliver(now: number): void {
    this.direction.advance(now);
    for (;;) {
      const slot = this.direction.pollDelivery(now);
      if (slot < 0) return;
      const length = this.#slots.lengths[slot] ?? 0;
      const size = SIZES[length] ?? 0n;
      const written = this.#libc.write(
        this.#to,
        this.#slots.views[slot] as Uint8Array<ArrayBuffer>,
        size,
      );
      if (written === length) this.direction.delivered(length);
      this.#slots.release(slot);
    }
  }

  /** Keeps copies of the next `count` packets. */
  capture(count: number): void {
    this.#captured = [];
    this.#captureLeft = count;
  }

  /** Hands over what was kept. */
  takeCaptured(): readonly Uint8Array[] {
    const captured = this.#captured;
    this.#captured = [];
    return captured;
  }

  /** Tells the sender at the near end that its packet is too large; see {@linkcode tooBigAnswer}. */
  #answerTooBig(slot: number, length: number, mtu: number): boolean {
    const answer = tooBigAnswer(this.#slots.views[slot]!.subarray(0, length), mtu);
    if (answer === undefined) return false;
    const bytes = answer as Uint8Array<ArrayBuffer>;
    return this.#libc.write(this.from, bytes, BigInt(bytes.length)) === bytes.length;
  }

  #keep(packet: Uint8Array): void {
    this.#captureLeft--;
    this.#captured.push(packet);
  }
}

/** Both directions of a line. */
export class Line {
  readonly name: string;
  readonly up: Lane;
  readonly down: Lane;

  constructor(plan: LinePlan, slots: Slots, seed: number, now: number) {
    this.name = plan.name;
    const client = openTunIn(plan.client.namespace, plan.client.interface);
    const server = openTunIn(plan.server.namespace, plan.server.interface);
    this.up = new Lane(client, server, slots, seed);
    this.down = new Lane(server, client, slots, seed ^ 0x5bd1e995);
    this.up.direction.reshape(now, plan.up);
    this.down.direction.reshape(now, plan.down);
  }

  /** The lane of one way. */
  lane(way: Way): Lane {
    return way === "up" ? this.up : this.down;
  }

  /** What both directions have done. */
  counters(): LineCounters {
    return {
      name: this.name,
      up: this.up.direction.counters(),
      down: this.down.direction.counters(),
    };
  }
}
