/**
 * Which tests run beside each other: the files of a lane run one after the other, and everything
 * that is in none is one more lane.
 *
 * @module
 */

/** What runs in namespaces over emulated lines, and mostly waits. */
const END_TO_END = [
  "auto_links",
  "clock",
  "dns",
  "emulator",
  "events",
  "failover",
  "hostile",
  "http",
  "hostile_client",
  "join",
  "landing",
  "mlvpn_script",
  "nat66",
  "network_changes",
  "password",
  "path_mtu",
  "pause",
  "policy",
  "reload",
  "service",
  "shutdown",
  "start_errors",
  "stuck_log",
  "tunnel",
  "two_hosts",
];

/** The same, of those that wait longest: for time-outs, repairs, names that change. */
const PATIENT = ["absent", "doctor", "leak_guard", "owned", "servers"];

/** Each lane: paths from the root of the tree, which run one after the other. */
export const LANES: readonly (readonly string[])[] = [END_TO_END, PATIENT].map((names) =>
  names.map((name) => `tests/e2e/${name}_test.ts`)
);
