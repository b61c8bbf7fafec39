import { assertEquals } from "@std/assert";
import { CopyBudget } from "../../src/scheduler/copy_budget.ts";

const LIMITS = { share: 0.1, bps: 80_000, linkShare: 0.1, burstUs: 10_000, leastBurst: 1_000 };
const SECOND = 1_000_000;

/** How many copies of 100 bytes are granted at once. */
function grants(budget: CopyBudget, now: number, rateBps: number): number {
  let count = 0;
  while (budget.take(now, rateBps, 100)) count++;
  return count;
}

Deno.test("CopyBudget grants a share of what is sent, and a burst", () => {
  const budget = new CopyBudget(LIMITS);
  assertEquals(grants(budget, 0, 100e6), 60);
  for (let i = 0; i < 20; i++) budget.noteSent(1000);
  assertEquals(grants(budget, 0, 100e6), 20);
});

Deno.test("CopyBudget grants by waiting what the link hardly notices", () => {
  const budget = new CopyBudget(LIMITS);
  grants(budget, 0, 100e6);
  assertEquals(grants(budget, SECOND / 2, 100e6), 50);
  assertEquals(grants(budget, SECOND, 200_000), 10); // the burst of a slow link
  assertEquals(grants(budget, SECOND + SECOND / 5, 200_000), 5);
});
