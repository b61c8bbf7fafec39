import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import fc from "fast-check";
import { INITIAL_RATE_BPS, MIN_RATE_BPS, RateEstimator } from "../../src/links/rate_estimator.ts";
import { ToyLink } from "./toy_link.ts";

const MBPS = 1e6;
const S = 1e6;

/** How far the estimate may be from the link's rate: a requirement, not what it achieves. */
const TOLERANCE = 0.15;

function assertNear(actualBps: number, mbps: number, what: string): void {
  assertAlmostEquals(actualBps / MBPS, mbps, TOLERANCE * mbps, what);
}

for (const mbps of [1, 5, 50, 300]) {
  for (const oneWayMs of [2, 10, 40]) {
    const link = `a link of ${mbps} Mbit/s with ${2 * oneWayMs} ms`;
    Deno.test(`RateEstimator finds ${link} within three seconds, and fills it`, () => {
      const toy = new ToyLink({ capacityBps: () => mbps * MBPS, oneWayUs: oneWayMs * 1000 });
      toy.runTo(3);
      assertNear(toy.path.rate.rateBps, mbps, "estimate");
      toy.takeWorstQueueUs();
      assertGreater(toy.runTo(3.5), 0.85 * mbps * MBPS);
      assertLess(toy.takeWorstQueueUs(), 100_000); // less than the link could hold
    });
  }
}

Deno.test("RateEstimator finds the rate of a link that loses one datagram in fifty at random", () => {
  const isLost = (number: number): boolean => (number * 2654435761 >>> 0) % 50 === 0;
  const toy = new ToyLink({ capacityBps: () => 50 * MBPS, isLost });
  toy.runTo(3);
  assertGreater(toy.runTo(5), 0.8 * 50 * MBPS);
  assertNear(toy.path.rate.rateBps, 50, "estimate");
});

for (const percent of [8, 20]) {
  Deno.test(`RateEstimator does not slow down for ${percent} % of random losses`, () => {
    const isLost = (number: number): boolean => (number * 2654435761 >>> 0) % 100 < percent;
    const toy = new ToyLink({ capacityBps: () => 20 * MBPS, isLost });
    toy.runTo(8);
    const share = toy.runTo(14) / (20 * MBPS * (1 - percent / 100));
    assertGreater(share, 0.8);
  });
}

Deno.test("RateEstimator slows down for losses that end when less is sent", () => {
  // A policer: what exceeds 10 Mbit/s is dropped, and no queue shows it.
  let allowance = 0;
  let at = 0;
  const toy: ToyLink = new ToyLink({
    capacityBps: () => 200 * MBPS,
    isLost: () => {
      allowance = Math.min(60_000, allowance + (toy.now - at) * 10 / 8);
      at = toy.now;
      if (allowance < 1400) return true;
      allowance -= 1400;
      return false;
    },
  });
  toy.runTo(6);
  const [sent, delivered] = [toy.sentBytes, toy.deliveredBytes];
  toy.runTo(16);
  const loss = 1 - (toy.deliveredBytes - delivered) / (toy.sentBytes - sent);
  assertLess(loss, 0.15);
  assertGreater((toy.deliveredBytes - delivered) * 8 / 10, 0.8 * 10 * MBPS);
});

Deno.test("RateEstimator that looks for more builds no long queue", () => {
  const toy = new ToyLink({ capacityBps: () => 20 * MBPS });
  toy.runTo(4);
  toy.takeWorstQueueUs();
  for (let tenths = 41; tenths <= 100; tenths++) {
    toy.runTo(tenths / 10);
    assertLess(toy.takeWorstQueueUs(), 20_000, `in tenth ${tenths}`);
  }
});

for (
  const [before, after, seconds] of [[50, 10, 2], [40, 5, 2], [10, 50, 2], [5, 40, 2]] as const
) {
  Deno.test(`RateEstimator follows a step from ${before} to ${after} Mbit/s`, () => {
    const capacityBps = (now: number): number => (now < 4 * S ? before : after) * MBPS;
    const toy = new ToyLink({ capacityBps });
    toy.runTo(4);
    assertNear(toy.path.rate.rateBps, before, "before");
    toy.runTo(4 + seconds);
    assertNear(toy.path.rate.rateBps, after, "after");
  });
}

