import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Meter } from "../../src/links/meter.ts";

const MS = 1000;

Deno.test("Meter.rateBps() is what was added in this tenth of a second and the nine before", () => {
  const meter = new Meter();
  meter.add(0, 1000);
  const table: [ms: number, rateBps: number][] = [
    [0, 8000],
    [999, 8000],
    [1000, 0],
    [9999, 0],
  ];
  for (const [ms, rateBps] of table) assertEquals(meter.rateBps(ms * MS), rateBps, `at ${ms} ms`);
  assertEquals(meter.totalBytes, 1000);
});

Deno.test("Meter.rateBps() of a steady stream is its rate, less the part of the newest bin", () => {
  const meter = new Meter();
  for (let ms = 0; ms < 5000; ms += 2) meter.add(ms * MS, 250); // 1 Mbit/s
  assertAlmostEquals(meter.rateBps(4999 * MS), 1e6, 1e3);
  assertAlmostEquals(meter.rateBps(5050 * MS), 9e5, 1e3);
});

Deno.test("Meter.rateBps() after a long silence is zero, and counts what comes then", () => {
  const meter = new Meter();
  meter.add(50 * MS, 500);
  assertEquals(meter.rateBps(1e12), 0);
  meter.add(1e12 + 1, 125);
  assertEquals([meter.rateBps(1e12 + 2), meter.totalBytes], [1000, 625]);
});

Deno.test("Meter.rateBps() equals a sum over all that was added, and nothing is lost", () => {
  const step = fc.tuple(fc.nat(400), fc.nat(5000));
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const meter = new Meter();
    const added: [bin: number, bytes: number][] = [];
    let ms = 0;
    for (const [wait, bytes] of steps) {
      ms += wait;
      meter.add(ms * MS, bytes);
      const bin = Math.floor(ms / 100);
      added.push([bin, bytes]);
      const recent = added.filter(([at]) => at > bin - 10);
      assertEquals(meter.rateBps(ms * MS), 8 * recent.reduce((sum, [, n]) => sum + n, 0));
    }
    assertEquals(meter.totalBytes, steps.reduce((sum, [, n]) => sum + n, 0));
  }));
});
