/**
 * The stages from the tunnel interface to a sealed datagram, without the sealing.
 *
 * @module
 */

import { TransmitBatch } from "../../src/batch.ts";
import { Drops } from "../../src/drops.ts";
import { InFlight } from "../../src/links/in_flight.ts";
import { Path } from "../../src/links/path.ts";
import { FlowQueue } from "../../src/queue/flow_queue.ts";
import { remoteOf } from "../../src/remote.ts";
import { Rules } from "../../src/scheduler/rules.ts";
import { Sender } from "../../src/scheduler/sender.ts";
import { Transmitter } from "../../src/scheduler/transmitter.ts";
import { Session } from "../../src/session/session.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { PacketInfo, parsePacket } from "../../src/wire/ip.ts";
import { NO_KEY } from "./null_aead.ts";
import { putPacket, tcpHeaders } from "./packets.ts";
import { BATCH, type Stage, START_US } from "./stage.ts";

const SIZE_BYTES = 1400;
const POOL_SLOTS = 4096;
const QUEUE_PACKETS = 2048;
/** Wide enough that the pacer never asks to wait longer than a step. */
const CAPACITY_BPS = 50e9;
/** Virtual time between two batches. */
const STEP_US = 100;
const BUCKET_MASK = 1023;

/** A pool whose first {@linkcode BATCH} slots hold a packet each, of `flows` flows in turn. */
function filledPool(flows: number): { pool: PacketPool; slots: Int32Array } {
  const pool = new PacketPool(POOL_SLOTS);
  const slots = Int32Array.from({ length: BATCH }, () => pool.alloc());
  slots.forEach((slot, i) => putPacket(pool, slot, tcpHeaders(SIZE_BYTES, i % flows), SIZE_BYTES));
  return { pool, slots };
}

function classify(): Stage {
  const { pool, slots } = filledPool(1);
  const info = new PacketInfo();
  return {
    name: "parsePacket",
    prepare: (): void => {},
    run(): void {
      for (let i = 0; i < BATCH; i++) {
        parsePacket(pool.bytes, pool.at(slots[i]!) + PACKET_OFFSET, SIZE_BYTES, info);
      }
    },
  };
}

function classifyAndQueue(flows: number): Stage {
  const { pool, slots } = filledPool(flows);
  const info = new PacketInfo();
  const queue = new FlowQueue(pool, QUEUE_PACKETS, () => {}, () => false);
  let now = START_US;
  return {
    name: `parsePacket, FlowQueue push and shift, ${flows === 1 ? "1 flow" : `${flows} flows`}`,
    prepare(): void {
      now += STEP_US;
    },
    run(): void {
      for (let i = 0; i < BATCH; i++) {
        const slot = slots[i]!;
        parsePacket(pool.bytes, pool.at(slot) + PACKET_OFFSET, SIZE_BYTES, info);
        queue.push(now, slot, info.flowHash & BUCKET_MASK);
      }
      for (let i = 0; i < BATCH; i++) queue.shift(now, true);
    },
  };
}

/** A path that is up and never full. */
function openPath(id: number): Path {
  const options = {
    id,
    name: `link${id}`,
    tier: "primary",
    metered: false,
    capBps: CAPACITY_BPS,
    timeoutUs: 1e12,
  } as const;
  const path = new Path(options, START_US, id, remoteOf(Uint8Array.of(192, 0, 2, 1), 5080 + id));
  path.handleProbeAck(START_US + STEP_US, path.nextProbe(START_US));
  path.mtu.restart();
  path.mtu.handleAck(1500);
  return path;
}

/** A sender with `links` open links, and all it needs. */
class SendingEnd {
  readonly pool: PacketPool;
  readonly sender: Sender;
  now = START_US + STEP_US;
  readonly #slots: Int32Array;
  readonly #info = new PacketInfo();
  readonly #paths: readonly Path[];
  readonly #batches: readonly TransmitBatch[];
  readonly #session: Session;
  readonly #out: Transmitter;
  readonly #release = (slot: number): void => this.pool.release(slot);

  constructor(links: number) {
    const { pool, slots } = filledPool(1);
    this.pool = pool;
    this.#slots = slots;
    this.#paths = Array.from({ length: links }, (_, id) => openPath(id));
    this.#batches = this.#paths.map(() => new TransmitBatch());
    this.#session = new Session(1, 2, START_US, "none", NO_KEY, NO_KEY, links);
    const rules = new Rules([], "off");
    const out = this.#out = new Transmitter(pool);
    this.sender = new Sender({
      pool,
      paths: this.#paths,
      limit: QUEUE_PACKETS,
      drops: new Drops(),
      rules,
      schedule: "fast",
      out,
      onTooBig: (_now, slot) => this.#release(slot),
    });
    slots.forEach((slot) => this.#release(slot));
  }

  /** Reads a batch "from the interface". */
  read(): void {
    for (let i = 0; i < BATCH; i++) this.#slots[i] = this.pool.alloc();
  }

  /** Classifies and queues what was read. `now` is one number for all calls, as the driver has it. */
  take(now: number): void {
    for (let i = 0; i < BATCH; i++) {
      const slot = this.#slots[i]!;
      const at = this.pool.at(slot) + PACKET_OFFSET;
      parsePacket(this.pool.bytes, at, this.pool.lengths[slot]!, this.#info);
      this.sender.handlePacket(now, slot, this.#info);
    }
  }

  /** Moves what waits to the batches. */
  fill(): void {
    this.#out.begin(this.now, this.#session, this.#batches);
    this.sender.fill();
  }

  /** Forgets the batches, and what was sent is acknowledged. */
  settle(): void {
    this.now += STEP_US;
    for (const batch of this.#batches) batch.count = 0;
    for (const { flight } of this.#paths) {
      flight.acknowledge(flight.next - BATCH, flight.next - 1, this.#release);
    }
    if (this.sender.waiting > 0) throw new Error("The sender keeps packets back");
  }
}

/** From the interface into the sender's queue. */
function handlePacket(): Stage {
  const end = new SendingEnd(1);
  return {
    name: "parsePacket, Sender.handlePacket",
    prepare(): void {
      end.fill();
      end.settle();
      end.read();
    },
    run: (): void => end.take(end.now),
  };
}

function fill(links: number): Stage {
  const end = new SendingEnd(links);
  return {
    name: `Sender.fill, nothing sealed, ${links === 1 ? "1 link" : `${links} links`}`,
    prepare(): void {
      end.settle();
      end.read();
      end.take(end.now);
    },
    run: (): void => end.fill(),
  };
}

/** As reports come: half a batch at a time. */
function inFlight(): Stage {
  const flight = new InFlight();
  const release = (): void => {};
  let now = START_US;
  return {
    name: "InFlight push, acknowledge",
    prepare(): void {
      now += STEP_US;
    },
    run(): void {
      for (let i = 0; i < BATCH; i++) flight.push(now, i, SIZE_BYTES, 0);
      const first = flight.next - BATCH;
      flight.acknowledge(first, first + BATCH / 2 - 1, release);
      flight.acknowledge(first + BATCH / 2, first + BATCH - 1, release);
    },
  };
}

/** In the order of a packet's way. */
export function sendingStages(): readonly Stage[] {
  return [
    classify(),
    classifyAndQueue(1),
    classifyAndQueue(BATCH),
    handlePacket(),
    fill(1),
    fill(2),
    inFlight(),
  ];
}
