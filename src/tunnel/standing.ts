/**
 * What a client remembers of one of its servers: what it has answered, and when to ask it again.
 *
 * @module
 */

/** A better server is asked again after this time, in microseconds, longer each time, ... */
const FIRST_PAUSE_US = 30_000_000;
/** ... up to that. */
const LONGEST_PAUSE_US = 120_000_000;
/** Least pause while nothing but metered links works. */
const METERED_PAUSE_US = 300_000_000;
/** A server that fails so soon after a return to it is asked less often, ... */
const STEADY_US = 300_000_000;
/** ... at last after this time. */
const LONGEST_FLAP_PAUSE_US = 1_200_000_000;

/** The standing of a server. Instants in microseconds. */
export class Standing {
  /** When it is asked next, should it be better than the one in use. */
  askAtUs = -Infinity;
  /** When it is no longer waited for; Infinity: it is not asked for being better. */
  attemptEndsAtUs = Infinity;
  /** Answers in a row, while another one works. */
  answers = 0;
  /** When it answered first, while the one in use is silent. */
  answeredAtUs = -Infinity;
  hasAnswered = false;
  /** Since when it is used after a return to it; -Infinity: it is used for want of another. */
  returnedAtUs = -Infinity;
  #pauseUs = FIRST_PAUSE_US;
  /** The least pause, which is longer if it failed soon after a return. */
  #leastUs = FIRST_PAUSE_US;

  /** It has not answered: it is asked again, later each time. */
  postpone(now: number, isMetered: boolean): void {
    const pauseUs = Math.max(this.#pauseUs, this.#leastUs);
    this.askAtUs = now + (isMetered ? Math.max(pauseUs, METERED_PAUSE_US) : pauseUs);
    this.#pauseUs = Math.min(2 * this.#pauseUs, LONGEST_PAUSE_US);
  }

  /** It was in use and does not answer any more. */
  noteFailure(now: number): void {
    const isFlap = now - this.returnedAtUs < STEADY_US;
    this.#leastUs = isFlap ? Math.min(2 * this.#leastUs, LONGEST_FLAP_PAUSE_US) : FIRST_PAUSE_US;
  }

  /** Another server is used from now on: this one is left alone for a while. */
  rest(now: number): void {
    this.#pauseUs = FIRST_PAUSE_US;
    this.askAtUs = Math.max(this.askAtUs, now + this.#leastUs);
  }
}
