/**
 * Is a path alive? Silence is judged by what is at stake: under load a missing acknowledgement is
 * noticed within tens of milliseconds, an idle path is probed a few times a second.
 *
 * `up` -> `suspect` (no new packets, what is in flight goes elsewhere, probes
 * every 50 ms) -> `down` (probes every 250 ms) -> `up` after three answers.
 *
 * While `up` it may be doubted: an answer is overdue, but not for so long that it is worth much.
 *
 * @module
 */

/** Why a path is not up yet, when nothing else is known. */
export const WAITING = "waiting for the peer";

/** Whether packets may be sent on a path. */
export type PathState = "connecting" | "up" | "suspect" | "down";

/** The receiver reports at least this often while data arrives, in microseconds. */
export const REPORT_INTERVAL_US = 20_000;
/** ... and after this many datagrams. */
export const REPORT_DATAGRAMS = 32;
/** Silence on a loaded path that is never suspicious, in microseconds. */
const LEAST_SUSPICION_US = 60_000;
/** ... and so much longer on one that varies, and pauses now and then. */
const MORE_SUSPICION_US = 60_000;
/** The only path is suspected after this many times as long. */
const ALONE_FACTOR = 4;
const SUSPECT_PROBE_US = 50_000;
const DOWN_PROBE_US = 250_000;
const MAX_LOST_PROBES = 3;
const GOOD_PROBES = 3;
/** Heartbeats of an idle path per `timeoutUs`; on a metered link they are rarer. */
const HEARTBEATS = 3;
/** A heartbeat is sent early by at most this share of the interval, if that saves a wake-up. */
const JOINED_SHARE = 0.5;
const METERED_HEARTBEAT_US = 5_000_000;

/** What a path has in flight. Times in microseconds. */
export interface Stakes {
  /** When the oldest unacknowledged packet left; Infinity: there is none. */
  readonly oldestSentAtUs: number;
  /** When what makes the peer report a newer packet than before had left; Infinity: nothing does. */
  readonly reportableAtUs: number;
  /** When an answer to that is overdue so far that it is worth a doubt. */
  readonly doubtfulUs: number;
  /** The longest that an answer usually takes. */
  readonly patienceUs: number;
  /** No other path could take the packets: suspicion is useless until it is nearly certain. */
  readonly alone: boolean;
  /** The link varies all the time. */
  readonly varies: boolean;
  /** So few packets are in flight that all of them may have been lost. */
  readonly few: boolean;
}

/** Liveness of one path. The caller sends the probes and asks when the next one is due. */
export class Liveness {
  state: PathState = "connecting";
  /** Why it is not up, in words. */
  reason: string | undefined = WAITING;
  /** Whether an answer is overdue, although the path is up: what cannot wait may be lost. */
  doubted = false;
  /** When the peer last showed that it receives something. */
  progressAtUs: number;
  /** Since when it is in its state; a suspicion that proves wrong leaves no trace. */
  sinceUs: number;
  /** The state before this one, and how long it was in that, in microseconds. */
  before: PathState = "connecting";
  beforeUs = 0;
  #upSinceUs = 0;
  #probeAtUs: number;
  #lostProbes = 0;
  #goodProbes = 0;
  /** When it was last suspected. */
  #suspectedAtUs = 0;
  /** When the path was probed because an answer was overdue. */
  #probedAtUs = Infinity;
  #timeoutUs: number;

  /** @param metered whether traffic costs money, so that heartbeats are rare; may change */
  constructor(now: number, timeoutUs: number, public metered: boolean) {
    this.progressAtUs = now;
    this.sinceUs = now;
    this.#probeAtUs = now;
    this.#timeoutUs = timeoutUs;
  }

