/**
 * Finds out that two hosts use one key: an instance is drawn when a host starts, so one that comes
 * back after another was there belongs to a host that has been running all the time.
 *
 * @module
 */

/** Former instances that are remembered of each client: a host that crashes again and again. */
const REMEMBERED = 16;
/** Least time between two reports about one client, in microseconds. */
const REPORT_EVERY_US = 10_000_000;
/** So long after it was last seen it is no more part of the status, in microseconds. */
const SHOWN_US = 600_000_000;

/** What is known of the hosts that use one client's key. */
export class Takeovers {
  readonly #former: number[] = [];
  #instance = -1;
  #words = "";
  #seenAtUs = -Infinity;
  #reportAtUs = -Infinity;

  /**
   * The client is `instance` at the address `remote` and was at `before`, if known. Returns whether
   * that is to be reported: another host uses the same key.
   */
  handleInstance(now: number, instance: number, remote: string, before: string): boolean {
    if (instance === this.#instance) return false;
    const isBack = this.#former.includes(instance);
    if (this.#instance !== -1 && !this.#former.includes(this.#instance)) {
      this.#former.push(this.#instance);
      if (this.#former.length > REMEMBERED) this.#former.shift();
    }
    this.#instance = instance;
    if (!isBack) return false;
    this.#words = `now ${remote}, before ${before || "unknown"}`;
    this.#seenAtUs = now;
    if (now < this.#reportAtUs) return false;
    this.#reportAtUs = now + REPORT_EVERY_US;
    return true;
  }

  /** Where the hosts are: `now 192.0.2.7:4000, before 198.51.100.3:5000`. */
  get words(): string {
    return this.#words;
  }

  /** Whether the status is to say so. */
  isRecent(now: number): boolean {
    return now - this.#seenAtUs < SHOWN_US;
  }
}
