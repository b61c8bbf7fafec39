/**
 * Answers to packets that no link carries, as a router gives them: their senders learn what is
 * carried, and send smaller ones.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { PacketInfo, parsePacket } from "../wire/ip.ts";
import { writeTooBig } from "../wire/too_big.ts";

/** Answers per second, and at once: RFC 1812 section 4.3.2.8, RFC 4443 section 2.4(f). */
const RATE_PER_SECOND = 100;
const BURST = 50;

/** Writes the answers of one endpoint. */
export class TooBigAnswers {
  readonly #pool: PacketPool;
  readonly #deliver: (slot: number) => void;
  readonly #info = new PacketInfo();
  #tokens = BURST;
  #tokensAtUs = 0;

  /** @param deliver takes a packet for the tunnel interface */
  constructor(pool: PacketPool, deliver: (slot: number) => void) {
    this.#pool = pool;
    this.#deliver = deliver;
  }

  /** Takes over the packet in `slot`, of which no more than `mtu` bytes would have been carried. */
  handle(now: number, slot: number, mtu: number): void {
    const answer = this.#takeToken(now) ? this.#pool.alloc() : -1;
    if (answer >= 0) this.#write(answer, slot, mtu);
    this.#pool.release(slot);
  }

  #write(answer: number, slot: number, mtu: number): void {
    const { bytes, lengths } = this.#pool;
    const packetAt = this.#pool.at(slot) + PACKET_OFFSET;
    const at = this.#pool.at(answer) + PACKET_OFFSET;
    const length = parsePacket(bytes, packetAt, lengths[slot]!, this.#info)
      ? writeTooBig(bytes, at, bytes, packetAt, lengths[slot]!, mtu, this.#info)
      : 0;
    if (length === 0) return this.#pool.release(answer);
    lengths[answer] = length;
    this.#pool.needsChecksum[answer] = 0;
    this.#deliver(answer);
  }

  #takeToken(now: number): boolean {
    const earned = (now - this.#tokensAtUs) * RATE_PER_SECOND / 1e6;
    this.#tokens = Math.min(BURST, this.#tokens + earned);
    this.#tokensAtUs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
