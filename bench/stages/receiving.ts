/**
 * The stages from a datagram to a packet in order, without the decryption.
 *
 * @module
 */

import { TransmitBatch } from "../../src/batch.ts";
import { Receiver } from "../../src/receiver/receiver.ts";
import { Session } from "../../src/session/session.ts";
import { type DatagramSlab, PACKET_OFFSET, PacketPool, PLAIN_OFFSET } from "../../src/slab.ts";
import { writeDataHeader } from "../../src/wire/data.ts";
import { readU32, writeU32 } from "../../src/wire/field.ts";
import { KIND } from "../../src/wire/ip.ts";
import { IPV4_PROTOCOL, PROTOCOL_TCP } from "../../src/wire/ip_layout.ts";
import { wireTime } from "../../src/wire/time.ts";
import { NO_KEY } from "./null_aead.ts";
import { BATCH, type Stage, START_US } from "./stage.ts";

const DATAGRAM_BYTES = 1440;
const POOL_SLOTS = 4096;
const STEP_US = 100;
const ROUND_TRIP_US = 1000;
const COUNTER_AT = 6;

function session(): Session {
  return new Session(1, 2, START_US, "none", NO_KEY, NO_KEY, 1);
}

/** Replay window, nonce and associated data of datagrams in order. */
function open(): Stage {
  const receiving = session();
  const slab: DatagramSlab = new TransmitBatch().slab;
  const pool = new PacketPool(BATCH);
  let counter = 0;
  return {
    name: "Session.open, nothing decrypted",
    prepare(): void {
      for (let i = 0; i < BATCH; i++) writeU32(slab.bytes, slab.at(i) + COUNTER_AT, counter++);
    },
    run(): void {
      for (let i = 0; i < BATCH; i++) {
        const low = readU32(slab.bytes, slab.at(i) + COUNTER_AT);
        const opened = receiving.open(0, low, slab, i, DATAGRAM_BYTES, pool, i);
        if (opened < 0) throw new Error("A datagram was refused");
      }
    },
  };
}

/** What a receiver looks at of a packet of TCP. */
function writeTcp(bytes: Uint8Array, at: number): void {
  bytes[at] = 0x45;
  bytes[at + IPV4_PROTOCOL] = PROTOCOL_TCP;
}

/** Receiver and resequencer; every `stride` packets of a flow come in reverse order. */
function receive(stride: number): Stage {
  const pool = new PacketPool(POOL_SLOTS);
  const receiver = new Receiver(1, pool, (slot) => pool.release(slot));
  receiver.roundTripUs = ROUND_TRIP_US;
  const receiving = session();
  const { window } = receiving.receipts[0]!;
  const slots = new Int32Array(BATCH);
  let now = START_US;
  let sequence = 0;
  return {
    name: `Receiver, Resequencer, ${stride === 1 ? "in order" : `each ${stride} reversed`}`,
    prepare(): void {
      now += STEP_US;
      for (let i = 0; i < BATCH; i++) {
        const slot = slots[i] = pool.alloc();
        const number = sequence + i - i % stride + (stride - 1 - i % stride);
        const at = pool.at(slot) + PLAIN_OFFSET;
        writeDataHeader(pool.bytes, at, KIND.bulk, 7, number & 0xffff, number, wireTime(now));
        writeTcp(pool.bytes, pool.at(slot) + PACKET_OFFSET);
      }
    },
    run(): void {
      for (let i = 0; i < BATCH; i++) {
        const slot = slots[i]!;
        const at = pool.at(slot) + PLAIN_OFFSET;
        window.accept(sequence);
        receiver.handleDatagram(now, 0, receiving, sequence++, DATAGRAM_BYTES);
        receiver.noteData(now, 0);
        if (!receiver.handleData(now, 0, at, slot)) {
          throw new Error("A packet was taken for a duplicate");
        }
      }
    },
  };
}

/** In the order of a packet's way. */
export function receivingStages(): readonly Stage[] {
  return [open(), receive(1), receive(8)];
}
