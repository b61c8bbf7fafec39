import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { closest, editDistance } from "../src/suggest.ts";

for (
  const [a, b, slips] of [
    ["", "", 0],
    ["", "abc", 3],
    ["link", "links", 1],
    ["lnik", "link", 1],
    ["kitten", "sitting", 3],
  ] as const
) {
  Deno.test(`editDistance of "${a}" and "${b}" is ${slips}`, () => {
    assertEquals(editDistance(a, b), slips);
  });
}

Deno.test("editDistance is symmetric, zero only for the same word, and at most the longer word", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    const distance = editDistance(a, b);
    assertEquals(distance, editDistance(b, a));
    assertEquals(distance === 0, a === b);
    assertEquals(distance <= Math.max(a.length, b.length), true);
  }));
});

for (
  const [word, meant] of [
    ["pasword", "password"],
    ["Password-File", "password_file"],
    ["lisen", "listen"],
    ["mut", "mtu"],
    ["zzz", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ] as const
) {
  Deno.test(`closest to "${word.slice(0, 20)}" is ${meant}`, () => {
    assertEquals(closest(word, ["mtu", "listen", "password", "password_file"]), meant);
  });
}
