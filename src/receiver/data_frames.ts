/**
 * DATA frames of one peer: what a packet is checked for before it is accepted and put in order.
 *
 * Only the peer's own addresses may be its source, and a packet whose transport checksum is not
 * filled in must have a place for one: the code that writes it to an interface relies on that.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import type { DropReason, Drops } from "../drops.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { DATA_HEADER_BYTES, isCompressed, isReference, lacksChecksum } from "../wire/data.ts";
import { PacketInfo, parsePacket } from "../wire/ip.ts";
import { mayUseSource } from "../wire/routes.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";
import { HeaderReferences } from "./header_references.ts";
import type { Receiver } from "./receiver.ts";

/** Accepts the DATA frames of one peer. */
export class DataFrames {
  /** Packets that were accepted, and their bytes. */
  packets = 0;
  bytes = 0;
  readonly #pool: PacketPool;
  readonly #drops: Drops;
  #allowed: readonly Prefix[];
  readonly #info = new PacketInfo();
  readonly #transport = new TransportInfo();
  readonly #references: HeaderReferences;

  /** @param allowed inner networks the peer may use; empty: any */
  constructor(pool: PacketPool, drops: Drops, allowed: readonly Prefix[]) {
    this.#pool = pool;
    this.#drops = drops;
    this.#allowed = allowed;
    this.#references = new HeaderReferences(pool);
  }

  /** Inner networks that the peer may use from now on; empty: any. */
  setAllowed(allowed: readonly Prefix[]): void {
    this.#allowed = allowed;
  }

  /**
   * Accepts the frame from `at` to `end` in `slot`, which came on `link`. Returns whether the slot
   * was kept, as a packet; if not, the reason is counted.
   */
  handle(
    now: number,
    receiver: Receiver,
    link: number,
    slot: number,
    at: number,
    end: number,
  ): boolean {
    const pool = this.#pool;
    let length = end - at - DATA_HEADER_BYTES;
    const packetAt = pool.at(slot) + PACKET_OFFSET;
    receiver.noteData(now, link);
    if (length <= 0) return this.#refuse("frame");
    if (at + DATA_HEADER_BYTES !== packetAt) {
      pool.bytes.copyWithin(packetAt - DATA_HEADER_BYTES, at, end);
    }
    const header = packetAt - DATA_HEADER_BYTES;
    if (isCompressed(pool.bytes, header)) {
      length = this.#references.expand(slot, length);
      if (length === 0) return this.#refuse("header");
    }
    if (!parsePacket(pool.bytes, packetAt, length, this.#info)) return this.#refuse("malformed");
    if (isReference(pool.bytes, header)) this.#references.keep(slot, length);
    if (!mayUseSource(this.#allowed, pool.bytes, packetAt, this.#info.version)) {
      return this.#refuse("source");
    }
    const needsChecksum = lacksChecksum(pool.bytes, header);
    if (needsChecksum && !parseTransport(pool.bytes, packetAt, length, this.#transport)) {
      return this.#refuse("checksum");
    }
    pool.lengths[slot] = length;
    pool.needsChecksum[slot] = needsChecksum ? 1 : 0;
    if (!receiver.handleData(now, link, header, slot)) return this.#refuse("duplicate");
    this.packets++;
    this.bytes += length;
    return true;
  }

  /** The peer has restarted. */
  reset(): void {
    this.#references.reset();
  }

  #refuse(reason: DropReason): boolean {
    this.#drops.count(reason);
    return false;
  }
}
