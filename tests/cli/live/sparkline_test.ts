import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ASCII, BLOCKS, sparkline } from "../../../src/cli/live/sparkline.ts";

Deno.test("sparkline() draws values as high as they are, the newest last", () => {
  assertEquals(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], 9, 8, BLOCKS), "▁▁▂▃▄▅▆▇█");
  assertEquals(sparkline([1, 8], 5, 8, ASCII), "   _#");
  assertEquals(sparkline([3, NaN, 4], 3, 4, BLOCKS), "▆ █");
  assertEquals(sparkline([0, 0], 2, 0, BLOCKS), "▁▁");
  assertEquals(sparkline([], 3, 1, BLOCKS), "   ");
});

Deno.test("sparkline() has the greatest of several values where there is no room for each", () => {
  assertEquals(sparkline([8, 1, 1, 1, 1, 8], 3, 8, BLOCKS), "█▁█");
  assertEquals(sparkline([8, 1, 1, 1, 8], 3, 8, BLOCKS), "█▁█");
});

Deno.test("sparkline() is as wide as it should be, whatever the values", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e12 }), { maxLength: 200 });
  const width = fc.integer({ min: 1, max: 130 });
  fc.assert(fc.property(values, width, (values, width) => {
    assertEquals([...sparkline(values, width, Math.max(0, ...values), BLOCKS)].length, width);
  }));
});
