import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { MAX_BURST_US, MAX_LATENESS_US, Pacer, SLACK_US } from "../../src/links/pacer.ts";

const SIZE = 1250; // 10,000 bits: 1 ms at 10 Mbit/s
const RATE_BPS = 10e6;

/** Departures of a sender that always has data and wakes `lateUs(i)` after each is due. */
function departures(
  pacer: Pacer,
  from: number,
  count: number,
  lateUs: (i: number) => number,
): number[] {
  const at: number[] = [];
  let now = from;
  for (let i = 0; i < count; i++) {
    now = Math.max(now, pacer.dueAtUs) + lateUs(i);
    pacer.charge(now, SIZE);
    at.push(now);
  }
  return at;
}

Deno.test("Pacer.dueAtUs is when the datagram before has left, less the slack", () => {
  const pacer = new Pacer(RATE_BPS);
  pacer.reset(5_000);
  const due: number[] = [];
  for (const size of [1250, 125, 2500]) {
    pacer.charge(Math.max(pacer.dueAtUs, 5_000), size);
    due.push(pacer.dueAtUs + SLACK_US);
  }
  assertEquals(due, [6_000, 6_100, 8_100]);
});

Deno.test("Pacer of a sender that wakes in time has the exact rate over any number of datagrams", () => {
  for (const rateBps of [100e3, 1e6, 33.3e6, 1e9]) {
    const pacer = new Pacer(rateBps);
    pacer.reset(1e6);
    const at = departures(pacer, 1e6, 10_000, () => 0);
    const spanUs = at.at(-1)! - at[99]!; // the first few may use the slack up
    assertAlmostEquals(9_900 * SIZE * 8e6 / spanUs, rateBps, rateBps * 1e-6);
  }
});

Deno.test("Pacer makes up for wake-ups that are late, up to its lenience", () => {
  const pacer = new Pacer(RATE_BPS);
  pacer.reset(1e6);
  const at = departures(pacer, 1e6, 10_000, (i) => i % 70 === 0 ? MAX_LATENESS_US - 200 : 0);
  assertAlmostEquals((at.at(-1)! - at[0]!) / 9_999, 1000, 1);
});

/** How many datagrams leave at `now`. */
function burst(pacer: Pacer, now: number): number {
  let count = 0;
  for (; pacer.dueAtUs <= now; count++) pacer.charge(now, SIZE);
  return count;
}

Deno.test("Pacer lets more go after a late wake-up than after a pause, and never all of it", () => {
  const table: [what: string, pause: boolean, lateUs: number, datagrams: number][] = [
    ["in time", false, 0, 1],
    ["late", false, 4_000, 5],
    ["too late to catch up", false, 60e6, MAX_LATENESS_US / 1000 + 1],
    ["after a short pause", true, 400, 1],
    ["after a long pause", true, 60e6, MAX_BURST_US / 1000 + 1],
  ];
  for (const [what, pause, lateUs, datagrams] of table) {
    const pacer = new Pacer(RATE_BPS);
    pacer.charge(0, SIZE);
    if (pause) pacer.pause();
    assertEquals(burst(pacer, pacer.dueAtUs + lateUs), datagrams, what);
  }
});

Deno.test("Pacer that is new or was reset does not catch up with what was before", () => {
  const pacer = new Pacer(RATE_BPS);
  assertEquals(burst(pacer, 60e6), MAX_BURST_US / 1000 + 1);
  pacer.reset(70e6);
  assertEquals(burst(pacer, 90e6), MAX_BURST_US / 1000 + 1);
});

Deno.test("Pacer never lets more go than rate, lenience, slack and one datagram allow", () => {
  const waits = fc.array(fc.oneof(fc.nat(2_000), fc.nat(50_000)), { minLength: 1, maxLength: 60 });
  const rate = fc.integer({ min: 100_000, max: 1_000_000_000 });
  fc.assert(fc.property(rate, waits, (rateBps, plan) => {
    const pacer = new Pacer(rateBps);
    pacer.reset(0);
    const log: { at: number; bytes: number }[] = [];
    let now = 0;
    for (const wait of plan) {
      now += wait;
      for (let n = 0; n < 50 && pacer.dueAtUs <= now; n++) {
        pacer.charge(now, SIZE);
        log.push({ at: now, bytes: SIZE });
      }
    }
    for (let i = 0; i < log.length; i += 7) {
      let bytes = 0;
      for (const { at, bytes: more } of log.slice(i)) {
        bytes += more;
        const allowed = rateBps * (at - log[i]!.at + MAX_LATENESS_US + SLACK_US) / 8e6 + SIZE;
        assertLessOrEqual(bytes, allowed + 1e-3);
      }
    }
  }));
});

Deno.test("Pacer follows a rate that changes with the next datagram", () => {
  const pacer = new Pacer(RATE_BPS);
  pacer.reset(0);
  pacer.charge(0, SIZE);
  pacer.rateBps = RATE_BPS / 4;
  pacer.charge(pacer.dueAtUs, SIZE);
  assertEquals(pacer.dueAtUs + SLACK_US, 5_000);
});

Deno.test("Pacer.reset() forgets what is owed", () => {
  const pacer = new Pacer(100_000);
  for (let i = 0; i < 100; i++) pacer.charge(0, SIZE);
  pacer.reset(7_000);
  assertEquals(pacer.dueAtUs, 7_000 - SLACK_US);
});
