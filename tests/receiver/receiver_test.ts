import { assertEquals } from "@std/assert";
import { Receiver } from "../../src/receiver/receiver.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { DATA_HEADER_BYTES, writeDataHeader } from "../../src/wire/data.ts";
import { KIND, type Kind } from "../../src/wire/ip.ts";
import { IPV4_PROTOCOL, PROTOCOL_TCP, PROTOCOL_UDP } from "../../src/wire/ip_layout.ts";
import { wireTime } from "../../src/wire/time.ts";

const MS = 1000;
const START = 10_000_000;
const NEAR = 0;
const FAR = 1;
const OWD_US = [7 * MS, 40 * MS];
const ROUND_TRIP_US = 15 * MS;

/** A receiver of two links whose flow 5 has a gap that both links may still fill. */
class Bench {
  readonly delivered: number[] = [];
  readonly #pool = new PacketPool(512);
  readonly receiver = new Receiver(2, this.#pool, (slot) => this.delivered.push(slot));
  #global = 0;

  constructor() {
    this.receiver.roundTripUs = ROUND_TRIP_US;
  }

  /** Packet `sequence` of the flow comes on `link` after that link's delay. */
  data(now: number, link: number, kind: Kind, sequence: number, protocol = PROTOCOL_TCP): void {
    const slot = this.#pool.alloc();
    this.#pool.bytes[this.#pool.at(slot) + PACKET_OFFSET] = 0x45;
    this.#pool.bytes[this.#pool.at(slot) + PACKET_OFFSET + IPV4_PROTOCOL] = protocol;
    const at = this.#pool.at(slot) + PACKET_OFFSET - DATA_HEADER_BYTES;
    const sentAtUs = wireTime(now - OWD_US[link]!);
    writeDataHeader(this.#pool.bytes, at, kind, 5, sequence, this.#global++, sentAtUs);
    this.receiver.handleData(now, link, at, slot);
  }

  /** Milliseconds that packet 2 is held while the far link keeps delivering what left earlier. */
  heldMs(kind: Kind): number {
    for (const link of [NEAR, FAR]) {
      this.receiver.noteSentAt(START, link, wireTime(START - OWD_US[link]!));
    }
    this.data(START, NEAR, kind, 0);
    this.data(START, NEAR, kind, 2);
    for (let ms = 1; ms < 1000; ms++) {
      const now = START + ms * MS;
      const sentAtUs = wireTime(START - OWD_US[FAR]! - MS); // always older than what is held
      if (ms % 5 === 0) this.receiver.noteSentAt(now, FAR, sentAtUs);
      // A process wakes a little late.
      if (now >= this.receiver.resequencer.nextTimeoutAtUs) {
        this.receiver.resequencer.handleTimeout(now + 50);
      }
      if (this.delivered.length === 2) return ms;
    }
    return Infinity;
  }
}

Deno.test("Receiver waits for a link that still delivers what left before, up to 600 ms for bulk", () => {
  assertEquals(new Bench().heldMs(KIND.bulk), 600);
});

Deno.test("Receiver holds what should not wait for 20 ms, whatever a slow link still delivers", () => {
  assertEquals(new Bench().heldMs(KIND.interactive), 20);
});

Deno.test("Receiver gives a program what was held in bursts, and TCP all of it", () => {
  for (const [protocol, first] of [[PROTOCOL_TCP, 100], [PROTOCOL_UDP, 32]] as const) {
    const bench = new Bench();
    for (let i = 1; i < 100; i++) bench.data(START, NEAR, KIND.bulk, i, protocol);
    bench.data(START + MS, FAR, KIND.bulk, 0, protocol);
    assertEquals(bench.delivered.length, first);
    for (let ms = 2; ms < 12; ms++) bench.receiver.resequencer.handleTimeout(START + ms * MS);
    assertEquals(bench.delivered.length, 100);
  }
});