  /** An acknowledgement of data or of a probe. Returns true when the path has come up. */
  handleProgress(now: number, probe: boolean): boolean {
    this.progressAtUs = now;
    this.doubted = false;
    this.#lostProbes = 0;
    this.#probedAtUs = Infinity;
    if (this.state === "up") {
      this.#probeAtUs = now + this.#heartbeatUs;
      return false;
    }
    if (this.state === "down") {
      if (probe) this.#goodProbes++;
      this.#probeAtUs = now;
      if (this.#goodProbes < GOOD_PROBES) return false;
    }
    this.#become(now, "up");
    this.#probeAtUs = now + this.#heartbeatUs;
    return true;
  }

  /**
   * Whether it shows life that something arrived at `arrivedAtUs`, or before: not if the path was
   * suspected since.
   */
  isSignOfLife(arrivedAtUs: number): boolean {
    return this.state !== "suspect" || arrivedAtUs > this.#suspectedAtUs;
  }

  /** The kernel refused: no route, interface gone. Returns true when that is new. */
  handleUnreachable(now: number, reason: string): boolean {
    if (this.state === "connecting" && this.reason === WAITING) this.reason = reason;
    if (this.state === "down" || this.state === "connecting") return false;
    this.#become(now, "down", reason);
    this.#probeAtUs = now + DOWN_PROBE_US;
    return true;
  }

  /**
   * The system says why nothing can leave, which is more than what sends came to: replaces the reason
   * of a path that is down, or has not been up yet.
   */
  explain(reason: string): void {
    if (this.state === "down" || this.state === "connecting") this.reason = reason;
  }

  /** What kept it from working may be gone: a path that is not up is probed at once. */
  hurry(now: number): void {
    if (this.state !== "up") this.#probeAtUs = now;
    if (this.state === "connecting") this.reason = WAITING;
  }

  /** Other silence is patiently borne from now on, in microseconds. */
  setTimeoutUs(us: number): void {
    this.#timeoutUs = us;
  }

  /** Forgets the past: a new session begins. */
  restart(now: number): void {
    this.#become(now, "connecting", WAITING);
    this.#probeAtUs = now;
    this.#lostProbes = 0;
    this.progressAtUs = now;
  }

  /** When something has to be done. */
  timeoutAtUs(stakes: Stakes): number {
    if (this.state !== "up" || stakes.oldestSentAtUs === Infinity) return this.#probeAtUs;
    const asksFirst = stakes.few && this.#probedAtUs === Infinity;
    const at = asksFirst ? this.#tailAtUs(stakes) : this.#suspicionAtUs(stakes);
    return Math.min(this.#probeAtUs, at, this.#doubtAtUs(stakes));
  }

  /**
   * Call when {@linkcode timeoutAtUs} has passed. Returns what to do: send a probe; send elsewhere
   * what cannot wait ({@linkcode doubted}); or stop using the path (its state says how).
   */
  handleTimeout(now: number, stakes: Stakes): "probe" | "doubted" | "failed" | "" {
    if (this.state === "up" && stakes.oldestSentAtUs !== Infinity) {
      if (now >= this.#suspicionAtUs(stakes)) return this.#suspect(now, this.#since(stakes));
      if (stakes.few && this.#probedAtUs === Infinity && now >= this.#tailAtUs(stakes)) {
        this.#probedAtUs = now;
        return "probe";
      }
      if (now >= this.#doubtAtUs(stakes)) {
        this.doubted = true;
        return "doubted";
      }
    }
    return now >= this.#probeAtUs ? this.#onProbeDue(now, stakes.patienceUs) : "";
  }

  /**
   * Call when something is sent anyway: a heartbeat that is nearly due goes with it, so that both
   * ends and all paths wake up together. Returns whether to send a probe.
   */
  joinProbe(now: number, patienceUs: number): boolean {
    if (this.state !== "up" || this.#probeAtUs - now > this.#heartbeatUs * JOINED_SHARE) {
      return false;
    }
    if (this.#lostProbes > 0) return false;
    return this.#onProbeDue(now, patienceUs) === "probe";
  }

  #onProbeDue(now: number, patienceUs: number): "probe" | "failed" | "" {
    this.#lostProbes++;
    if (this.state === "up" && this.#lostProbes > HEARTBEATS) {
      this.#lostProbes = 0;
      return this.#suspect(now, this.progressAtUs);
    }
    if (this.state === "suspect" && this.#lostProbes > MAX_LOST_PROBES) {
      this.#become(now, "down", `no answer to probes, ${silenceSince(this.progressAtUs, now)}`);
      this.#probeAtUs = now;
      return "failed";
    }
    if (this.state === "down" && this.#lostProbes > 1) this.#goodProbes = 0;
    this.#probeAtUs = now + this.#probeIntervalUs(patienceUs);
    return "probe";
  }

  get #heartbeatUs(): number {
    return this.metered ? METERED_HEARTBEAT_US : this.#timeoutUs / HEARTBEATS;
  }

  #probeIntervalUs(patienceUs: number): number {
    if (this.state === "suspect") return Math.max(SUSPECT_PROBE_US, patienceUs / 2);
    return this.state === "up" ? this.#heartbeatUs : DOWN_PROBE_US;
  }

  #suspect(now: number, since: number): "failed" {
    this.#become(now, "suspect", silenceSince(since, now));
    this.#suspectedAtUs = now;
    this.#lostProbes = 0;
    this.#probeAtUs = now;
    return "failed";
  }

  /** When to doubt it: what was to be reported by then has had the time for it. */
  #doubtAtUs(stakes: Stakes): number {
    return this.doubted || stakes.alone ? Infinity : stakes.reportableAtUs + stakes.doubtfulUs;
  }

  #since(stakes: Stakes): number {
    return Math.max(stakes.oldestSentAtUs, this.progressAtUs);
  }

  /** When an answer is overdue. */
  #tailAtUs(stakes: Stakes): number {
    return this.#since(stakes) + stakes.patienceUs + REPORT_INTERVAL_US;
  }

  /**
   * When silence becomes suspicious. A few packets may all have been lost without any after them to
   * reveal it (RFC 8985 section 7): the path is probed first.
   */
  #suspicionAtUs(stakes: Stakes): number {
    const overdue = stakes.few ? this.#probedAtUs + stakes.patienceUs : this.#tailAtUs(stakes);
    const since = this.#since(stakes);
    const at = Math.max(since + LEAST_SUSPICION_US, overdue) +
      (stakes.varies ? MORE_SUSPICION_US : 0);
    return stakes.alone ? since + (at - since) * ALONE_FACTOR : at;
  }

  #become(now: number, state: PathState, reason?: string): void {
    if (state !== this.state) {
      this.before = this.state;
      this.beforeUs = now - this.sinceUs;
      this.sinceUs = state === "up" && this.state === "suspect" ? this.#upSinceUs : now;
      if (state === "up") this.#upSinceUs = this.sinceUs;
      this.state = state;
    }
    this.reason = reason;
    this.doubted = false;
    this.#goodProbes = 0;
    this.#probedAtUs = Infinity;
  }
}

function silenceSince(since: number, now: number): string {
  return `nothing heard for ${Math.round((now - since) / 1000)} ms`;
}
