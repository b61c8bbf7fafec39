/**
 * Does the peer know the settings of a link? From the first change on the client sends them with
 * every probe, so that it need not remember what was lost; the answer to such a probe shows that
 * they have arrived. Normative text: docs/protocol.md section 6.8.
 *
 * @module
 */

/** What was told or heard about one link. */
export class LinkNews {
  /** Whether probes carry a LINK: the settings differ, or have differed, from the INIT's. */
  telling = false;
  /** Whether no answer has yet shown that the peer knows. */
  pending = false;
  /** The last probe with other settings. */
  #lastProbe = 0;
  /** Counter of the newest datagram of the link that carried a LINK about it. */
  #heardCounter = -1;

  /** The settings of the link are others for every probe after `lastProbe`. */
  begin(lastProbe: number): void {
    this.telling = true;
    this.pending = true;
    this.#lastProbe = lastProbe;
  }

  /** A new session: counters restart, and the peer ignores what the previous one still brings. */
  handleNewSession(lastProbe: number): void {
    this.#heardCounter = -1;
    if (this.pending) this.begin(lastProbe);
  }

  /** Probe `number` was answered. */
  handleProbeAck(number: number): void {
    if (number > this.#lastProbe) this.pending = false;
  }

  /** Whether a LINK in datagram `counter` of its own link is news: they may overtake each other. */
  accept(counter: number): boolean {
    if (counter < this.#heardCounter) return false;
    this.#heardCounter = counter;
    return true;
  }
}
