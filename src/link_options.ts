/**
 * What a configuration says about how a link is used: one shape, from the file to the path.
 *
 * @module
 */

import type { Tier } from "./wire/handshake.ts";

/** What a link is whose quota is used up: behind all others, or not used at all. */
export type WhenUsedUp = "last" | "off";

/** Options of one link. Rates count IP packets. */
export interface LinkOptions {
  readonly tier: Tier;
  readonly metered: boolean;
  /** Whether it is a place for a link that may come later, with a name of its own, and go again. */
  readonly spare?: boolean;
  /** Why it is not to be used for the time being, in words; absent: it is. */
  readonly off?: string;
  /** Known capacity from here, in bits per second; absent: measured. */
  readonly uploadBps?: number;
  /** Known capacity to here, in bits per second; absent: measured. */
  readonly downloadBps?: number;
  /** Bytes of IP packets that it may carry in a month, both ways together. */
  readonly quotaBytes?: number;
  /** Day on which months begin for that, 1 to 31; the first when absent. */
  readonly quotaDay?: number;
  /** What becomes of it then; the last of all when absent. */
  readonly whenUsedUp?: WhenUsedUp;
  /** Round trip in microseconds above which it is a backup. */
  readonly maxLatencyUs?: number;
  /** Fraction of datagrams lost, 0 to 1, above which it is a backup for a while. */
  readonly maxLoss?: number;
  /** Silence in microseconds after which it is down while idle. */
  readonly timeoutUs: number;
  /** Upper bound for the size of outer IP packets, in bytes. */
  readonly mtuBytes?: number;
}
