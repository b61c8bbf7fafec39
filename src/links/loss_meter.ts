/**
 * What a path loses, second by second.
 *
 * @module
 */

const WINDOW_US = 1_000_000;

/** What has become of datagrams so far. */
interface Fates {
  readonly ackedDatagrams: number;
  readonly lostDatagrams: number;
}

/** Fractions of the datagrams that were lost over the last whole second. */
export class LossMeter {
  /** Of those whose packets were not sent again. */
  residual = 0;
  #loss = 0;
  #endsAtUs = 0;
  #acked = 0;
  #lost = 0;
  #forGood = 0;

  /** Takes the counts at `now` into account; `forGood`: packets not sent again. Returns the loss. */
  count(now: number, { ackedDatagrams, lostDatagrams }: Fates, forGood: number): number {
    if (now < this.#endsAtUs) return this.#loss;
    const lost = lostDatagrams - this.#lost;
    const all = lost + ackedDatagrams - this.#acked;
    this.#loss = all > 0 ? Math.max(lost, 0) / all : 0;
    this.residual = all > 0 ? Math.min((forGood - this.#forGood) / all, 1) : 0;
    this.#forGood = forGood;
    this.#acked = ackedDatagrams;
    this.#lost = lostDatagrams;
    this.#endsAtUs = now + WINDOW_US;
    return this.#loss;
  }
}
