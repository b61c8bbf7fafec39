import { assertEquals } from "@std/assert";
import { isPattern, matchesPattern } from "../src/pattern.ts";

Deno.test("matchesPattern() compares names with * and ?", () => {
  const cases = [
    ["wwan*", "wwan0", true],
    ["wwan*", "wwan", true],
    ["wwan*", "awwan0", false],
    ["wwan?", "wwan0", true],
    ["wwan?", "wwan10", false],
    ["*", "eth0", true],
    ["eth0", "eth0", true],
    ["eth0", "eth01", false],
    ["br-*", "br-lan", true],
    ["e.h*", "eth0", false],
    ["*.100", "eth0.100", true],
    ["**a**", "bab", true],
    ["", "", true],
    ["", "eth0", false],
  ] as const;
  for (const [pattern, name, expected] of cases) {
    assertEquals(matchesPattern(pattern, name), expected, `${pattern} ${name}`);
  }
});

Deno.test("matchesPattern() takes no time for the worst pattern of an interface", () => {
  const start = performance.now();
  assertEquals(matchesPattern("*a*a*a*a*a*a*a*", "aaaaaaaaaaaaaab"), true);
  assertEquals(matchesPattern("*a*a*a*a*a*a*ac", "aaaaaaaaaaaaaab"), false);
  const ms = performance.now() - start;
  assertEquals(ms < 200, true, `${ms} ms`);
});

Deno.test("isPattern() tells patterns from names", () => {
  assertEquals(["wwan*", "eth?", "eth0", ""].map(isPattern), [true, true, false, false]);
});