Deno.test("RateEstimator keeps its rate while there is little to send, and uses it again at once", () => {
  const demandBps = (now: number): number => (now > 3 * S && now < 13 * S ? 0.5 : 1000) * MBPS;
  const toy = new ToyLink({ capacityBps: () => 50 * MBPS, demandBps });
  toy.runTo(3);
  assertNear(toy.path.rate.rateBps, 50, "before");
  toy.runTo(13);
  assertNear(toy.path.rate.rateBps, 50, "after ten quiet seconds");
  assertGreater(toy.runTo(13.5), 0.8 * 50 * MBPS);
});

Deno.test("RateEstimator of a trickle never believes in more than the link carries", () => {
  const toy = new ToyLink({ capacityBps: () => 20 * MBPS, demandBps: () => 1 * MBPS });
  toy.runTo(10);
  assertLess(toy.path.rate.rateBps, 23 * MBPS);
  assertGreater(toy.path.rate.rateBps, 1 * MBPS);
});

Deno.test("RateEstimator notices that the link has become slower while there was little to send", () => {
  const toy = new ToyLink({
    capacityBps: (now) => (now < 5 * S ? 50 : 8) * MBPS,
    demandBps: (now) => (now > 3 * S && now < 8 * S ? 0.5 : 1000) * MBPS,
  });
  toy.runTo(11);
  assertNear(toy.path.rate.rateBps, 8, "three seconds into the load");
});

Deno.test("RateEstimator never exceeds a known capacity, and reaches it at once", () => {
  const toy = new ToyLink({ capacityBps: () => 100 * MBPS, uploadBps: 20 * MBPS });
  for (let tenths = 1; tenths <= 30; tenths++) {
    const before = toy.sentBytes;
    toy.runTo(tenths / 10);
    const sentBps = (toy.sentBytes - before) * 8 / 0.1;
    assertLess(sentBps, 1.04 * 20 * MBPS, `in tenth ${tenths}`); // a burst after a pause
    if (tenths > 1) assertGreater(sentBps, 0.9 * 20 * MBPS, `in tenth ${tenths}`);
    assertLess(toy.path.rate.pacingBps, 20 * MBPS);
  }
});

Deno.test("RateEstimator comes down from a known capacity that the link does not have", () => {
  const toy = new ToyLink({ capacityBps: () => 10 * MBPS, uploadBps: 20 * MBPS });
  toy.runTo(3);
  assertNear(toy.path.rate.rateBps, 10, "estimate");
  toy.takeWorstQueueUs();
  toy.runTo(5);
  assertLess(toy.takeWorstQueueUs(), 60_000);
});

Deno.test("RateEstimator.restart() begins at a share, finds the rest, and stays in its bounds", () => {
  const toy = new ToyLink({ capacityBps: () => 50 * MBPS });
  toy.runTo(3);
  const { rate, pacer } = toy.path;
  rate.restart(toy.now, 0.25);
  pacer.rateBps = rate.pacingBps;
  assertNear(rate.rateBps, 12.5, "a quarter");
  toy.runTo(6);
  assertNear(rate.rateBps, 50, "three seconds later");
  rate.restart(toy.now, 0);
  assertEquals(rate.rateBps, MIN_RATE_BPS);
});

/** Tells an estimator every 10 ms until `untilMs` what was delivered, and about a queue. */
function tell(
  rate: RateEstimator,
  fromMs: number,
  untilMs: number,
  mbps: number,
  { queueMs = 0, loss = 0 } = {},
): void {
  for (let ms = fromMs; ms < untilMs; ms += 10) {
    const rateBps = mbps * MBPS;
    if (ms * 1000 >= rate.pushEndsAtUs) rate.endPush();
    rate.handleSample(
      ms * 1000,
      { rateBps, limited: false, busyBps: queueMs > 0 ? rateBps : 0 },
      {
        queueUs: queueMs * 1000,
        srttUs: 20_000,
        minRttUs: 20_000,
        jitterUs: 1000,
        loss,
        sentBps: rateBps / (1 - loss),
        lostDatagrams: 0,
        inFlightBytes: 0,
      },
    );
  }
}

