import { assert, assertEquals } from "@std/assert";
import { Unrest } from "../../src/links/unrest.ts";

const MS = 1_000;
const SECOND = 1_000_000;

/** Tells of rates, in Mbit/s, one each half second. */
function tell(
  unrest: Unrest,
  from: number,
  mbps: readonly number[],
  hasMuchJitter = false,
): number {
  let now = from;
  for (const rate of mbps) {
    unrest.handleRate(now, rate * 1e6, hasMuchJitter);
    now += 500 * MS;
  }
  return now;
}

/** Tells of a steady rate until nothing varies any more; returns the seconds that takes. */
function secondsToRest(unrest: Unrest, from: number, mbps: number): number {
  for (let now = from;; now += 100 * MS) {
    unrest.handleRate(now, mbps * 1e6, false);
    if (!unrest.varies) return (now - from) / SECOND;
    assert(now < from + 60 * SECOND, "it never rests");
  }
}

Deno.test("Unrest: a link varies that has fallen to half, and rests after seconds of a steady rate", () => {
  const unrest = new Unrest();
  const now = tell(unrest, SECOND, [50, 50, 50.5, 49.8, 25]);
  assertEquals(unrest.varies, true);
  const seconds = secondsToRest(unrest, now, 25);
  assert(seconds > 3 && seconds < 15, `${seconds} s`);
});

Deno.test("Unrest: noise and a sender that has more to send are no change of the link", () => {
  const unrest = new Unrest();
  tell(unrest, SECOND, Array.from({ length: 200 }, (_, i) => 50 + i % 2));
  assertEquals(unrest.varies, false);
  const rising = new Unrest();
  tell(rising, SECOND, [10, 14, 20, 28, 40, 50]);
  assertEquals(rising.varies, false);
});

Deno.test("Unrest: what is found while a link starts is compared with nothing", () => {
  const unrest = new Unrest();
  let now = tell(unrest, SECOND, [100]);
  unrest.handleStart(now);
  now = tell(unrest, now + SECOND, [10, 10]);
  assertEquals(unrest.varies, false);
});

Deno.test("Unrest: jitter, cuts and silence add up", () => {
  const [jittery, cut, silent] = [new Unrest(), new Unrest(), new Unrest()];
  tell(jittery, SECOND, Array.from({ length: 8 }, () => 50), true);
  assertEquals(jittery.varies, true);
  for (let i = 0; i < 5; i++) cut.handleCut(SECOND + i * 200 * MS, 50e6);
  assertEquals(cut.varies, true);
  silent.handleSilence(SECOND);
  assertEquals(silent.varies, false, "once is chance");
  silent.handleSilence(2 * SECOND);
  silent.handleSilence(3 * SECOND);
  assertEquals(silent.varies, true);
});

Deno.test("Unrest forgets nothing of an idle link", () => {
  const unrest = new Unrest();
  tell(unrest, SECOND, [50, 50, 20, 50, 20]);
  unrest.handleRate(3600 * SECOND, 20e6, false);
  assertEquals(unrest.varies, true);
  unrest.reset();
  assertEquals(unrest.varies, false);
});
