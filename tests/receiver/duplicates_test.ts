import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Duplicates, REMEMBERED } from "../../src/receiver/duplicates.ts";

/** Numbers this far behind the newest may or may not still be known. */
const EDGE = REMEMBERED - 32;

/** What {@linkcode Duplicates} must do, in the obvious way. */
class Model {
  readonly #seen = new Set<number>();
  #newest: number | undefined;

  accept(sequence: number): boolean {
    this.#newest ??= sequence;
    const ahead = sequence - this.#newest | 0;
    if (ahead > 0) this.#newest = sequence;
    else if (-ahead >= EDGE) return false;
    if (this.#seen.has(sequence)) return false;
    this.#seen.add(sequence);
    return true;
  }
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-EDGE, 1 - EDGE, EDGE, REMEMBERED, REMEMBERED - 1) },
);
const start = fc.constantFrom(0, 31, 0xffff_ff00, 0xffff_0010, 0x7fff_fff0, 12_345);

Deno.test("Duplicates.accept() agrees with a Set, also across the wrap of 2^32", () => {
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 120 }), (first, steps) => {
      const duplicates = new Duplicates();
      const model = new Model();
      let at = first;
      for (const by of steps) {
        at = at + by >>> 0;
        assertEquals(duplicates.accept(at), model.accept(at), `${at}`);
        assertEquals(duplicates.accept(at), model.accept(at), `${at} again`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("Duplicates.accept() takes every number of a long run once", () => {
  const duplicates = new Duplicates();
  for (let i = 0; i < 200_000; i++) {
    const sequence = 0xffff_0000 + i >>> 0;
    if (!duplicates.accept(sequence)) throw new Error(`${sequence} was refused`);
    if (duplicates.accept(sequence)) throw new Error(`${sequence} was taken twice`);
  }
});

Deno.test("Duplicates.accept() takes what is older than it remembers for a duplicate", () => {
  const duplicates = new Duplicates();
  duplicates.accept(100_000);
  assertEquals(duplicates.accept(100_000 - EDGE + 1), true);
  assertEquals(duplicates.accept(100_000 - EDGE), false);
});

Deno.test("Duplicates.reset() forgets everything", () => {
  const duplicates = new Duplicates();
  duplicates.accept(5_000_000);
  duplicates.reset();
  assertEquals([duplicates.accept(0), duplicates.accept(0), duplicates.accept(1)], [
    true,
    false,
    true,
  ]);
});
