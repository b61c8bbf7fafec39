import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Dip, type Verdict } from "../../src/links/dip.ts";

const MS = 1_000;
const SRTT_US = 100 * MS;
const LIMIT_US = 10 * MS;
/** It lasts 125 ms and is judged 130 ms later. */
const JUDGED_US = 255 * MS;

/** Begins with 80 ms of queue, which is `queueUs` long at an instant; returns what is found, and when. */
function judge(queueUs: (now: number) => number): [Verdict, number, Dip] {
  const dip = new Dip();
  dip.begin(0, 80 * MS, SRTT_US);
  for (let now = 0;; now += MS) {
    const verdict = dip.handleQueue(now, queueUs(now), LIMIT_US);
    if (verdict !== "pending") return [verdict, now, dip];
  }
}

Deno.test("Dip: a queue that shrinks by what was not sent is ours, and that shows at once", () => {
  const [verdict, at] = judge((now) => 80 * MS - Math.max(0, now - SRTT_US) / 2);
  assertEquals([verdict, at < JUDGED_US], ["ours", true]);
});

Deno.test("Dip: one that is gone is ours, whatever has filled it", () => {
  assertEquals(judge((now) => now < 30 * MS ? 80 * MS : 5 * MS).slice(0, 2), ["ours", 30 * MS]);
});

Deno.test("Dip: one that shrinks by a part of that is also others', and shows our share", () => {
  const [verdict, at, dip] = judge((now) => 80 * MS - Math.max(0, now - SRTT_US) / 8);
  assertEquals([verdict, at], ["others", JUDGED_US]);
  assertAlmostEquals(dip.share, 0.31, 0.01);
});

Deno.test("Dip: one that grows although less is sent means that the link has become slower", () => {
  assertEquals(judge((now) => 80 * MS + now / 2).slice(0, 2), ["slower", JUDGED_US]);
});

Deno.test("Dip: less is sent only for a while, and a short queue tells no share", () => {
  const dip = new Dip();
  dip.begin(0, 20 * MS, SRTT_US);
  dip.handleQueue(124 * MS, 20 * MS, LIMIT_US);
  assertEquals(dip.isOn, true);
  dip.handleQueue(125 * MS, 20 * MS, LIMIT_US);
  assertEquals(dip.isOn, false);
  assertEquals(dip.share, 1);
});
