import { assertEquals } from "@std/assert";
import { LossMeter } from "../../src/links/loss_meter.ts";

const SECOND = 1_000_000;

Deno.test("LossMeter tells what was lost in the last whole second, and what for good", () => {
  const meter = new LossMeter();
  assertEquals(meter.count(0, { ackedDatagrams: 0, lostDatagrams: 0 }, 0), 0);
  assertEquals(meter.count(0.5 * SECOND, { ackedDatagrams: 10, lostDatagrams: 10 }, 5), 0);
  assertEquals(meter.count(SECOND, { ackedDatagrams: 90, lostDatagrams: 10 }, 5), 0.1);
  assertEquals(meter.residual, 0.05);
  assertEquals(meter.count(1.5 * SECOND, { ackedDatagrams: 90, lostDatagrams: 99 }, 5), 0.1);
  assertEquals(meter.count(2 * SECOND, { ackedDatagrams: 190, lostDatagrams: 10 }, 5), 0);
  assertEquals(meter.residual, 0);
});

Deno.test("LossMeter takes fewer losses than before, since some were late, for none", () => {
  const meter = new LossMeter();
  meter.count(0, { ackedDatagrams: 0, lostDatagrams: 20 }, 0);
  assertEquals(meter.count(SECOND, { ackedDatagrams: 100, lostDatagrams: 10 }, 0), 0);
});
