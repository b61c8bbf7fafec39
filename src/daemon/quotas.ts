/**
 * What links may carry in a month, and what they have carried: a link whose quota is used up is the
 * last of all, or off, until the month ends.
 *
 * The core counts bytes without a calendar; this module has the calendar and sees no packets.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { formatSize } from "../config/units.ts";
import { AggvpnError } from "../errors.ts";
import type { Clock } from "../io/clock.ts";
import type { WhenUsedUp } from "../link_options.ts";
import type { EndpointStatus } from "../tunnel/options.ts";
import type { LinkTier } from "../wire/handshake.ts";
import { dateWords, endOf, monthOf } from "./calendar.ts";
import type { QuotaEvent } from "./event_hub.ts";
import { QuotaLedger } from "./quota_ledger.ts";
import { SavedText } from "./saved_text.ts";
import type { StateFile } from "./state_file.ts";

const log = getLogger(["aggvpn", "quota"]);

/** How often to call {@linkcode Quotas.handleTimeout}: 100 Mbit/s overrun a quota by 12 MB. */
export const QUOTA_INTERVAL_MS = 1000;
/** Percentages of a quota that are worth a word, the lowest first; the last one: it is used up. */
const MARKS = [75, 95, 100];
/** The file is written so long after the last time, in microseconds, ... */
const SAVE_EVERY_US = 60_000_000;
/** ... or so long, if a crash would forget as many bytes: a busy link costs a write in 5 s. */
const SAVE_SOON_US = 5_000_000;
const SAVE_SOON_BYTES = 1e6;

/** A link with a quota. */
export interface QuotaLink {
  readonly id: number;
  readonly name: string;
  /** Bytes of IP packets in a month, both ways together. */
  readonly quotaBytes: number;
  /** Day on which its months begin, 1 to 31. */
  readonly day: number;
  readonly whenUsedUp: WhenUsedUp;
}

/** What {@linkcode Quotas} asks the tunnel and tells it. */
export interface Carrier {
  /** Bytes that a link has carried since the start. */
  carriedBytes(link: number): number;
  setLinkTier(
    now: number,
    link: number,
    tier: LinkTier | undefined,
    reason: string | undefined,
  ): void;
  /** A link carries nothing while it is off for a `reason`; undefined: it may again. */
  setLinkOff(now: number, link: number, reason: string | undefined): void;
}

/** What {@linkcode Quotas} needs. */
export interface QuotaOptions {
  readonly links: readonly QuotaLink[];
  readonly carrier: Carrier;
  readonly clock: Clock;
  /** The wall clock: milliseconds since 1970. It may be set at any time, even backwards. */
  readonly wallMs: () => number;
  readonly file: StateFile;
  /** Gets what is worth telling people. */
  readonly onEvent: (event: QuotaEvent) => void;
}

/** A quota as it is. */
export interface QuotaStatus {
  readonly link: string;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Date on which the next month begins, such as `2026-12-15`. */
  readonly ends: string;
  readonly whenUsedUp: WhenUsedUp;
}

/** Quotas of the links of one client. */
export class Quotas {
  readonly #options: QuotaOptions;
  readonly #ledger: QuotaLedger;
  readonly #saved: SavedText;
  /** By position in the list: the carrier's latest answer. */
  readonly #counted: Float64Array;
  /** Why each link is restricted, as the carrier was told. */
  readonly #reasons: (string | undefined)[];
  /** The mark that each link has reached; undefined: nobody has looked yet. */
  readonly #marks: (number | undefined)[];
  #savedAtUs = -Infinity;
  #unsavedBytes = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
    const months = options.links.map((link) => this.#monthOf(link));
    this.#ledger = load(options.file, months.toSorted().at(-1) ?? monthOf(options.wallMs()));
    const consequence = "a restart will forget the quotas";
    this.#saved = new SavedText(options.file, consequence, log, this.#ledger.toText());
    // What links carried before they had a quota does not count.
    this.#counted = Float64Array.from(options.links, ({ id }) => options.carrier.carriedBytes(id));
    this.#reasons = options.links.map(() => undefined);
    this.#marks = options.links.map(() => undefined);
  }

