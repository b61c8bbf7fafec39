/**
 * A rule of the configuration, as it is read and as the scheduler applies it.
 *
 * @module
 */

import type { Prefix } from "./address.ts";
import type { Duplicate } from "./duplicate.ts";

/** A rule: conditions that are absent or empty hold for every packet. */
export interface RuleOptions {
  /** `icmp` is ICMPv6 in IPv6. */
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** One of them is the source or the destination port. Fragments have no ports. */
  readonly ports: readonly number[];
  readonly dscp?: number;
  readonly source?: Prefix;
  readonly destination?: Prefix;
  /** Names of the only links that such packets use; empty: any. */
  readonly links: readonly string[];
  readonly class?: "interactive" | "bulk";
  /** Absent: as for packets that no rule is about. */
  readonly duplicate?: Duplicate;
}
