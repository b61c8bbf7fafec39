import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ReplayWindow, WINDOW_SIZE } from "../../src/crypto/replay.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const CASES: { name: string; offer: number[]; accepted: boolean[] }[] = [
  { name: "in order", offer: [0, 1, 2], accepted: [true, true, true] },
  { name: "duplicates", offer: [0, 0, 7, 7], accepted: [true, false, true, false] },
  { name: "reordered", offer: [9, 8, 7], accepted: [true, true, true] },
  { name: "the oldest kept", offer: [WINDOW_SIZE - 1, 0], accepted: [true, true] },
  { name: "too old", offer: [WINDOW_SIZE, 0], accepted: [true, false] },
  {
    name: "a jump that clears",
    offer: [3, 99_999, 3, 99_998],
    accepted: [true, true, false, true],
  },
  {
    name: "beyond 32 bits",
    offer: [2 ** 32 - 1, 2 ** 32, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 40],
    accepted: [true, true, false, true, true],
  },
  {
    name: "the last counter",
    offer: [MAX, MAX, MAX - 1, MAX + 1],
    accepted: [true, false, true, false],
  },
  { name: "not a counter", offer: [-1, NaN, Infinity], accepted: [false, false, false] },
];

for (const { name, offer, accepted } of CASES) {
  Deno.test(`ReplayWindow.accept(): ${name}`, () => {
    const window = new ReplayWindow();
    assertEquals(
      offer.map((counter) => {
        const would = window.check(counter);
        assertEquals(window.check(counter), would, "check() changed something");
        const did = window.accept(counter);
        assertEquals(did, would, `check(${counter})`);
        return did;
      }),
      accepted,
    );
  });
}

Deno.test("ReplayWindow agrees with an unbounded set", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }) },
    { weight: 3, arbitrary: fc.integer({ min: -WINDOW_SIZE - 70, max: 70 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * WINDOW_SIZE }) },
  );
  const start = fc.constantFrom(0, 2 ** 31 - 50, 2 ** 32 - 50, 2 ** 45);
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 300, size: "max" }), (first, steps) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let newest = -1;
      for (const offset of steps) {
        const counter = Math.max(0, (newest < 0 ? first : newest) + offset);
        const inside = newest - counter < WINDOW_SIZE;
        assertEquals(window.received(counter), inside && seen.has(counter));
        assertEquals(window.accept(counter), inside && !seen.has(counter), `${counter}`);
        if (inside) seen.add(counter);
        newest = Math.max(newest, counter);
        assertEquals(window.newest, newest);
      }
      for (let i = newest - WINDOW_SIZE - 40; i <= newest + 40; i++) {
        assertEquals(window.received(i), newest - i < WINDOW_SIZE && seen.has(i));
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("ReplayWindow.received() is false for what has not come yet", () => {
  const window = new ReplayWindow();
  assertEquals([-1, 0, 5].map((counter) => window.received(counter)), [false, false, false]);
  window.accept(5);
  assertEquals([4, 5, 6].map((counter) => window.received(counter)), [false, true, false]);
});

Deno.test("ReplayWindow.infer() gives the first counter its low half", () => {
  const window = new ReplayWindow();
  for (const low of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    assertEquals(window.infer(low), low);
    assertEquals(window.newest, -1);
  }
});

Deno.test("ReplayWindow.infer() finds counters up to 2^31 - 1 away, and never negative ones", () => {
  const near = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(fc.maxSafeNat(), near, (newest, offset) => {
      const window = new ReplayWindow();
      window.accept(newest);
      const counter = newest + offset;
      if (counter < 0) return;
      // Beyond 2^53 the sum above is rounded.
      const low = Number((BigInt(newest) + BigInt(offset)) & 0xffff_ffffn);
      assertEquals(window.infer(low), counter <= MAX ? counter : -1);
    }),
    { examples: [[9007199254740984, 2147483647]] },
  );
});

Deno.test("ReplayWindow.infer() refuses counters beyond 2^53 - 1", () => {
  const window = new ReplayWindow();
  window.accept(MAX);
  assertEquals(window.infer(0), -1);
  assertEquals(window.infer(0xffff_ffff), MAX);
});
