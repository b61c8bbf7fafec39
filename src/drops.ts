/**
 * Why packets and datagrams were dropped, counted by reason.
 *
 * @module
 */

/** Every reason, with what it means; `status` shows the names. */
export const DROP_REASONS = {
  "short": "datagram too short to be ours",
  "type": "datagram of a type that is not known",
  "unknown-session": "datagram for a session that does not exist",
  "auth": "datagram that does not verify: wrong key, or changed on the way",
  "replay": "datagram received before, or too old to tell",
  "unknown-client": "handshake of a client that is not configured",
  "handshake-rate": "handshakes arriving faster than they are looked at",
  "handshake-mac": "handshake that does not verify: wrong password",
  "handshake-replay": "handshake older than the last one of this client",
  "handshake-version": "handshake of a protocol version that is not spoken",
  "frame": "frame that is malformed",
  "header": "packet whose headers refer to others that are not known",
  "duplicate": "packet that had arrived on another link",
  "source": "packet from an address its client may not use",
  "malformed": "packet that is not whole IPv4 or IPv6",
  "checksum": "packet without a checksum that has no place for one",
  "too-big": "packet longer than any link carries",
  "no-peer": "packet that no connected peer takes",
  "queue-full": "packet that met a full queue",
  "codel": "packet dropped to keep the queue short",
  "lost": "packet lost more often than it is sent again",
  "no-link": "packet whose rule names links of which none works",
  "no-slot": "packet that found no free memory",
  "send": "datagram that the kernel refused",
} as const;

/** A reason for a drop. */
export type DropReason = keyof typeof DROP_REASONS;

const NAMES = Object.keys(DROP_REASONS) as DropReason[];

/** Counters by reason. */
export class Drops {
  readonly #counts: Record<DropReason, number>;

  constructor() {
    this.#counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<DropReason, number>;
  }

  count(reason: DropReason, by = 1): void {
    this.#counts[reason] += by;
  }

  get(reason: DropReason): number {
    return this.#counts[reason];
  }

  /** The counters that are not zero. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#counts).filter(([, count]) => count > 0));
  }
}
