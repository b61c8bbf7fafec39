import { assertEquals } from "@std/assert";
import { Arrivals } from "../../src/links/arrivals.ts";

const NOTHING = { bps: 0, datagrams: 0, loss: 0 };

Deno.test("Arrivals tells the rate with headers, and what is missing", () => {
  const arrivals = new Arrivals();
  assertEquals([arrivals.whole(28), arrivals.last(28)], [NOTHING, NOTHING]);
  arrivals.note(1e6, 10, 10_000, 9);
  assertEquals(arrivals.whole(28), NOTHING);
  arrivals.note(1.02e6, 11, 11_000, 10); // too soon
  arrivals.note(2e6, 100, 100_000, 189);
  assertEquals(arrivals.whole(28), { bps: 92_520 * 8, datagrams: 90, loss: 0.5 });
});

Deno.test("Arrivals.last() leaves out how a test begins", () => {
  const arrivals = new Arrivals();
  for (let i = 0; i <= 40; i++) {
    const bytes = i <= 20 ? i * 100 : 2_000 + (i - 20) * 10_000;
    arrivals.note(i * 100_000, i, bytes, i);
  }
  assertEquals(arrivals.last(0).bps, 800_000);
});

Deno.test("Arrivals begins anew when counters do", () => {
  const arrivals = new Arrivals();
  arrivals.note(0, 1_000, 1e6, 5_000);
  arrivals.note(1e6, 2_000, 2e6, 6_000);
  arrivals.note(2e6, 10, 10_000, 9);
  arrivals.note(3e6, 20, 20_000, 19);
  assertEquals(arrivals.whole(0), { bps: 80_000, datagrams: 10, loss: 0 });
});
