import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Histogram } from "../../src/receiver/histogram.ts";

Deno.test("Histogram.percentileUs() of nothing is 0", () => {
  assertEquals(new Histogram().percentileUs(0.5), 0);
});

Deno.test("Histogram.percentileUs() is within a bin of the true percentile", () => {
  const times = fc.array(fc.integer({ min: 0, max: 900_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(times, fc.constantFrom(0.01, 0.5, 0.99, 1), (values, p) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(p * values.length) - 1]!;
      const told = histogram.percentileUs(p);
      assert(told >= exact && told <= Math.max(exact, 16) * 1.1, `${told} for ${exact}`);
    }),
  );
});

Deno.test("Histogram.percentileUs() puts what is longer than a second into the last bin", () => {
  const histogram = new Histogram();
  histogram.add(60_000_000);
  histogram.add(Infinity);
  assertEquals(histogram.percentileUs(1), 16 * 2 ** 16);
});

Deno.test("Histogram.add() lets the past fade", () => {
  const histogram = new Histogram();
  for (let i = 0; i < 99_999; i++) histogram.add(1000);
  for (let i = 0; i < 150_000; i++) histogram.add(50_000);
  assert(histogram.percentileUs(0.5) > 40_000);
  assert(histogram.percentileUs(0.01) < 2_000, "but not at once");
});
