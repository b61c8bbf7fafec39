/**
 * What leaves: the one place that writes the header of a packet, seals a datagram into a batch
 * and has its link account for it.
 *
 * It holds what everything that leaves in one poll shares: the instant, the session and the
 * batches.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import { CONTROL, UNTRACKED } from "../links/in_flight.ts";
import type { Path } from "../links/path.ts";
import { BUCKETS } from "../queue/flow_queue.ts";
import type { Session } from "../session/session.ts";
import { type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import {
  DATA_HEADER_BYTES,
  DATA_NEEDS_CHECKSUM,
  markResent,
  writeDataHeader,
} from "../wire/data.ts";
import { KIND } from "../wire/ip.ts";
import { wireTime } from "../wire/time.ts";
import { HeaderCompressor } from "./header_compressor.ts";

/** On a faster link nobody misses the bytes that a compressed header saves, in bits per second. */
const COMPRESSED_BPS = 500_000_000;

/** Sends for one peer. Instants in microseconds. */
export class Transmitter {
  /** Packets and their bytes, each counted when it leaves for the first time. */
  sentPackets = 0;
  sentBytes = 0;
  /** Packets sent again. */
  resentPackets = 0;

  readonly headers: HeaderCompressor;

  readonly #pool: PacketPool;
  /**
   * The number object itself, as it was given: for a field that has only ever held numbers V8 makes
   * a copy, and boxes that into a new object whenever it is passed on.
   */
  #now: number | undefined;
  #session: Session | undefined;
  #batches: readonly TransmitBatch[] = [];
  /** How many times the packet of each slot was sent. */
  readonly #sends: Uint8Array;
  /** The link that each packet left on last, by its id. */
  readonly #link: Uint8Array;
  readonly #flowSequence = new Uint16Array(BUCKETS);
  #globalSequence = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
    this.headers = new HeaderCompressor(pool);
    this.#sends = new Uint8Array(pool.count);
    this.#link = new Uint8Array(pool.count);
  }

  /** The instant of this poll. */
  get now(): number {
    return this.#now!;
  }

  /** Begins a poll at `now`: what leaves is sealed by `session` into the batch of its socket. */
  begin(now: number, session: Session, batches: readonly TransmitBatch[]): void {
    this.#now = now;
    this.#session = session;
    this.#batches = batches;
  }

  /** Restarts all sequences at zero: the peer does not know the past. */
  reset(): void {
    this.#flowSequence.fill(0);
    this.#globalSequence = 0;
  }

  /** Datagrams in the batch that a link's next one would join. */
  batched(path: Path): number {
    return this.#batches[path.socket]!.count;
  }

  /** Whether a datagram of `path` would have to wait for the next batch. */
  isFull(path: Path): boolean {
    return this.#batches[path.socket]!.full;
  }

  /** The packet in `slot` has never been sent. */
  enroll(slot: number): void {
    this.#sends[slot] = 0;
  }

  /** How many times the packet in `slot` was sent; sends on merely suspected links do not count. */
  sends(slot: number): number {
    return this.#sends[slot]!;
  }

  /** Whether the packet in `slot` has left, and last on `path`. */
  wasOn(path: Path, slot: number): boolean {
    return this.#sends[slot]! > 0 && this.#link[slot] === path.options.id;
  }

  /**
   * Sends the packet in `slot`, of a {@linkcode KIND} and a flow bucket. Returns the datagram's
   * bytes.
   */
  sendPacket(path: Path, slot: number, kind: number, bucket: number): number {
    if (this.#sends[slot]! > 0) this.#writeAgain(slot, path.live.state === "up");
    else {
      this.#writeFirst(slot, kind, bucket);
      if (this.headers.enabled && path.rate.rateBps < COMPRESSED_BPS) {
        this.headers.handlePacket(this.now, slot);
      }
    }
    this.#link[slot] = path.options.id;
    return this.#seal(path, slot, DATA_HEADER_BYTES + this.#pool.lengths[slot]!, slot);
  }

  /** Sends a copy of the packet in `slot`, under the header that {@linkcode sendPacket} wrote. */
  sendCopy(path: Path, slot: number): void {
    this.#seal(path, slot, DATA_HEADER_BYTES + this.#pool.lengths[slot]!, CONTROL);
  }

  /** Sends the packet in `slot` once more while it is in flight on another link, which keeps it. */
  sendRescue(path: Path, slot: number): void {
    this.#markAgain(slot);
    this.sendCopy(path, slot);
  }

  /** Sends the first `length` bytes of the body of `slot` as a control datagram. */
  sendControl(path: Path, slot: number, length: number): void {
    this.#seal(path, slot, length, CONTROL);
  }

  /** The same for a datagram that is to find out whether the link carries its size. */
  sendSizeProbe(path: Path, slot: number, length: number): void {
    this.#seal(path, slot, length, UNTRACKED);
  }

  /** The same for a datagram of the load that a test puts on the link. */
  sendLoad(path: Path, slot: number, length: number): void {
    const batch = this.#batches[path.socket]!;
    const datagramBytes = this.#session!.seal(path, this.#pool, slot, length, batch);
    path.handleLoadSent(this.now, datagramBytes);
  }

  #seal(path: Path, slot: number, length: number, packet: number): number {
    const batch = this.#batches[path.socket]!;
    const datagramBytes = this.#session!.seal(path, this.#pool, slot, length, batch);
    path.handleSent(this.now, packet, datagramBytes);
    return datagramBytes;
  }

  #writeFirst(slot: number, kind: number, bucket: number): void {
    this.#sends[slot] = 1;
    let sequence = 0;
    if (kind !== KIND.unordered) {
      sequence = this.#flowSequence[bucket]!;
      this.#flowSequence[bucket] = sequence + 1;
    }
    const flags = this.#pool.needsChecksum[slot] === 0 ? kind : kind | DATA_NEEDS_CHECKSUM;
    const at = this.#pool.at(slot) + PLAIN_OFFSET;
    const { bytes } = this.#pool;
    writeDataHeader(bytes, at, flags, bucket, sequence, this.#globalSequence, wireTime(this.now));
    this.#globalSequence = this.#globalSequence + 1 >>> 0;
    this.sentPackets++;
    this.sentBytes += this.#pool.lengths[slot]!;
  }

  /** @param counts whether this is one of a packet's attempts; on a suspected link it is not */
  #writeAgain(slot: number, counts: boolean): void {
    if (counts) this.#sends[slot] = this.#sends[slot]! + 1;
    this.#markAgain(slot);
  }

  #markAgain(slot: number): void {
    this.headers.handleResent(slot);
    markResent(this.#pool.bytes, this.#pool.at(slot) + PLAIN_OFFSET, wireTime(this.now));
    this.resentPackets++;
  }
}
