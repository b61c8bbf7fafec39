/**
 * One path: a link to one remote endpoint, as its sender sees it.
 *
 * It composes the small machines of this folder (liveness, round-trip time,
 * pacer, rate estimator, in-flight ring) and feeds them from reports.
 *
 * @module
 */

import type { LinkOptions } from "../link_options.ts";
import type { Remote } from "../remote.ts";
import type { LinkTier } from "../wire/handshake.ts";
import { PACKET_OVERHEAD_BYTES, UDP_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { QUEUE_UNKNOWN, type Report } from "../wire/report.ts";
import { DeliveryRate, RateSample } from "./delivery_rate.ts";
import { InFlight, type SlotHandler, UNTRACKED } from "./in_flight.ts";
import { LinkNews } from "./link_news.ts";
import { Liveness, REPORT_DATAGRAMS, REPORT_INTERVAL_US, type Stakes } from "./liveness.ts";
import { LossMeter } from "./loss_meter.ts";
import { Meter } from "./meter.ts";
import { MtuNews } from "./mtu_news.ts";
import { Pacer } from "./pacer.ts";
import { type LinkSigns, RateEstimator } from "./rate_estimator.ts";
import type { LineTest } from "./line_test.ts";
import { DEFAULT_MTU_BYTES, PathMtu } from "./path_mtu.ts";
import { ProbeLog } from "./probe_log.ts";
import { Rtt } from "./rtt.ts";
import { Validation } from "./validation.ts";
import { STANDING_US } from "./variable_rate.ts";

/** What a spare path stands for. */
export interface Arrival {
  /** Not empty. */
  readonly name: string;
  readonly metered: boolean;
}

/** What is configured of a path: `uploadBps` and `mtuBytes` are for what this end sends. */
export interface PathOptions extends LinkOptions {
  readonly id: number;
  readonly name: string;
}

/** A path that was down restarts with this share of its last rate. */
const RETURN_SHARE = 0.25;
/** ... and one that was full of a test's load with this: it is as good as before. */
const AFTER_LOAD_SHARE = 0.5;
/** More than this many round trips in flight means a queue somewhere. */
const WINDOW_ROUND_TRIPS = 2;
const LEAST_WINDOW_BYTES = 16_384;
const LEAST_VARIABLE_WINDOW_BYTES = 3_000;
/** For the first answer, while no round trip is known: RFC 6298 section 2. */
const UNKNOWN_PATIENCE_US = 1_000_000;
/** A path that returns to its last address needs no new proof for this long, in microseconds. */
const COME_BACK_US = 30_000_000;
/** More than any datagram takes. */
const MOST_WIRE_BYTES = 2_100;
/** Datagrams without packets may be among those that are to be reported together. */
const REPORTED_DATAGRAMS = REPORT_DATAGRAMS * 5 / 4;
/** This many may be lost together without any sign of it. */
const FEW_PACKETS = 3;

/** The sending side of one path. */
export class Path {
  readonly rtt: Rtt = new Rtt();
  readonly flight: InFlight = new InFlight();
  readonly pacer: Pacer;
  rate: RateEstimator;
  readonly live: Liveness;
  sent: Meter = new Meter();
  readonly news: LinkNews = new LinkNews();
  readonly mtu: PathMtu;
  /** Whether the peer knows what it carries to there. */
  readonly mtuNews: MtuNews = new MtuNews();
  /** What it carries to here, as the peer says, in bytes of IP packets; 0: nothing was said. */
  remoteMtuBytes = 0;
  /** What it is called; a spare one without a name stands for no link, and is silent. */
  name: string;
  /** When it is used: as configured, unless changed since. */
  tier: LinkTier;
  /** Why the tier is not the configured one, in words. */
  tierReason: string | undefined;
  /** Which socket they leave from. */
  socket: number;
  sentDatagrams = 0;
  /** Packets that were given up on it since it was up last, and left again by other links. */
  resentPackets = 0;
  /** One-way delay to the peer, relative to the other paths, modulo 2^24 microseconds. */
  owdWire = 0;
  /** Standing queue on the link, as the peer last measured it, in microseconds. */
  queueUs = 0;
  /** Fraction of datagrams lost over the last whole second. */
  loss = 0;
  /** Packets lost on it that were not sent again. */
  lostForGood = 0;
  /** What is being measured, if anybody asked for it. */
  test: LineTest | undefined;
  /** Where the peer sees this end, as it says: address and port. */
  seenAs: string | undefined;

  /** Whether there is room for a packet in what may leave for an address that is not proven. */
  mayCarry = true;
  readonly #validation = new Validation();
  #remote: Remote | undefined;
  /** The last proven address before this one, until when it counts, and whether it was given. */
  #earlier:
    | { readonly remote: Remote; readonly endsAtUs: number; readonly isGiven: boolean }
    | undefined;
  /** What headers add outside a datagram, and in all to a packet, by the family of the remote. */
  #udpBytes: number = UDP_OVERHEAD_BYTES[4];
  #packetOverheadBytes: number = PACKET_OVERHEAD_BYTES[4];
  readonly #delivery = new DeliveryRate();
  readonly #sample = new RateSample();
  readonly #signs = {
    queueUs: 0,
    srttUs: 0,
    minRttUs: 0,
    jitterUs: 0,
    loss: 0,
    sentBps: 0,
    lostDatagrams: 0,
    inFlightBytes: 0,
  };
  readonly #stakes = {
    oldestSentAtUs: Infinity,
    reportableAtUs: Infinity,
    doubtfulUs: 0,
    patienceUs: 0,
    alone: false,
    varies: false,
    few: true,
  };
  readonly #probes = new ProbeLog();
  /** Bytes sent before this session. */
  #sentBefore = 0;
  #idleCount = 0;
  #idle = false;
  #disturbed = false;
  readonly #losses = new LossMeter();

  /** As configured; see {@linkcode setOptions} and {@linkcode renew}. */
  options: PathOptions;

  constructor(options: PathOptions, now: number, socket: number, remote?: Remote) {
    this.options = options;
    this.remote = remote;
    this.socket = socket;
    this.name = options.spare || options.off !== undefined ? "" : options.name;
    this.tier = options.tier;
    this.rate = new RateEstimator(options.uploadBps ?? 0);
    this.pacer = new Pacer(this.rate.pacingBps);
    this.live = new Liveness(now, options.timeoutUs, options.metered);
    this.mtu = new PathMtu(options.mtuBytes ?? DEFAULT_MTU_BYTES, options.metered);
  }

  /** The same of what was lost for good. */
  get residualLoss(): number {
    return this.#losses.residual;
  }

  /** Whether it stands for a link. */
  get isThere(): boolean {
    return this.name !== "";
  }

  /** Whether nothing at all is to leave on it, for the sake of a test. */
  isQuiet(now: number): boolean {
    return this.test?.isQuiet(now) ?? false;
  }

  /** Whether it stood for a link of which the peer may not know that it has gone. */
  get hasLeft(): boolean {
    return this.name === "" && this.news.telling;
  }

  /** Whether new packets may be sent: it is up and its window is open. */
  get open(): boolean {
    return this.live.state === "up" && this.mayCarry && this.flight.bytes < this.windowBytes &&
      !this.flight.full;
  }

  /** Bytes that may be in flight at once. */
  get windowBytes(): number {
    if (this.rate.competes) return this.rate.sharedWindowBytes;
    if (this.rate.varies) {
      const bytes = this.rate.rateBps * (this.rtt.minUs + STANDING_US) / 8e6;
      return Math.max(LEAST_VARIABLE_WINDOW_BYTES, bytes);
    }
    const roundTripUs = this.rtt.minUs + 30_000; // reports are up to 20 ms apart
    const bdp = this.rate.rateBps * roundTripUs / 8e6;
    return Math.max(LEAST_WINDOW_BYTES, WINDOW_ROUND_TRIPS * bdp);
  }

  /** Where datagrams go; undefined until the peer is known (server). */
  get remote(): Remote | undefined {
    return this.#remote;
  }

  /** The user, or somebody that the user trusts, has named the address: it need not be proven. */
  set remote(remote: Remote | undefined) {
    this.#setRemote(remote);
    this.#validation.handleGiven();
    this.mayCarry = true;
  }

  /** The peer's datagrams come from `remote`, by a socket. See {@linkcode Validation}. */
  moveTo(now: number, remote: Remote, socket: number): void {
    const earlier = this.#earlier?.remote.equals(remote.bytes) ? this.#earlier : undefined;
    const validation = this.#validation;
    if (this.#remote && validation.isProven(now)) {
      const endsAtUs = now + COME_BACK_US;
      this.#earlier = { remote: this.#remote, endsAtUs, isGiven: validation.isGiven };
    }
    this.#setRemote(remote);
    this.socket = socket;
    const isProven = earlier !== undefined && now < earlier.endsAtUs;
    validation.handleFound(this.#probes.newest, isProven);
    if (isProven && earlier.isGiven) validation.handleGiven();
    this.#judge(now);
  }

  /** A datagram of `length` bytes came from the address that the path sends to. */
  handleReceived(now: number, length: number): void {
    this.#validation.handleReceived(this.wireBytes(length));
    if (!this.mayCarry) this.#judge(now);
  }

  /** Whether to ask now whether the address receives what is sent there. */
  pollProof(now: number): boolean {
    this.#judge(now);
    return this.#validation.pollAsk(now);
  }

  /** Whether a datagram of `length` bytes may leave. */
  allows(now: number, length: number): boolean {
    return this.#validation.allows(now, this.wireBytes(length));
  }

  #judge(now: number): void {
    this.mayCarry = this.#validation.allows(now, MOST_WIRE_BYTES);
  }

  #setRemote(remote: Remote | undefined): void {
    this.#remote = remote;
    const family = remote?.family ?? 4;
    this.#udpBytes = UDP_OVERHEAD_BYTES[family];
    this.#packetOverheadBytes = PACKET_OVERHEAD_BYTES[family];
  }

  /** Bytes that a datagram of `length` bytes takes on the link. */
  wireBytes(length: number): number {
    return length + this.#udpBytes;
  }

  /** The longest packet that the link is known to carry whole. */
  get packetBytes(): number {
    return this.mtu.size - this.#packetOverheadBytes;
  }

  /**
   * This end decides that the link has another tier, or (undefined) the configured one again.
   * Returns whether that is news for the peer.
   */
  decideTier(tier: LinkTier | undefined, reason: string | undefined): boolean {
    this.tierReason = reason;
    const decided = tier ?? this.options.tier;
    if (decided === this.tier) return false;
    this.tier = decided;
    this.news.begin(this.#probes.newest);
    return true;
  }

  /** The same link is configured in another way from now on. What is known of it stays. */
  setOptions(now: number, options: PathOptions): void {
    const { uploadBps = 0, mtuBytes = DEFAULT_MTU_BYTES, metered, tier, timeoutUs } = options;
    const before = this.options;
    this.options = options;
    this.name = options.name;
    if (uploadBps !== (before.uploadBps ?? 0)) this.#replaceRate(now, uploadBps);
    this.mtu.setBound(mtuBytes);
    this.live.metered = this.mtu.metered = metered;
    this.live.setTimeoutUs(timeoutUs);
    if (tier === before.tier) return;
    this.tier = tier;
    this.tierReason = undefined;
  }

  /**
   * Stands for a link that was away from now on, or for one that is another: nothing is known of it.
   * Only its numbers go on, for under one key none may come twice.
   */
  renew(now: number, options: PathOptions, isAnother: boolean): void {
    this.setOptions(now, options);
    this.tier = options.tier;
    this.#replaceRate(now, options.uploadBps ?? 0);
    this.live.restart(now);
    this.mtu.restart();
    if (!isAnother) return;
    this.sent = new Meter();
    this.#sentBefore = 0;
    this.sentDatagrams = 0;
  }

  /** Stands for no link from now on, or for one that is off. What is in flight on it goes to `lost`. */
  remove(now: number, options: PathOptions, lost: SlotHandler): void {
    this.depart(now, lost);
    this.news.telling = false;
    this.options = options;
    this.tierReason = undefined;
  }

  /** A spare path stands for a link from now on. */
  arrive(now: number, { name, metered }: Arrival): void {
    this.name = name;
    this.live.metered = metered;
    this.mtu.metered = metered;
    this.live.restart(now);
    // What is known of the rate is of another line, or of another time.
    if (this.rtt.sampled) this.#restartRate(now);
    this.mtu.restart();
  }

  /** The peer is to be told what a spare path stands for. */
  tellArrival(): void {
    this.news.begin(this.#probes.newest);
  }

  /** A spare path stands for a link no more. What is in flight on it goes to `lost`. */
  depart(now: number, lost: SlotHandler): void {
    this.name = "";
    this.remote = undefined;
    this.news.pending = false;
    this.live.restart(now);
    this.mtu.restart();
    this.mtu.stop();
    this.abandon(lost);
  }

  /** Accounts for a datagram of `length` bytes; `slot` is that of {@linkcode InFlight.push}. */
  handleSent(now: number, slot: number, length: number): void {
    const bytes = this.wireBytes(length);
    this.flight.push(now, slot, bytes, this.#idleCount);
    this.#validation.handleSent(now, bytes, slot >= 0);
    this.#judge(now);
    if (now >= this.rate.pushEndsAtUs) {
      this.rate.endPush();
      this.pacer.rateBps = this.rate.pacingBps;
    }
    this.pacer.charge(now, bytes);
    this.sent.add(now, bytes);
    this.sentDatagrams++;
    this.#idle = false;
  }

  /**
   * Accounts for a datagram of a test's load, which leaves beside all that is paced: the pacer does
   * not wait for it, its loss says nothing, and samples of the rate are no more than a lower bound.
   */
  handleLoadSent(now: number, length: number): void {
    const bytes = this.wireBytes(length);
    this.#validation.handleSent(now, bytes, false);
    this.flight.push(now, UNTRACKED, bytes, ++this.#idleCount);
    this.sent.add(now, bytes);
    this.sentDatagrams++;
  }

  /** The path could have sent, but there was nothing to send: its rate samples say less. */
  handleIdle(): void {
    this.pacer.pause();
    if (this.#idle) return;
    this.#idle = true;
    this.#idleCount++;
  }

  /**
   * A probe leaves now. `size`: the IP packet that it is to prove; `token`: what its answer must
   * repeat, 32 bits that the peer cannot guess. Returns the token.
   */
  nextProbe(now: number, size = 0, token = this.#probes.newest + 1): number {
    this.#probes.note(now, size, token);
    return token;
  }

  /** Whether what it carries is to be told with a probe now; see {@linkcode MtuNews.poll}. */
  pollMtuNews(now: number): boolean {
    return this.mtuNews.poll(now, this.mtu.knownBytes ?? 0, this.#probes.newest);
  }

  /** The peer says that the link carries IP packets of up to `bytes` to here. */
  handleRemoteMtu(bytes: number): void {
    if (bytes === this.remoteMtuBytes) return;
    this.remoteMtuBytes = bytes;
    // Lines are nearly always as narrow one way as the other: is ours still what it was?
    if (this.mtu.isKnown && bytes < this.mtu.size) this.mtu.restart();
  }

  /** The size of an IP packet for which a probe is to leave now; 0: for none. */
  pollSizeProbe(now: number): number {
    return this.#isProbed ? this.mtu.pollProbe(now, this.#probePatienceUs) : 0;
  }

  /**
   * An answer to the probe with `token`, which left at `sentAt` in wire time. Returns true when the
   * path has come up.
   */
  handleProbeAck(now: number, token: number, sentAt?: number): boolean {
    const number = this.#probes.find(token, sentAt);
    if (number === 0) return false;
    this.#validation.handleProbeAck(number);
    this.#judge(now);
    this.news.handleProbeAck(number);
    this.mtuNews.handleProbeAck(number);
    const size = this.#probes.sizeOf(number);
    if (size > 0) this.mtu.handleAck(size);
    const roundTripUs = now - this.#probes.sentAtUs(number);
    this.rtt.sample(now, roundTripUs);
    this.test?.handleAnswer(token, roundTripUs);
    return this.#progress(now, true);
  }

  /**
   * A report from the peer. `base` is the number of the session's counter 0; only reports of the
   * `current` session are rate samples, since counts restart. Acknowledged packets go to `release`,
   * lost ones to `lost`. Returns true when the path has come up.
   */
  handleReport(
    now: number,
    report: Report,
    base: number,
    current: boolean,
    release: SlotHandler,
    lost: SlotHandler,
  ): boolean {
    const highest = base + report.highest;
    if (highest >= this.flight.next || this.flight.next - highest > this.flight.remembered) {
      return false;
    }
    const newest = highest > this.flight.newestAcked;
    const news = this.#acknowledge(report, base, highest, release);
    this.flight.detectLoss(lost);
    if (this.mtu.handleLoss(this.flight.largeLost)) this.flight.largeLost = 0;
    this.loss = this.#losses.count(now, this.flight, this.lostForGood);
    if (newest) this.#handleNewest(now, report, highest, current);
    return news > 0 && this.live.isSignOfLife(now - report.heldUs) && this.#progress(now, false);
  }

  /** Gives up everything in flight: `lost` gets the packets. */
  abandon(lost: SlotHandler): void {
    this.flight.abandon(lost);
    // What arrived before and after its silence is no rate.
    this.handleIdle();
  }

  /** A new session: the peer counts from zero. */
  handleNewSession(): void {
    this.#delivery.reset();
    this.news.handleNewSession(this.#probes.newest);
    this.mtuNews.handleNewSession(this.#probes.newest);
    this.#sentBefore = this.sent.totalBytes;
  }

  /** When {@linkcode handleTimeout} has something to do; `alone`: no other path is up. */
  timeoutAtUs(alone: boolean): number {
    if (!this.remote) return Infinity;
    const liveAtUs = this.live.timeoutAtUs(this.#lookAtStakes(alone));
    if (!this.#isProbed) return liveAtUs;
    const sizeAtUs = this.mtu.timeoutAtUs(this.#probePatienceUs);
    return Math.min(liveAtUs, Math.max(sizeAtUs, this.test?.quietUntilUs ?? -Infinity));
  }

  /** Runs liveness; see {@linkcode Liveness.handleTimeout}. */
  handleTimeout(now: number, alone: boolean): "probe" | "doubted" | "failed" | "" {
    return this.live.handleTimeout(now, this.#lookAtStakes(alone));
  }

  /** Whether to send a heartbeat with what is sent; see {@linkcode Liveness.joinProbe}. */
  joinProbe(now: number): boolean {
    return this.live.joinProbe(now, this.rtt.patienceUs);
  }

  /** Whether the size that it carries is looked for: not while nothing is heard of it, or too little. */
  get #isProbed(): boolean {
    return this.mayCarry && (this.live.state === "up" || this.live.state === "connecting");
  }

  /** How long the answer to a probe of a size may take. */
  get #probePatienceUs(): number {
    return this.rtt.sampled ? this.rtt.patienceUs : UNKNOWN_PATIENCE_US;
  }

  #lookAtStakes(alone: boolean): Stakes {
    const stakes = this.#stakes;
    stakes.oldestSentAtUs = this.flight.oldestSentAtUs;
    stakes.doubtfulUs = this.rtt.doubtfulUs;
    stakes.reportableAtUs = this.flight.reportableAtUs(REPORT_INTERVAL_US, REPORTED_DATAGRAMS);
    stakes.patienceUs = this.rtt.patienceUs;
    stakes.alone = alone;
    stakes.varies = this.rate.varies;
    stakes.few = this.flight.packets <= FEW_PACKETS;
    return stakes;
  }

  #acknowledge(report: Report, base: number, highest: number, release: SlotHandler): number {
    let news = 0;
    let high = highest;
    for (let i = 0; i < report.rangeCount; i++) {
      high -= report.gaps[i]!;
      const low = Math.max(high - report.runs[i]! + 1, base);
      if (high < base) break;
      news += this.flight.acknowledge(low, high, release);
      high = low - 1;
    }
    return news;
  }

  #handleNewest(now: number, report: Report, highest: number, current: boolean): void {
    const sentAtUs = this.flight.sentAtUs(highest);
    this.rtt.sample(now, Math.max(now - sentAtUs - report.heldUs, 1));
    this.owdWire = report.owdUs;
    const known = report.queueDelayUs !== QUEUE_UNKNOWN;
    if (known) this.queueUs = report.queueDelayUs;
    if (!current) return;
    if (this.test) {
      this.test.handleReport(now, report);
      if (this.#isDisturbed(now)) return;
    }
    const overhead = this.wireBytes(0) * report.datagrams;
    const possible = this.sent.totalBytes - this.#sentBefore; // whatever the peer claims
    this.#delivery.sample(
      report.receivedAtUs,
      sentAtUs,
      Math.min(report.bytes + overhead, possible),
      this.flight.idleCount(highest),
      known && this.queueUs > this.rate.queueLimitUs(this.rtt.minUs, this.rtt.jitterUs),
      this.rate.spanUs,
      this.rate.spanBytes,
      this.#sample,
    );
    this.rate.handleSample(now, this.#sample, this.#lookAtSigns(now, known));
    this.pacer.rateBps = this.rate.pacingBps;
  }

  /** Whether a test fills the link; when that is over, what it carries is found out again. */
  #isDisturbed(now: number): boolean {
    const was = this.#disturbed;
    this.#disturbed = this.test!.isDisturbing(now);
    if (was && !this.#disturbed) this.#restartRate(now, AFTER_LOAD_SHARE);
    return this.#disturbed;
  }

  #lookAtSigns(now: number, known: boolean): LinkSigns {
    const signs = this.#signs;
    signs.queueUs = known ? this.queueUs : -1;
    signs.srttUs = this.rtt.srttUs;
    signs.minRttUs = this.rtt.minUs;
    signs.jitterUs = this.rtt.jitterUs;
    signs.loss = this.loss;
    signs.sentBps = this.sent.rateBps(now);
    signs.lostDatagrams = this.flight.lostDatagrams;
    signs.inFlightBytes = this.flight.bytes;
    return signs;
  }

  #progress(now: number, probe: boolean): boolean {
    if (!this.isThere) return false;
    const before = this.live.state;
    const up = this.live.handleProgress(now, probe);
    if (up && before === "suspect") this.rate.handleSilence(now);
    if (up && before === "down") {
      this.mtu.restart();
      this.#restartRate(now);
    }
    return up;
  }

  #replaceRate(now: number, capBps: number): void {
    this.rate = new RateEstimator(capBps);
    this.pacer.rateBps = this.rate.pacingBps;
    this.pacer.reset(now);
    this.#delivery.reset();
    this.#sentBefore = this.sent.totalBytes;
  }

  #restartRate(now: number, share = RETURN_SHARE): void {
    this.rate.restart(now, share);
    this.pacer.rateBps = this.rate.pacingBps;
    this.pacer.reset(now);
  }
}
