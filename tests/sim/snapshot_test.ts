/**
 * The matrix against its snapshot: goodput, delays and gaps of every scenario with the product's
 * own Endpoint, and the invariants throughout. Improvements do not fail; they ask for the snapshot
 * to be renewed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { SCENARIOS } from "./scenarios.ts";
import {
  parseSnapshot,
  regressions,
  RENEW_COMMAND,
  replayCommand,
  runForSnapshot,
  SNAPSHOT_SEED,
  snapshotHeader,
  snapshotRow,
} from "./snapshot.ts";

const text = Deno.readTextFileSync(new URL("./table.snapshot.txt", import.meta.url));
const snapshot = parseSnapshot(text);
/** Bulk packets per thousand that may leave the tunnel after a later one of their flow. */
const MAX_LATE_PER_MILLE = 10;
const changed: string[] = [];

for (const scenario of SCENARIOS) {
  const { name, seconds = 10, latePerMille = MAX_LATE_PER_MILLE } = scenario;
  Deno.test(`Endpoint is no worse than the snapshot: ${name}`, () => {
    const before = snapshot.get(name);
    assert(before !== undefined, `there is no row; ${RENEW_COMMAND}`);
    const result = runForSnapshot(scenario, endpointTunnel);
    const after = snapshotRow(name, result);
    if (after !== before) changed.push(`- ${before}`, `+ ${after}`);
    const worse = regressions(before, after);
    const diff = `  ${snapshotHeader()}\n- ${before}\n+ ${after}`;
    const help = `Replay: ${replayCommand(scenario, SNAPSHOT_SEED)}\nMeant: ${RENEW_COMMAND}`;
    assert(worse.length === 0, `${worse.join("; ")}\n${diff}\n${help}`);
    const packets = result.goodputMbps * 1e6 * seconds / (8 * 1400);
    assert(result.late <= 20 + packets * latePerMille / 1000, `${result.late} came late`);
  });
}

Deno.test("the snapshot has a row for each scenario and no other", () => {
  assertEquals([...snapshot.keys()], SCENARIOS.map(({ name }) => name), RENEW_COMMAND);
  if (changed.length === 0) return;
  const lines = [`  ${snapshotHeader()}`, ...changed, `To keep what is new: ${RENEW_COMMAND}`, ""];
  Deno.stderr.writeSync(new TextEncoder().encode("\n" + lines.join("\n")));
});

Deno.test("regressions tells what is worse than the tolerance, and nothing else", () => {
  const row = (...cells: string[]): string => ["name", ...cells].join(" | ");
  const before = row("90", "20", "30", "5", "10", "3", "-", "-", "-", "-", "-", "1");
  const within = row("87", "29", "41", "90", "900", "300", "-", "-", "-", "-", "-", "0.5");
  assertEquals(regressions(before, within), []);
  assertEquals(regressions(before, row("86.5", "29", "42")), [
    "%sum: 90 -> 86.5, limit 87.0",
    "rtt95: 30 -> 42, limit 41.0",
  ]);
  assertEquals(regressions(before, row("-", "20", "30")), ["%sum: 90 -> NaN, limit 87.0"]);
});
