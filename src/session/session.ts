/**
 * One set of keys with a peer, and what is counted under it: each link has its own counters and its
 * own replay window, so a nonce can never repeat.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import { AAD_BYTES, type AeadKey, NONCE_BYTES } from "../crypto/aead.ts";
import type { Tokens } from "../crypto/tokens.ts";
import { ReplayWindow } from "../crypto/replay.ts";
import type { Path } from "../links/path.ts";
import type { DatagramSlab, PacketPool } from "../slab.ts";
import { OUTER_HEADER_BYTES, TAG_BYTES, writeTransportHeader } from "../wire/datagram.ts";
import { writeU32 } from "../wire/field.ts";

/** A session is replaced after this time, in microseconds. */
export const REKEY_AFTER_US = 120_000_000;
/** ... or after this many datagrams on one link. */
export const REKEY_AFTER_DATAGRAMS = 2 ** 32;
/** A session that could not be replaced ends after this time, in microseconds. */
export const EXPIRE_AFTER_US = 180_000_000;
/** Datagrams of the previous session are still accepted for this long, in microseconds. */
export const OVERLAP_US = 10_000_000;

// All sessions share these two buffers: nothing here is reentrant.
const nonce = new Uint8Array(NONCE_BYTES);
const aad = new Uint8Array(AAD_BYTES);

/** What one link has received under one session. */
export class LinkReceipt {
  readonly window: ReplayWindow = new ReplayWindow();
  datagrams = 0;
  bytes = 0;
}

/** Keys and counters. */
export class Session {
  /** Path number of counter 0, per link. */
  readonly base: Float64Array;
  readonly receipts: readonly LinkReceipt[];

  constructor(
    readonly localId: number,
    readonly remoteId: number,
    readonly createdAtUs: number,
    readonly cipher: string,
    readonly sendKey: AeadKey,
    readonly receiveKey: AeadKey,
    links: number,
    /** The longest packet that the other end takes, in bytes. */
    readonly mtu: number = Infinity,
    /** What it can do: bits of `FEATURE`. */
    readonly features: number = 0,
    /** What the other end must not guess. */
    readonly tokens: Tokens | undefined = undefined,
  ) {
    this.base = new Float64Array(links);
    this.receipts = Array.from({ length: links }, () => new LinkReceipt());
  }

  /**
   * Seals the first `length` bytes of the body of `slot` into the next place of
   * `batch`, as the next datagram of `path`. The caller has checked that it is not full. Returns
   * the datagram's length.
   */
  seal(path: Path, pool: PacketPool, slot: number, length: number, batch: TransmitBatch): number {
    const link = path.options.id;
    const counter = path.flight.next - this.base[link]!;
    const at = batch.slab.at(batch.count);
    const bytes = batch.slab.bytes;
    writeTransportHeader(bytes, at, link, this.remoteId, counter);
    this.#prepare(bytes, at, link, counter);
    this.sendKey.seal(nonce, aad, pool, slot, length, batch.slab, batch.count);
    const datagramLength = OUTER_HEADER_BYTES + length + TAG_BYTES;
    batch.lengths[batch.count] = datagramLength;
    batch.remotes[batch.count] = path.remote!;
    batch.paths[batch.count] = link;
    batch.count++;
    return datagramLength;
  }

  /**
   * Opens the datagram of `length` bytes in `from`'s slot `at` into `slot` of
   * `pool`. Returns its counter; -1 when it is a replay, -2 when it does not verify.
   */
  open(
    link: number,
    low: number,
    from: DatagramSlab,
    at: number,
    length: number,
    pool: PacketPool,
    slot: number,
  ): number {
    const receipt = this.receipts[link]!;
    const counter = receipt.window.infer(low);
    if (counter < 0 || !receipt.window.check(counter)) return -1;
    this.#prepare(from.bytes, from.at(at), link, counter);
    const sealed = length - OUTER_HEADER_BYTES - TAG_BYTES;
    if (!this.receiveKey.open(nonce, aad, from, at, sealed, pool, slot)) return -2;
    receipt.window.accept(counter);
    receipt.datagrams++;
    receipt.bytes += length;
    return counter;
  }

  /** Wipes the keys. */
  close(): void {
    this.sendKey.close();
    this.receiveKey.close();
    this.tokens?.close();
  }

  #prepare(bytes: Uint8Array, at: number, link: number, counter: number): void {
    for (let i = 0; i < OUTER_HEADER_BYTES; i++) aad[i] = bytes[at + i]!;
    const high = Math.floor(counter / 0x1_0000_0000);
    writeU32(aad, OUTER_HEADER_BYTES, high);
    nonce[3] = link;
    writeU32(nonce, 4, high);
    writeU32(nonce, 8, counter >>> 0);
  }
}
