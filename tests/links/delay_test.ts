import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { DelayTable } from "../../src/links/delay.ts";
import { timeDifference, wireTime } from "../../src/wire/time.ts";

const S = 1_000_000;

/** A sender whose clock is `offsetUs` away from the receiver's, which is `now`. */
function arrive(
  table: DelayTable,
  now: number,
  link: number,
  delayUs: number,
  offsetUs: number,
): number {
  return table.sample(now, link, wireTime(now - delayUs + offsetUs), wireTime(now));
}

/** How much later link 1 is than link 0, by the wire times. */
function skewUs(table: DelayTable): number {
  return timeDifference(table.toWire(table.owdUs[1]!), table.toWire(table.owdUs[0]!));
}

Deno.test("DelayTable.sample() is relative to the first datagram, whatever the clocks say", () => {
  for (const offsetUs of [0, 5 * S, 9 * S, 2 ** 24 - 1, 2 ** 33 + 12_345]) {
    const table = new DelayTable(2);
    const now = 100 * S;
    const delays = [
      arrive(table, now, 0, 20_000, offsetUs),
      arrive(table, now + 10, 1, 70_000, offsetUs),
      arrive(table, now + 20, 0, 15_000, offsetUs),
    ];
    assertEquals(delays, [0, 50_000, -5_000], `offset ${offsetUs}`);
  }
});

Deno.test("DelayTable.sample() goes on across the wrap of 24 bits of either clock", () => {
  const table = new DelayTable(1);
  for (let now = 0; now < 70 * S; now += 250_000) {
    assertEquals(arrive(table, now, 0, now % 1000, 3_333_333), 0, `${now}`);
  }
});

Deno.test("DelayTable smooths delay and jitter by a sixteenth of each sample", () => {
  const table = new DelayTable(1);
  arrive(table, S, 0, 20_000, 0);
  assertEquals([table.owdUs[0], table.jitterUs[0]], [0, 0]);
  arrive(table, S, 0, 36_000, 0);
  assertEquals([table.owdUs[0], table.jitterUs[0]], [1000, 1000]);
  arrive(table, S, 0, 21_000, 0);
  assertEquals([table.owdUs[0], table.jitterUs[0]], [1000, 937.5]);
});

Deno.test("DelayTable keeps the difference between links while clocks drift for hours", () => {
  const table = new DelayTable(2);
  let worst = 0;
  for (let i = 0; i < 8000; i++) { // 200 ppm for 4.4 h: 3.2 s, past several moves of the anchor
    const now = 50 * S + i * 2 * S;
    const offsetUs = 7 * S + Math.round(now * 200e-6);
    arrive(table, now, 0, 10_000, offsetUs);
    arrive(table, now, 1, 45_000, offsetUs);
    worst = Math.max(worst, Math.abs(skewUs(table) - 35_000));
  }
  assertLess(worst, 2);
});

Deno.test("DelayTable keeps differences when one delay is so long that the anchor moves", () => {
  const table = new DelayTable(2);
  const now = 90 * S;
  arrive(table, now, 0, 10_000, 0);
  arrive(table, now, 1, 40_000, 0);
  const onWire = (): number[] =>
    [table.leastUs(0), table.leastUs(1), table.intervalUs(0)].map((us) => table.toWire(us));
  const before = onWire();
  assertEquals(arrive(table, now + 1000, 1, 3 * S, 0), 0); // the new zero
  assertEquals(onWire(), before);
  assertEquals([table.owdUs[0], table.leastUs(0)], [-2_990_000, -2_990_000]);
  assertEquals(arrive(table, now + 2000, 0, 10_000, 0), 0); // and back
  assertAlmostEquals(skewUs(table), 30_000 + (3 * S - 40_000) / 16, 1);
});

Deno.test("DelayTable.toWire() means the same instant of zero after any samples", () => {
  const delays = fc.array(fc.tuple(fc.nat(1), fc.nat(7 * S)), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(delays, fc.nat(2 ** 30), (samples, offsetUs) => {
    const table = new DelayTable(2);
    samples.forEach(([link, delayUs], i) => {
      const delay = arrive(table, 20 * S + i * 1000, link, delayUs, offsetUs);
      assertEquals(timeDifference(table.toWire(delay), wireTime(delayUs - offsetUs + 2 ** 30)), 0);
    });
  }));
});

Deno.test("DelayTable.intervalUs() is the least since endInterval()", () => {
  const table = new DelayTable(2);
  const seen = (...delays: number[]): number => {
    for (const delayUs of delays) arrive(table, S, 0, delayUs, 0);
    return table.intervalUs(0);
  };
  assertEquals(seen(20_000, 30_000), 0);
  assertEquals(seen(15_000), -5_000);
  table.endInterval(1);
  assertEquals(seen(16_000), -5_000, "of another link");
  table.endInterval(0);
  assertEquals([seen(40_000), seen(25_000, 60_000), seen()], [20_000, 5_000, 5_000]);
});

Deno.test("DelayTable.leastUs() is the least of this window of 7.5 s and the one before", () => {
  const table = new DelayTable(2);
  const least: number[] = [];
  arrive(table, 1 * S, 0, 10_000, 0);
  for (let second = 2; second <= 20; second += 3) {
    arrive(table, second * S, 0, 30_000, 0);
    least.push(table.leastUs(0));
  }
  assertEquals(least, [0, 0, 0, 0, 0, 0, 20_000]); // windows begin at 1, 11 and 20 s
  assertEquals(table.leastUs(1), Infinity);
});

Deno.test("DelayTable.latestUs() is the latest link with four jitters, heard of within a second", () => {
  const table = new DelayTable(3);
  assertEquals(table.latestUs(S), -Infinity);
  arrive(table, 10 * S, 0, 10_000, 0);
  arrive(table, 10 * S, 1, 60_000, 0);
  assertEquals(table.latestUs(10 * S), 50_000);
  arrive(table, 10 * S + 500_000, 0, 26_000, 0);
  assertEquals(table.latestUs(11 * S), 50_000);
  assertEquals(table.latestUs(11 * S + 1), 1_000 + 4 * 1_000);
});

Deno.test("DelayTable.reset() forgets: another clock, another zero", () => {
  const table = new DelayTable(1);
  arrive(table, S, 0, 10_000, 0);
  table.endInterval(0);
  arrive(table, S, 0, 90_000, 0);
  table.endInterval(0);
  table.reset();
  assertEquals([table.leastUs(0), table.latestUs(S), table.toWire(0)], [Infinity, -Infinity, 0]);
  assertEquals([table.toWire(0.6), table.toWire(-0.6)], [1, 0xff_ffff]);
  assertEquals(arrive(table, S, 0, 30_000, 4 * S), 0);
  assertEquals([table.owdUs[0], table.jitterUs[0], table.leastUs(0)], [0, 0, 0]);
});