Deno.test("RateEstimator settles again after a link was away while more rate was being found", () => {
  const rate = new RateEstimator(400 * MBPS);
  // Twice a little less each time: a link that falls by more at once is one that varies.
  for (const [i, mbps] of [320, 260, 210, 170].entries()) {
    tell(rate, 20_000 * i, 20_000 * i + 300, mbps, { queueMs: 50 });
    tell(rate, 20_000 * i + 300, 20_000 * (i + 1), 0.9 * mbps);
  }
  let ms = 80_000;
  for (; rate.isSettled(ms * 1000) && ms < 82_000; ms += 100) {
    tell(rate, ms, ms + 100, rate.rateBps / MBPS * 1.1);
  }
  assert(ms < 82_000, "nothing was found");
  rate.restart(ms * 1000, 0.25);
  tell(rate, ms, ms + 3000, 400);
  assertEquals(rate.rateBps, 400 * MBPS);
  assert(rate.isSettled((ms + 3000) * 1000));
});

Deno.test("RateEstimator follows a link that has fallen by much, with what it delivers, and comes back at once", () => {
  const rate = new RateEstimator(0);
  tell(rate, 0, 2000, 40);
  assertEquals(rate.varies, false);
  tell(rate, 2000, 2300, 10, { queueMs: 50 });
  assertEquals([rate.varies, rate.rateBps], [true, 10 * MBPS]);
  tell(rate, 2300, 2320, 30, { queueMs: 50 });
  assertEquals(rate.rateBps, 30 * MBPS, "in one report");
  rate.restart(3_000_000, 0.25);
  assertEquals(rate.rateBps, 30 * MBPS, "after a silence too");
  tell(rate, 3000, 60_000, 30);
  assertEquals(rate.varies, false, "it has calmed down");
});

Deno.test("RateEstimator does not go back to what it was before losses when a queue has shown less", () => {
  const rate = new RateEstimator(0);
  tell(rate, 0, 1000, 40);
  tell(rate, 1000, 1100, 36, { loss: 0.08 });
  tell(rate, 1100, 1400, 5, { loss: 0.08, queueMs: 60 });
  assertEquals(rate.rateBps, 5 * MBPS);
  tell(rate, 1400, 4000, 5, { loss: 0.08 });
  assertLess(rate.rateBps, 10 * MBPS);
});

Deno.test("RateEstimator begins with a guess, or with what is known", () => {
  const [unknown, known] = [new RateEstimator(0), new RateEstimator(8 * MBPS)];
  assertEquals([unknown.rateBps, unknown.starting], [INITIAL_RATE_BPS, true]);
  assertEquals([known.rateBps, known.starting], [8 * MBPS, false]);
});

Deno.test("RateEstimator on any link stays between its least rate and the known capacity", () => {
  const steps = fc.array(
    fc.record({
      capacityBps: fc.integer({ min: 200_000, max: 60_000_000 }),
      demandBps: fc.integer({ min: 100_000, max: 100_000_000 }),
      lossPercent: fc.constantFrom(0, 0, 1, 30),
    }),
    { minLength: 6, maxLength: 6 },
  );
  const options = fc.record({
    uploadBps: fc.constantFrom(0, 1 * MBPS, 20 * MBPS),
    oneWayUs: fc.integer({ min: 100, max: 200_000 }),
    queueUs: fc.integer({ min: 1_000, max: 500_000 }),
  });
  fc.assert(
    fc.property(steps, options, (plan, fixed) => {
      const at = (now: number): typeof plan[0] => plan[Math.floor(now / (S / 2))]!;
      const toy: ToyLink = new ToyLink({
        ...fixed,
        capacityBps: (now) => at(now).capacityBps,
        demandBps: (now) => at(now).demandBps,
        isLost: (number) => (number * 2654435761 >>> 0) % 100 < at(toy.now).lossPercent,
      });
      const most = fixed.uploadBps || Infinity;
      for (let tenths = 5; tenths < 30; tenths++) {
        toy.runTo(tenths / 10);
        const { rateBps, pacingBps } = toy.path.rate;
        assert(rateBps >= MIN_RATE_BPS && rateBps <= most, `estimate ${rateBps}`);
        assert(pacingBps >= MIN_RATE_BPS && pacingBps < most, `pacing ${pacingBps}`);
      }
    }),
    { numRuns: 20 },
  );
});
