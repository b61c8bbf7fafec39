/**
 * Which packets of one flow and direction were sent and came out: finds what
 * was delivered twice and what came after a later packet. Packets are told apart by the
 * 16-bit identification of their IPv4 header, so a packet must come out
 * before 65536 later ones were sent.
 *
 * @module
 */

const IDS = 0x10000;

/** Accounts of one direction of a flow. */
export class Ledger {
  sent = 0;
  delivered = 0;
  duplicates = 0;
  /** Packets that came out after a later one. */
  late = 0;
  #highest = -1;
  readonly #seen = new Uint8Array(IDS);

  /** Returns the identification of the next packet. */
  nextId(): number {
    const id = this.sent++ & (IDS - 1);
    this.#seen[id] = 0;
    return id;
  }

  /** Notes that the packet came out; returns false when it had before. */
  onDelivered(id: number): boolean {
    if (this.#seen[id] === 1) {
      this.duplicates++;
      return false;
    }
    this.#seen[id] = 1;
    this.delivered++;
    const last = this.sent - 1;
    const index = last - ((last - id) & (IDS - 1));
    if (index < this.#highest) this.late++;
    else this.#highest = index;
    return true;
  }
}
