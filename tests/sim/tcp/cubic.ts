/**
 * CUBIC congestion control (RFC 9438) with the HyStart exit from slow start that
 * Linux has (Ha and Rhee, "Taming the elephants"). Windows are in segments.
 *
 * @module
 */

/** RFC 9438 section 5. */
const C = 0.4;
const BETA = 0.7;
const ALPHA = 3 * (1 - BETA) / (1 + BETA);
/** Segments before the first acknowledgement (RFC 6928). */
export const INITIAL_WINDOW = 10;
/** HyStart as in Linux' tcp_cubic.c: windows and delays below which it stays quiet. */
const HYSTART_LOW_WINDOW = 16;
const HYSTART_SAMPLES = 8;
const HYSTART_TRAIN_GAP_US = 2000;
/** Before the first loss Linux grows by at least this share per round trip, whatever the cubic says. */
const UNKNOWN_GROWTH = 0.05;

/** The congestion window of one sender. */
export class Cubic {
  cwnd = INITIAL_WINDOW;
  ssthresh = Infinity;
  #wMax = 0;
  /** Whether the available bandwidth is still unknown. */
  #neverLost = true;
  #epochStart = -1;
  #epochWindow = 0;
  #k = 0;
  #wEst = 0;
  #minRttUs = Infinity;
  #roundEnd = 0;
  #roundStart = 0;
  #lastAck = 0;
  #roundRttUs = Infinity;
  #roundSamples = 0;

  constructor(readonly hystart = true) {}

  /**
   * Grows the window for `acked` segments.
   * @param una lowest unacknowledged segment, `next` the next that is new: they delimit rounds
   * @param rttUs a fresh sample, or 0
   */
  onAck(now: number, acked: number, rttUs: number, una: number, next: number): void {
    if (rttUs > 0 && rttUs < this.#minRttUs) this.#minRttUs = rttUs;
    if (this.cwnd < this.ssthresh) {
      if (this.hystart) this.#watchRound(now, rttUs, una, next);
      if (this.cwnd < this.ssthresh) {
        this.cwnd = Math.min(this.cwnd + acked, this.ssthresh);
        return;
      }
    }
    this.#avoidCongestion(now, acked);
  }

  /** Responds to a loss: lowers the threshold (section 4.6) and remembers where it was (4.7). */
  onLoss(): void {
    const window = this.cwnd;
    this.#neverLost = false;
    this.#wMax = window < this.#wMax ? window * (1 + BETA) / 2 : window;
    this.ssthresh = Math.max(2, window * BETA);
    this.#epochStart = -1;
  }

  /** Undoes the response to a loss that was none. */
  onUndo(cwnd: number, ssthresh: number): void {
    this.cwnd = Math.max(this.cwnd, cwnd);
    this.ssthresh = Math.max(this.ssthresh, ssthresh);
    this.#wMax = Math.max(this.#wMax, cwnd);
    this.#epochStart = -1;
  }

  #avoidCongestion(now: number, acked: number): void {
    if (this.#epochStart < 0) this.#startEpoch(now);
    const rtt = this.#minRttUs === Infinity ? 0 : this.#minRttUs;
    const t = (now - this.#epochStart) / 1e6;
    const cubicAt = (seconds: number): number => C * (seconds - this.#k) ** 3 + this.#wMax;
    this.#wEst += (this.#wEst < this.#wMax ? ALPHA : 1) * acked / this.cwnd;
    if (cubicAt(t) < this.#wEst) {
      this.cwnd = Math.max(this.cwnd + acked * this.#leastGrowth, this.#wEst);
      return;
    }
    const target = Math.min(1.5 * this.cwnd, Math.max(this.cwnd, cubicAt(t + rtt / 1e6)));
    const growth = Math.max((target - this.cwnd) / this.cwnd, this.#leastGrowth);
    this.cwnd += acked * growth;
  }

  get #leastGrowth(): number {
    return this.#neverLost ? UNKNOWN_GROWTH : 0;
  }

  #startEpoch(now: number): void {
    this.#epochStart = now;
    this.#epochWindow = this.cwnd;
    this.#wMax = Math.max(this.#wMax, this.cwnd);
    this.#k = Math.cbrt((this.#wMax - this.#epochWindow) / C);
    this.#wEst = this.cwnd;
  }

  #watchRound(now: number, rttUs: number, una: number, next: number): void {
    if (una >= this.#roundEnd) {
      this.#roundEnd = next;
      this.#roundStart = this.#lastAck = now;
      this.#roundRttUs = Infinity;
      this.#roundSamples = 0;
    }
    if (this.cwnd < HYSTART_LOW_WINDOW || this.#minRttUs === Infinity) return;
    if (now - this.#lastAck <= HYSTART_TRAIN_GAP_US) {
      this.#lastAck = now;
      if (now - this.#roundStart > this.#minRttUs / 2) this.ssthresh = this.cwnd;
    }
    if (rttUs <= 0) return;
    if (this.#roundSamples < HYSTART_SAMPLES) {
      this.#roundSamples++;
      this.#roundRttUs = Math.min(this.#roundRttUs, rttUs);
      return;
    }
    const slackUs = Math.min(16_000, Math.max(4000, this.#minRttUs / 8));
    if (this.#roundRttUs > this.#minRttUs + slackUs) this.ssthresh = this.cwnd;
  }
}
