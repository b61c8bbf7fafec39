/**
 * Which tests run beside each other: the files of a lane run one after the other, and everything
 * that is in none is one more lane.
 *
 * @module
 */

/** Those that measure, though beside the bare line; they disturb each other most. */
const MEASURING = [
  "emulator",
  "failover",
  "hostile",
  "network_changes",
  "path_mtu",
  "policy",
  "servers",
  "tunnel",
];

/** Those that mostly wait, for what a daemon does every few seconds. */
const WAITING = [
  "absent",
  "auto_links",
  "clock",
  "dns",
  "landing",
  "leak_guard",
  "nat66",
  "owned",
  "password",
  "pause",
  "shutdown",
  "start_errors",
  "stuck_log",
  "two_hosts",
];

/** Tests that run one after the other. */
export interface Lane {
  /** Paths from the root of the tree. */
  readonly files: readonly string[];
  /** Niceness of the labs: those that measure come first. */
  readonly labNice: number;
}

function endToEnd(names: readonly string[], labNice: number): Lane {
  return { files: names.map((name) => `tests/e2e/${name}_test.ts`), labNice };
}

/** All lanes but the one of everything else. */
export const LANES: readonly Lane[] = [endToEnd(WAITING, -15), endToEnd(MEASURING, -19)];
