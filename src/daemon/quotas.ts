/**
 * What links may carry in a month, and what they have carried: a link whose quota is used up is a
 * backup until the month ends.
 *
 * The core counts bytes without a calendar; this module has the calendar and sees no packets.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { formatSize } from "../config/units.ts";
import type { Clock } from "../io/clock.ts";
import type { Tier } from "../wire/handshake.ts";
import type { EndpointStatus } from "../tunnel/options.ts";
import { dayAfter, monthOf } from "./calendar.ts";
import { QuotaLedger } from "./quota_ledger.ts";
import type { StateFile } from "./state_file.ts";

const log = getLogger(["aggvpn", "quota"]);

/** How often to call {@linkcode Quotas.handleTimeout}: 100 Mbit/s overrun a quota by 12 MB. */
export const QUOTA_INTERVAL_MS = 1000;
/** Least time between writes of the file, in microseconds: what a crash may forget. */
const SAVE_EVERY_US = 60_000_000;

/** A link with a quota. */
export interface QuotaLink {
  readonly id: number;
  readonly name: string;
  /** Bytes of IP packets in a month, both ways together. */
  readonly quotaBytes: number;
}

/** What {@linkcode Quotas} asks the tunnel and tells it. */
export interface Carrier {
  /** Bytes that a link has carried since the start. */
  carriedBytes(link: number): number;
  setLinkTier(now: number, link: number, tier: Tier | undefined, reason: string | undefined): void;
}

/** What {@linkcode Quotas} needs. */
export interface QuotaOptions {
  readonly links: readonly QuotaLink[];
  readonly carrier: Carrier;
  readonly clock: Clock;
  /** The wall clock: milliseconds since 1970. It may be set at any time, even backwards. */
  readonly wallMs: () => number;
  readonly file: StateFile;
}

/** Quotas of the links of one client. */
export class Quotas {
  readonly #options: QuotaOptions;
  readonly #ledger: QuotaLedger;
  /** By position in the list: the carrier's latest answer. */
  readonly #counted: Float64Array;
  /** Why each link is a backup, as the carrier was told. */
  readonly #reasons: (string | undefined)[];
  #savedAtUs = -Infinity;
  #isSaved = true;
  #saving: Promise<void> = Promise.resolve();
  #complained = false;

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#ledger = load(options.file, monthOf(options.wallMs()));
    // What links carried before they had a quota does not count.
    this.#counted = Float64Array.from(options.links, ({ id }) => options.carrier.carriedBytes(id));
    this.#reasons = options.links.map(() => undefined);
  }

  /** Counts, decides about tiers, and writes the file when that is due. */
  handleTimeout(): void {
    const now = this.#options.clock();
    this.#count();
    this.#options.links.forEach((link, i) => this.#decide(now, link, i));
    if (this.#isSaved || now - this.#savedAtUs < SAVE_EVERY_US) return;
    this.#savedAtUs = now;
    this.#save();
  }

  /** Returns `status` with the quotas of its links and how much of them is used. */
  describe(status: EndpointStatus): EndpointStatus {
    this.#count();
    const month = this.#month();
    const links = status.peers[0]!.links.map((link) => {
      const quota = this.#options.links.find(({ id }) => id === link.id);
      if (!quota) return link;
      const quotaUsedBytes = this.#ledger.used(month, quota.name);
      return { ...link, quotaBytes: quota.quotaBytes, quotaUsedBytes };
    });
    return { ...status, peers: [{ ...status.peers[0]!, links }] };
  }

  /** Counts a last time; resolves when the file is written, or cannot be. */
  async close(): Promise<void> {
    this.#count();
    if (!this.#isSaved) this.#save();
    await this.#saving;
  }

  #month(): string {
    return monthOf(this.#options.wallMs());
  }

  #count(): void {
    const { links, carrier } = this.#options;
    const month = this.#month();
    links.forEach(({ id, name }, i) => {
      const bytes = carrier.carriedBytes(id);
      if (bytes === this.#counted[i]) return;
      this.#ledger.add(month, name, bytes - this.#counted[i]!);
      this.#counted[i] = bytes;
      this.#isSaved = false;
    });
  }

  #decide(now: number, { id, name, quotaBytes }: QuotaLink, i: number): void {
    const month = this.#month();
    const isSpent = this.#ledger.used(month, name) >= quotaBytes;
    const quota = formatSize(quotaBytes);
    const until = dayAfter(month);
    const reason = isSpent ? `quota of ${quota} is used up: backup until ${until}` : undefined;
    if (reason === this.#reasons[i]) return;
    this.#reasons[i] = reason;
    this.#options.carrier.setLinkTier(now, id, isSpent ? "backup" : undefined, reason);
    if (!isSpent) log.info("Link {link} has a quota again", { link: name });
    else {
      const fields = { link: name, quota, until };
      log.warning("Link {link} has used up its quota of {quota}: backup until {until}", fields);
    }
  }

  /** Starts to write the file, after any write in progress. */
  #save(): void {
    const text = this.#ledger.toText();
    this.#isSaved = true;
    this.#saving = this.#saving.then(() => this.#options.file.write(text)).then(
      () => {
        this.#complained = false;
      },
      (error: Error) => {
        this.#isSaved = false;
        if (!this.#complained) {
          const fields = { path: this.#options.file.path, reason: error.message };
          log.warning("Cannot write {path}, a restart will forget the quotas: {reason}", fields);
        }
        this.#complained = true;
      },
    );
  }
}

/** Whatever is wrong with the file, the tunnel runs: counting then begins at zero. */
function load(file: StateFile, month: string): QuotaLedger {
  const { path } = file;
  const { text, problem } = file.read();
  if (text === undefined && problem === undefined) {
    log.info("Quotas begin at zero: there is no {path} yet", { path });
    return new QuotaLedger();
  }
  const ledger = text === undefined ? undefined : QuotaLedger.parse(text);
  if (!ledger) {
    log.warning("Quotas begin at zero: {path} {problem}", {
      path,
      problem: problem ?? "is damaged",
    });
    return new QuotaLedger();
  }
  const { latest } = ledger;
  if (latest !== undefined && latest > month) {
    log.warning(
      "Quotas are counted for {month}, but {path} is from {latest}: is the clock right?",
      {
        month,
        path,
        latest,
      },
    );
  }
  return ledger;
}
