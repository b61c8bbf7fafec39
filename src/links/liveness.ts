/**
 * Is a path alive? Silence is judged by what is at stake: under load a missing
 * acknowledgement is noticed within tens of milliseconds, an idle path is asked
 * a few times a second.
 *
 * `up` -> `suspect` (no new packets, what is in flight goes elsewhere, probes
 * every 50 ms) -> `down` (probes every 250 ms) -> `up` after three answers.
 *
 * @module
 */

/** Whether packets may be sent on a path. */
export type PathState = "connecting" | "up" | "suspect" | "down";

/** The receiver reports at least this often while data arrives, in microseconds. */
export const REPORT_INTERVAL_US = 20_000;
/** Silence on a loaded path that is never suspicious, in microseconds. */
const LEAST_SUSPICION_US = 60_000;
/** The only path is suspected this many times later. */
const ALONE_FACTOR = 4;
const SUSPECT_PROBE_US = 50_000;
const DOWN_PROBE_US = 250_000;
const MAX_LOST_PROBES = 3;
const GOOD_PROBES = 3;
/** Heartbeats of an idle path per `timeoutUs`; on a metered link they are rarer. */
const HEARTBEATS = 3;
const METERED_HEARTBEAT_US = 5_000_000;

/** Liveness of one path. The caller sends the probes and asks when the next one is due. */
export class Liveness {
  state: PathState = "connecting";
  /** Why the state is what it is, in words. */
  reason = "waiting for the peer";
  /** When the peer was last heard to receive something. */
  progressAt: number;
  #probeAt: number;
  #lostProbes = 0;
  #goodProbes = 0;
  #tailProbed = false;
  readonly #heartbeatUs: number;

  constructor(now: number, timeoutUs: number, metered: boolean) {
    this.progressAt = now;
    this.#probeAt = now;
    this.#heartbeatUs = metered ? METERED_HEARTBEAT_US : timeoutUs / HEARTBEATS;
  }

  /** An acknowledgement of data or of a probe. Returns true when the path has come up. */
  handleProgress(now: number, probe: boolean): boolean {
    this.progressAt = now;
    this.#lostProbes = 0;
    this.#tailProbed = false;
    if (this.state === "up") {
      this.#probeAt = now + this.#heartbeatUs;
      return false;
    }
    if (this.state === "down") {
      if (probe) this.#goodProbes++;
      this.#probeAt = now;
      if (this.#goodProbes < GOOD_PROBES) return false;
    }
    this.#become("up", "");
    this.#probeAt = now + this.#heartbeatUs;
    return true;
  }

  /** The kernel refused: no route, interface gone. Returns true when that is news. */
  handleUnreachable(now: number, reason: string): boolean {
    if (this.state === "down" || this.state === "connecting") return false;
    this.#become("down", reason);
    this.#probeAt = now + DOWN_PROBE_US;
    return true;
  }

  /** Forgets the past: a new session begins. */
  restart(now: number): void {
    this.#become("connecting", "waiting for the peer");
    this.#probeAt = now;
    this.#lostProbes = 0;
    this.progressAt = now;
  }

  /**
   * When something is to be done, given when the oldest unacknowledged packet
   * left (Infinity: none), how long an answer usually takes, and whether no other
   * path could take the packets: then suspicion is of no use until it is certain.
   */
  timeoutAt(oldestSentAt: number, patienceUs: number, alone: boolean): number {
    if (this.state !== "up" || oldestSentAt === Infinity) return this.#probeAt;
    const since = Math.max(oldestSentAt, this.progressAt);
    const nextUs = this.#tailProbed
      ? this.#suspicionUs(patienceUs, alone)
      : this.#tailUs(patienceUs);
    return Math.min(this.#probeAt, since + nextUs);
  }

  /**
   * To be called when {@linkcode timeoutAt} has passed. Returns what to do:
   * send a probe; or stop using the path (its state says how).
   */
  handleTimeout(
    now: number,
    oldestSentAt: number,
    patienceUs: number,
    alone: boolean,
  ): "probe" | "failed" | "" {
    if (this.state === "up" && oldestSentAt !== Infinity) {
      const since = Math.max(oldestSentAt, this.progressAt);
      if (now >= since + this.#suspicionUs(patienceUs, alone)) return this.#suspect(now, since);
      if (!this.#tailProbed && now >= since + this.#tailUs(patienceUs)) {
        this.#tailProbed = true;
        return "probe";
      }
    }
    return now >= this.#probeAt ? this.#onProbeDue(now, patienceUs) : "";
  }

  #onProbeDue(now: number, patienceUs: number): "probe" | "failed" | "" {
    this.#lostProbes++;
    if (this.state === "up" && this.#lostProbes > HEARTBEATS) {
      this.#lostProbes = 0;
      return this.#suspect(now, this.progressAt);
    }
    if (this.state === "suspect" && this.#lostProbes > MAX_LOST_PROBES) {
      this.#become("down", "no answer to probes");
      this.#probeAt = now;
      return "failed";
    }
    if (this.state === "down" && this.#lostProbes > 1) this.#goodProbes = 0;
    this.#probeAt = now + this.#probeIntervalUs(patienceUs);
    return "probe";
  }

  #probeIntervalUs(patienceUs: number): number {
    if (this.state === "suspect") return Math.max(SUSPECT_PROBE_US, patienceUs / 2);
    return this.state === "up" ? this.#heartbeatUs : DOWN_PROBE_US;
  }

  #suspect(now: number, since: number): "failed" {
    this.#become("suspect", `nothing heard for ${Math.round((now - since) / 1000)} ms`);
    this.#lostProbes = 0;
    this.#probeAt = now;
    return "failed";
  }

  /** A lone packet may have been lost without anything behind it to show that (RFC 8985 section 7). */
  #tailUs(patienceUs: number): number {
    return patienceUs + REPORT_INTERVAL_US;
  }

  #suspicionUs(patienceUs: number, alone: boolean): number {
    const answered = this.#tailUs(patienceUs) + (this.#tailProbed ? patienceUs : 0);
    return Math.max(LEAST_SUSPICION_US, answered) * (alone ? ALONE_FACTOR : 1);
  }

  #become(state: PathState, reason: string): void {
    this.state = state;
    this.reason = reason;
    this.#goodProbes = 0;
    this.#tailProbed = false;
  }
}
