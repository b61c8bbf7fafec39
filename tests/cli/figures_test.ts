import { assertEquals } from "@std/assert";
import { bytes, duration, milliseconds, scaled, shortDuration } from "../../src/cli/figures.ts";

Deno.test("scaled() keeps three digits and never shows 1000", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [999, "999"],
    [999.6, "1.00k"],
    [1214, "1.21k"],
    [99_960, "100k"],
    [999_600, "1.00M"],
    [48.1e6, "48.1M"],
    [1e18, "1000P"],
    [NaN, "-"],
    [Infinity, "-"],
  ];
  for (const [value, text] of cases) assertEquals(scaled(value), text);
});

Deno.test("milliseconds() and duration() write times as people read them", () => {
  assertEquals([420, 9994, 21_340, 250_000].map(milliseconds), ["0.42", "9.99", "21.3", "250"]);
  assertEquals(
    [0, 41e6, 60e6, 182e6, 11_540e6, 86_400e6, 1e12].map(duration),
    ["0 s", "41 s", "1 min", "3 min 2 s", "3 h 12 min", "1 d", "11 d 13 h"],
  );
});

Deno.test("shortDuration() and bytes() write the same for tables and sentences", () => {
  assertEquals(
    [0, 41e6, 182e6, 11_540e6, 1e12].map(shortDuration),
    ["0s", "41s", "3m2s", "3h12m", "11d13h"],
  );
  assertEquals([0, 999, 57.2e6].map(bytes), ["0 B", "999 B", "57.2 MB"]);
});
