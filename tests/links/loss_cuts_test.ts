import { assertAlmostEquals, assertEquals } from "@std/assert";
import { LossCuts } from "../../src/links/loss_cuts.ts";

const SECOND = 1e6;
const FULL = { rateBps: 50e6, limited: false, busyBps: 0 };
const JUDGED = 2.3 * SECOND;

Deno.test("LossCuts finds a limit without a queue although short samples exceed it", () => {
  const cuts = new LossCuts();
  assertEquals(cuts.handleSample(SECOND, 50e6, FULL, 0.04, 50e6), 50e6);
  assertAlmostEquals(cuts.handleSample(SECOND, 50e6, FULL, 0.4, 50e6), 30e6);
  const judgedAt = SECOND + JUDGED;
  assertEquals(cuts.handleSample(judgedAt, 30e6, FULL, 0.01, 30e6), 30e6);
  assertAlmostEquals(cuts.ceilingBps(judgedAt + SECOND), 31.5e6, 0.2e6);
  assertEquals(cuts.ceilingBps(judgedAt + 30 * SECOND), Infinity);
});

Deno.test("LossCuts undoes a cut that has not helped, and does not cut for the same again", () => {
  const cuts = new LossCuts();
  cuts.handleSample(SECOND, 50e6, FULL, 0.1, 50e6);
  assertEquals(cuts.handleSample(SECOND + JUDGED, 45e6, FULL, 0.1, 45e6), 50e6);
  assertEquals(cuts.ceilingBps(SECOND + JUDGED), Infinity);
  assertEquals(cuts.handleSample(60 * SECOND, 50e6, FULL, 0.12, 50e6), 50e6);
});

Deno.test("LossCuts cuts again when losses had only begun at the first cut", () => {
  const cuts = new LossCuts();
  cuts.handleSample(SECOND, 50e6, FULL, 0.2, 50e6);
  assertAlmostEquals(cuts.handleSample(SECOND + JUDGED, 40e6, FULL, 0.3, 40e6), 28e6);
});

Deno.test("LossCuts does not believe for ever that many losses are random", () => {
  const cuts = new LossCuts();
  cuts.handleSample(SECOND, 50e6, FULL, 0.4, 50e6);
  assertEquals(cuts.handleSample(SECOND + JUDGED, 30e6, FULL, 0.4, 30e6), 50e6);
  assertEquals(cuts.handleSample(5 * SECOND, 50e6, FULL, 0.4, 50e6), 50e6);
  assertAlmostEquals(cuts.handleSample(9 * SECOND, 50e6, FULL, 0.4, 50e6), 30e6);
});

Deno.test("LossCuts leaves losses alone that a queue or silence explains", () => {
  const cuts = new LossCuts();
  assertEquals(cuts.handleSample(SECOND, 50e6, FULL, 0.4, 0), 50e6);
  const limited = { ...FULL, limited: true };
  assertEquals(cuts.handleSample(SECOND, 50e6, limited, 0.4, 10e6), 50e6);
});
