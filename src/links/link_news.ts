/**
 * Does the peer know what holds for a link? The client tells with every probe, from the first
 * change on, so that nothing has to be remembered of what was lost; the answer to such a probe
 * shows that it has arrived. Normative text: docs/protocol.md section 6.8.
 *
 * @module
 */

/** What was told of one link, or heard. */
export class LinkNews {
  /** Whether probes carry a LINK: something else holds, or held, than the INIT says. */
  telling = false;
  /** Whether no answer has shown yet that the peer knows. */
  pending = false;
  /** The last probe that said something else. */
  #lastProbe = 0;
  /** Counter of the newest datagram of the link that had a LINK about it. */
  #heardAt = -1;

  /** Something else holds for the link from behind probe `lastProbe` on. */
  begin(lastProbe: number): void {
    this.telling = true;
    this.pending = true;
    this.#lastProbe = lastProbe;
  }

  /** A new session: counters begin anew, and the peer ignores what still comes by the one before. */
  handleNewSession(lastProbe: number): void {
    this.#heardAt = -1;
    if (this.pending) this.begin(lastProbe);
  }

  /** Probe `number` was answered. */
  handleProbeAck(number: number): void {
    if (number > this.#lastProbe) this.pending = false;
  }

  /** Whether a LINK that came in datagram `counter` of its own link is news: they may overtake each other. */
  accept(counter: number): boolean {
    if (counter < this.#heardAt) return false;
    this.#heardAt = counter;
    return true;
  }
}