  /** Counts, decides about links, and writes the file when that is due. */
  handleTimeout(): void {
    const now = this.#options.clock();
    this.#count();
    this.#options.links.forEach((link, i) => this.#decide(now, link, i));
    if (this.#unsavedBytes === 0 && this.#saved.isSaved) return;
    const isMuch = this.#unsavedBytes >= SAVE_SOON_BYTES;
    if (now - this.#savedAtUs >= (isMuch ? SAVE_SOON_US : SAVE_EVERY_US)) this.#save(now);
  }

  /** Returns `status` with the quotas of its links and how much of them is used. */
  describe(status: EndpointStatus): EndpointStatus {
    const quotas = new Map(this.list().map((quota) => [quota.link, quota]));
    const links = status.peers[0]!.links.map((link) => {
      const quota = quotas.get(link.name);
      if (!quota) return link;
      const { quotaBytes, usedBytes: quotaUsedBytes, ends: quotaEnds } = quota;
      return { ...link, quotaBytes, quotaUsedBytes, quotaEnds };
    });
    return { ...status, peers: [{ ...status.peers[0]!, links }] };
  }

  /** Every quota as it is. */
  list(): readonly QuotaStatus[] {
    this.#count();
    return this.#options.links.map((link) => ({
      link: link.name,
      usedBytes: this.#usedBy(link),
      quotaBytes: link.quotaBytes,
      ends: endOf(this.#monthOf(link), link.day),
      whenUsedUp: link.whenUsedUp,
    }));
  }

  /** The quota of one link. Throws AggvpnError where it has none. */
  find(name: string): QuotaStatus {
    return this.list()[this.#indexOf(name)]!;
  }

  /**
   * Corrects what a link has carried in this month, as the provider's meter says, and acts on that.
   * Resolves when it is saved. Throws AggvpnError for a link without a quota.
   */
  async set(name: string, bytes: number): Promise<QuotaStatus> {
    const { links, clock } = this.#options;
    const i = this.#indexOf(name);
    this.#count();
    this.#ledger.set(this.#monthOf(links[i]!), name, bytes);
    this.#decide(clock(), links[i]!, i);
    this.#save(clock());
    await this.#saved.settled;
    return this.list()[i]!;
  }

  /** Counts a last time; resolves when the file is written, or cannot be. */
  async close(): Promise<void> {
    this.#count();
    this.#save(this.#options.clock());
    await this.#saved.settled;
  }

  #indexOf(name: string): number {
    const names = this.#options.links.map((link) => link.name);
    const i = names.indexOf(name);
    if (i >= 0) return i;
    const hint = `The links with a quota are ${names.join(", ")}`;
    throw new AggvpnError(`Link "${name}" has no quota`, { hint });
  }

  #monthOf({ day }: QuotaLink): string {
    return monthOf(this.#options.wallMs(), day);
  }

  #usedBy(link: QuotaLink): number {
    return this.#ledger.used(this.#monthOf(link), link.name);
  }

  #count(): void {
    const { links, carrier } = this.#options;
    links.forEach((link, i) => {
      const bytes = carrier.carriedBytes(link.id);
      const more = bytes - this.#counted[i]!;
      if (more === 0) return;
      this.#ledger.add(this.#monthOf(link), link.name, more);
      this.#counted[i] = bytes;
      this.#unsavedBytes += more;
    });
  }

  #decide(now: number, link: QuotaLink, i: number): void {
    const { id, quotaBytes, whenUsedUp } = link;
    const usedBytes = this.#usedBy(link);
    const quota = formatSize(quotaBytes);
    const until = dateWords(endOf(this.#monthOf(link), link.day));
    const mark = MARKS.findLast((mark) => usedBytes >= quotaBytes * mark / 100) ?? 0;
    const isSpent = mark === 100;
    const use = whenUsedUp === "off" ? "off" : "last of all";
    const reason = isSpent ? `quota of ${quota} is used up: ${use} until ${until}` : undefined;
    const markBefore = this.#marks[i];
    const reasonBefore = this.#reasons[i];
    this.#marks[i] = mark;
    this.#reasons[i] = reason;
    const tell = (percent: number, reason: string): void => {
      const fields = { link: link.name, percent, usedBytes, quotaBytes, reason };
      this.#options.onEvent({ type: "quota", ...fields });
    };
    if (reason !== reasonBefore) {
      this.#restrict(now, id, whenUsedUp, reason);
      tell(mark === 100 ? mark : 0, reason ?? "it has a quota again");
    } else if (!isSpent && markBefore !== undefined && mark > markBefore) {
      tell(mark, `${mark} % of its quota of ${quota} are used; the next one begins on ${until}`);
    }
  }

  #restrict(now: number, id: number, use: WhenUsedUp, reason: string | undefined): void {
    const { carrier } = this.#options;
    if (use === "off") carrier.setLinkOff(now, id, reason);
    else carrier.setLinkTier(now, id, reason === undefined ? undefined : "last", reason);
  }

  #save(now: number): void {
    this.#savedAtUs = now;
    this.#unsavedBytes = 0;
    this.#saved.write(this.#ledger.toText());
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
