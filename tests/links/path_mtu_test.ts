import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { BASE_MTU_BYTES, DEFAULT_MTU_BYTES, PathMtu } from "../../src/links/path_mtu.ts";

const MS = 1000;
const RTT_US = 20 * MS;
const PATIENCE_US = 25 * MS;

/** A path that carries `carries` bytes, and what is asked and answered on it. */
class ToyPath {
  readonly mtu: PathMtu;
  now = 1_000_000;
  probes = 0;
  /** Time from the beginning until the first answers were in, in milliseconds. */
  knownMs = NaN;
  /** Which of the probes, counted from 1, is lost whatever its size. */
  lose = new Set<number>();
  readonly #answers: { readonly at: number; readonly size: number }[] = [];
  readonly #startedAt = this.now;

  constructor(public carries: number, { bound = DEFAULT_MTU_BYTES, metered = false } = {}) {
    this.mtu = new PathMtu(bound, metered);
    this.mtu.restart();
  }

  run(us: number): this {
    const end = this.now + us;
    for (;;) {
      this.#ask();
      const at = Math.min(
        Math.max(this.mtu.timeoutAtUs(PATIENCE_US), this.now + 1),
        this.#answers[0]?.at ?? Infinity,
      );
      if (at > end) break;
      this.now = at;
      while (this.#answers.length > 0 && this.#answers[0]!.at <= this.now) {
        this.mtu.handleAck(this.#answers.shift()!.size);
      }
      if (Number.isNaN(this.knownMs) && this.mtu.isKnown) {
        this.knownMs = (this.now - this.#startedAt) / MS;
      }
    }
    this.now = end;
    return this;
  }

  #ask(): void {
    for (;;) {
      const size = this.mtu.pollProbe(this.now, PATIENCE_US);
      if (size === 0) return;
      const lost = this.lose.has(++this.probes) || size > this.carries;
      if (!lost) this.#answers.push({ at: this.now + RTT_US, size });
    }
  }
}

for (const carries of [1500, 1492, 1480, 1460, 1452, 1440, 1420, 1400, 1358, 1280]) {
  Deno.test(`PathMtu finds a line of ${carries} bytes exactly`, () => {
    const path = new ToyPath(carries).run(3_000_000);
    assertEquals([path.mtu.size, path.mtu.isKnown], [carries, true]);
    assertLessOrEqual(path.knownMs, carries === 1500 ? 20 : 220);
  });
}

Deno.test("PathMtu asks for the largest, the most usual and a middle size at once", () => {
  const mtu = new PathMtu(1500, false);
  mtu.restart();
  const sizes = Array.from({ length: 4 }, () => mtu.pollProbe(0, PATIENCE_US));
  assertEquals(sizes, [1440, 1492, 1500, 0]);
});

Deno.test("PathMtu comes within 8 bytes of any size, and never above, whatever is lost", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: BASE_MTU_BYTES, max: 1600 }),
      fc.integer({ min: BASE_MTU_BYTES, max: 1600 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
      (carries, bound, lose) => {
        const path = new ToyPath(carries, { bound });
        path.lose = new Set(lose);
        for (let i = 0; i < 200; i++) {
          path.run(100 * MS);
          assertLessOrEqual(path.mtu.size, Math.min(carries, bound));
        }
        assert(path.mtu.size > Math.min(carries, bound) - 8, `${path.mtu.size}`);
        assertLessOrEqual(path.probes, 40);
      },
    ),
  );
});

Deno.test("PathMtu has a size with the first answer, and knows it when nothing is outstanding", () => {
  const path = new ToyPath(1492).run(RTT_US);
  assertEquals([path.mtu.size, path.mtu.isKnown, path.mtu.knownBytes], [1492, false, undefined]);
  path.run(2 * RTT_US);
  assertEquals([path.mtu.size, path.mtu.isKnown, path.mtu.knownBytes], [1492, true, 1492]);
});

