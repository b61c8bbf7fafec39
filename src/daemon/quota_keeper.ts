/**
 * Has the quotas of a client's links counted while the tunnel runs, whatever its links are.
 *
 * @module
 */

import type { LinkConfig } from "../config/config.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import type { LinkTier } from "../wire/handshake.ts";
import type { ClientLinks } from "./client_links.ts";
import type { QuotaEvent } from "./event_hub.ts";
import { QUOTA_INTERVAL_MS, type QuotaLink, Quotas } from "./quotas.ts";
import type { StateFile } from "./state_file.ts";

/** What a {@linkcode QuotaKeeper} needs. */
export interface QuotaKeeperOptions {
  /** Of a client; undefined at a server, which has no quotas. */
  readonly links: Pick<ClientLinks, "current" | "setOff"> | undefined;
  readonly endpoint: Pick<Endpoint, "carriedBytes" | "setLinkTier">;
  readonly driver: Pick<Driver, "wake">;
  /** Where the counts are kept. */
  readonly file: StateFile;
  readonly onEvent: (event: QuotaEvent) => void;
}

/** Counts until it is closed. */
export class QuotaKeeper {
  readonly #options: QuotaKeeperOptions;
  #quotas: Quotas | undefined;
  #counted: readonly QuotaLink[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: QuotaKeeperOptions) {
    this.#options = options;
    this.#open();
  }

  /** What is counted; undefined while no link has a quota. */
  get quotas(): Quotas | undefined {
    return this.#quotas;
  }

  /** The links or their quotas are others: what was counted of those that stay is kept. */
  async renew(): Promise<void> {
    await this.close();
    for (const { id } of this.#counted) {
      this.#setLinkTier(id, undefined, undefined);
      this.#setLinkOff(id, undefined);
    }
    this.#open();
  }

  /** Counts a last time, and saves that. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const quotas = this.#quotas;
    this.#quotas = undefined;
    await quotas?.close();
  }

  #open(): void {
    const { links, endpoint, file, onEvent } = this.#options;
    const counted = this.#counted = quotaLinks(links?.current ?? []);
    if (counted.length === 0) return;
    const quotas = this.#quotas = new Quotas({
      links: counted,
      carrier: {
        carriedBytes: (link) => endpoint.carriedBytes(link),
        setLinkTier: (_now, link, tier, reason) => this.#setLinkTier(link, tier, reason),
        setLinkOff: (_now, link, reason) => this.#setLinkOff(link, reason),
      },
      clock: systemClock,
      wallMs: Date.now,
      file,
      onEvent,
    });
    quotas.handleTimeout();
    this.#timer = setInterval(() => quotas.handleTimeout(), QUOTA_INTERVAL_MS);
  }

  #setLinkTier(link: number, tier: LinkTier | undefined, reason: string | undefined): void {
    this.#options.endpoint.setLinkTier(systemClock(), link, tier, reason);
    this.#options.driver.wake();
  }

  #setLinkOff(link: number, reason: string | undefined): void {
    this.#options.links?.setOff(link, reason);
    this.#options.driver.wake();
  }
}

/** By place. */
function quotaLinks(links: readonly (LinkConfig | undefined)[]): QuotaLink[] {
  return links.flatMap((link, id) => {
    const { name, options } = link ?? {};
    const { quotaBytes, quotaDay: day = 1, whenUsedUp = "last" } = options ?? {};
    return name === undefined || quotaBytes === undefined
      ? []
      : [{ id, name, quotaBytes, day, whenUsedUp }];
  });
}
