import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { gradeOf, isLossy, jitter, percentile } from "../../src/doctor/grade.ts";

Deno.test("gradeOf() has the limits of the known speed tests", () => {
  const grades = [0, 29_999, 30_000, 59_999, 60_000, 199_999, 200_000, 399_999, 400_000, 9e9];
  assertEquals(grades.map(gradeOf).join(""), "AABBCCDDFF");
});

Deno.test("isLossy() takes one lost probe for chance", () => {
  assertEquals(isLossy(1 / 100, 100), false);
  assertEquals(isLossy(2 / 400, 400), true);
  assertEquals(isLossy(2 / 1000, 1000), false);
  assertEquals(isLossy(0, 0), false);
});

Deno.test("percentile() is one of the values, and between the smallest and the largest", () => {
  const numbers = fc.array(fc.nat(1e6), { minLength: 1 });
  fc.assert(fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
    assertEquals(values.includes(percentile(values, share)), true);
  }));
  assertEquals([percentile([], 0.5), percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 1)], [
    0,
    2,
    3,
  ]);
});

Deno.test("jitter() is the mean step from one value to the next", () => {
  assertEquals([jitter([]), jitter([5]), jitter([10, 20, 10]), jitter([7, 7])], [0, 0, 10, 0]);
});