Deno.test("PathMtu keeps what it knew for the tunnel while it begins again", () => {
  const path = new ToyPath(1492).run(1_000_000);
  path.mtu.restart();
  assertEquals([path.mtu.size, path.mtu.isKnown, path.mtu.knownBytes], [1200, false, 1492]);
});

Deno.test("PathMtu keeps the base when nothing is answered", () => {
  const path = new ToyPath(1000).run(RTT_US);
  assert(!path.mtu.isKnown);
  path.run(2_000_000);
  assertEquals([path.mtu.size, path.mtu.isKnown], [BASE_MTU_BYTES, true]);
});

Deno.test("PathMtu asks again for a size whose probe was lost by chance", () => {
  const path = new ToyPath(1500);
  path.lose = new Set([3]);
  path.run(1_000_000);
  assertEquals(path.mtu.size, 1500);
});

Deno.test("PathMtu notices that a path has become wider, after ten minutes at the latest", () => {
  const path = new ToyPath(1492).run(30_000_000);
  path.carries = 1500;
  path.run(590_000_000);
  assertEquals(path.mtu.size, 1500);
});

Deno.test("PathMtu asks rarely once it knows, and more rarely on a metered link", () => {
  const path = new ToyPath(1492).run(20_000_000);
  const before = path.probes;
  path.run(3600_000_000);
  assertLessOrEqual(path.probes - before, 7);
  const metered = new ToyPath(1492, { metered: true }).run(20_000_000);
  assertLessOrEqual(metered.probes, 5);
  const meteredBefore = metered.probes;
  metered.run(3600_000_000);
  assertLessOrEqual(metered.probes - meteredBefore, 1);
});

Deno.test("PathMtu never asks for more than its bound", () => {
  const path = new ToyPath(9000, { bound: 1430 }).run(1_000_000);
  assertEquals([path.mtu.size, path.probes], [1430, 3]);
  const narrow = new ToyPath(9000, { bound: 1000 }).run(1_000_000);
  assertEquals([narrow.mtu.size, narrow.mtu.isKnown, narrow.probes], [1000, true, 0]);
});

Deno.test("PathMtu begins again when large datagrams are lost one after the other", () => {
  const path = new ToyPath(1500).run(1_000_000);
  assert(!path.mtu.handleLoss(7));
  path.carries = 1400;
  assert(path.mtu.handleLoss(8));
  assertEquals([path.mtu.size, path.mtu.isKnown, path.mtu.blackHoles], [BASE_MTU_BYTES, false, 1]);
  path.run(1_000_000);
  assertEquals(path.mtu.size, 1400);
});

Deno.test("PathMtu asks first for what it knew before", () => {
  const path = new ToyPath(1333).run(1_000_000);
  const { size } = path.mtu;
  path.mtu.restart();
  path.run(RTT_US);
  assertEquals(path.mtu.size, size);
});

Deno.test("PathMtu takes a refusal of the system for an answer", () => {
  const path = new ToyPath(1500);
  path.mtu.handleRefused(path.now, 1500);
  path.mtu.handleRefused(path.now, 1480);
  path.carries = 1472;
  path.run(RTT_US);
  assertEquals(path.mtu.size, 1460);
});

Deno.test("PathMtu begins again when the system refuses what it knew to fit", () => {
  const path = new ToyPath(1500).run(1_000_000);
  path.carries = 1400;
  path.mtu.handleRefused(path.now, 1500);
  assertEquals(path.mtu.size, BASE_MTU_BYTES);
  path.run(1_000_000);
  assertEquals(path.mtu.size, 1400);
});

Deno.test("PathMtu asks nothing when it is stopped", () => {
  const path = new ToyPath(1500);
  path.mtu.stop();
  path.run(1_000_000);
  assertEquals([path.probes, path.mtu.timeoutAtUs(PATIENCE_US)], [0, Infinity]);
});
