/**
 * A person who reads: requests something over a TCP connection that stays open, waits for the whole
 * answer, looks at it for a while, requests again. How long the answers take is what such a person
 * calls the speed of the line.
 *
 * @module
 */

import { Timer } from "../../pair/timer.ts";
import { SERVER } from "../packet.ts";
import { BulkFlow } from "./bulk.ts";
import type { Network } from "./flow.ts";
import { Samples } from "./samples.ts";

/** A request is one packet with this much payload. */
const REQUEST_BYTES = 300;
/** A request that is not answered is sent again; doubled each time, as a retransmission timeout. */
const RETRY_US = 300_000;

/** What is asked for. */
export interface RequestOptions {
  /** Of the TUN interfaces. */
  readonly mtu: number;
  readonly responseBytes: number;
  /** From an answer to the next request, in microseconds. */
  readonly thinkUs: number;
}

/** One connection of the client to the server. */
export class RequestFlow extends BulkFlow {
  /** From a request to the last byte of its answer, in microseconds. */
  readonly times = new Samples();
  /** Requests that had to be sent again. */
  retries = 0;
  readonly #responseBytes: number;
  readonly #thinkUs: number;
  readonly #askTimer: Timer;
  readonly #retryTimer: Timer;
  #asked = 0;
  #askedAt = 0;
  #answered = 0;
  /** Segments of all answers, with the last one and without. */
  #offered = 0;
  #offeredBefore = 0;
  #retryUs = RETRY_US;

  constructor(network: Network, port: number, { mtu, responseBytes, thinkUs }: RequestOptions) {
    super(network, port, { from: SERVER, mtu, limit: 0 });
    this.#responseBytes = responseBytes;
    this.#thinkUs = thinkUs;
    this.#askTimer = new Timer(network.queue, (now) => this.#ask(now));
    this.#retryTimer = new Timer(network.queue, (now) => this.#retry(now));
  }

  override stop(): void {
    super.stop();
    this.#askTimer.set(Infinity);
    this.#retryTimer.set(Infinity);
  }

  protected override onOpen(now: number): void {
    if (this.#asked === 0) this.#ask(now);
  }

  protected override onRequest(now: number, number: number): void {
    if (number !== this.#answered + 1) return;
    this.#answered++;
    const segments = Math.ceil(this.#responseBytes / this.segmentBytes);
    this.#offeredBefore = this.#offered;
    this.#offered += segments;
    this.sender.offer(now, segments);
  }

  protected override onProgress(now: number): void {
    const { next } = this.receiver;
    if (this.#answered < this.#asked) return;
    if (next > this.#offeredBefore) this.#retryTimer.set(Infinity);
    if (next < this.#offered || this.#askTimer.at !== Infinity) return;
    this.times.add(now - this.#askedAt);
    this.#askTimer.set(now + this.pauseUs(now));
  }

  /** An answer is complete: how long until the next request. */
  protected pauseUs(_now: number): number {
    return this.#thinkUs;
  }

  #ask(now: number): void {
    this.#asked++;
    this.#askedAt = now;
    this.#retryUs = RETRY_US;
    this.#send(now);
  }

  #retry(now: number): void {
    this.retries++;
    this.#retryUs *= 2;
    this.#send(now);
  }

  #send(now: number): void {
    this.#retryTimer.set(now + this.#retryUs);
    this.sendRequest(this.#asked, REQUEST_BYTES);
  }
}
