/**
 * Which tests run beside each other: the files of a lane run one after the other, and everything
 * that is in none is one more lane.
 *
 * @module
 */

/** What runs in namespaces over emulated lines, and mostly waits. */
const END_TO_END = [
  "absent",
  "auto_links",
  "clock",
  "dns",
  "doctor",
  "emulator",
  "events",
  "failover",
  "hostile",
  "http",
  "hostile_client",
  "join",
  "landing",
  "leak_guard",
  "mlvpn_script",
  "nat66",
  "network_changes",
  "owned",
  "password",
  "path_mtu",
  "pause",
  "policy",
  "reload",
  "servers",
  "service",
  "shutdown",
  "start_errors",
  "stuck_log",
  "tunnel",
  "two_hosts",
];

/** Each lane: paths from the root of the tree, which run one after the other. */
export const LANES: readonly (readonly string[])[] = [
  END_TO_END.map((name) => `tests/e2e/${name}_test.ts`),
];
