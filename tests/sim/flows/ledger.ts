/**
 * Which packets of one flow and direction were sent, arrived at the far end of the
 * tunnel and came out: finds what was delivered twice, what came after a later packet,
 * and whether the tunnel is to blame for that. Packets are told apart by the 16-bit
 * identification of their IPv4 header, so a packet must come out before 65536
 * later ones were sent.
 *
 * @module
 */

const IDS = 0x10000;
const NEVER = Infinity;

/** Accounts of one direction of a flow. */
export class Ledger {
  sent = 0;
  delivered = 0;
  duplicates = 0;
  /** Packets that came out after a later one. */
  late = 0;
  /** Packets that came out after one sent later, although they had arrived before it left. */
  overtaken = 0;
  /** Longest time from the far end's reading of a packet to its delivery, in microseconds. */
  longestHoldUs = 0;
  #highest = -1;
  readonly #arrivedAt = new Float64Array(IDS).fill(NEVER);
  /** When it came out; 0 for not yet. */
  readonly #deliveredAt = new Float64Array(IDS);

  /** Returns the identification of the next packet. */
  nextId(): number {
    const id = this.sent++ & (IDS - 1);
    this.#arrivedAt[id] = NEVER;
    this.#deliveredAt[id] = 0;
    return id;
  }

  /** Notes that a datagram with the packet is about to be handed to the far end. */
  onArrived(now: number, id: number): void {
    if (this.#arrivedAt[id] === NEVER) this.#arrivedAt[id] = now;
  }

  /** Notes that the packet came out; returns false when it had before. */
  onDelivered(now: number, id: number): boolean {
    if (this.#deliveredAt[id]! > 0) {
      this.duplicates++;
      return false;
    }
    this.#deliveredAt[id] = now;
    this.delivered++;
    const arrivedAt = this.#arrivedAt[id]!;
    if (arrivedAt !== NEVER) this.longestHoldUs = Math.max(this.longestHoldUs, now - arrivedAt);
    const last = this.sent - 1;
    const index = last - ((last - id) & (IDS - 1));
    if (index < this.#highest) this.#onLate(index, arrivedAt);
    else this.#highest = index;
    return true;
  }

  #onLate(index: number, arrivedAt: number): void {
    this.late++;
    for (let later = this.#highest; later > index; later--) {
      if (this.#deliveredAt[later & (IDS - 1)]! <= arrivedAt) continue;
      this.overtaken++;
      return;
    }
  }
}
