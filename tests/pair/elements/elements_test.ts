import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Rng } from "../rng.ts";
import { mobileTrace } from "../traces.ts";
import { Bottleneck } from "./bottleneck.ts";
import { Delay, Jitter, type JitterOptions, Order, RecordedDelay } from "./delay.ts";
import { Chain, DROPPED, IPV6_UDP_BYTES } from "./element.ts";
import { Blackhole, GilbertElliott, Mtu, RandomLoss } from "./loss.ts";
import { constantRate, steppedRate, traceOf, traceRate } from "./rate_schedule.ts";

Deno.test("Bottleneck sends back to back at its rate, counted in IP bytes", () => {
  const queue = new Bottleneck(constantRate(12e6));
  assertEquals(queue.pass(0, 1500), 1000);
  assertEquals(queue.pass(0, 1500), 2000);
  assertEquals(queue.queuedBytes(500), 3000);
  assertEquals(queue.queuedUs(500), 1500);
  assertEquals(queue.queuedBytes(1000), 1500);
  assertEquals(queue.pass(5000, 750), 5500);
});

Deno.test("Bottleneck drops what does not fit in bytes", () => {
  const queue = new Bottleneck(constantRate(12e6), { bytes: 3000 });
  assertEquals([queue.pass(0, 1500), queue.pass(0, 1500), queue.pass(0, 1500)], [
    1000,
    2000,
    DROPPED,
  ]);
  assertEquals(queue.pass(1000, 1500), 3000);
});

Deno.test("Bottleneck drops what would wait longer than the limit in time", () => {
  const queue = new Bottleneck(constantRate(12e6), { us: 1500 });
  const times = [0, 1, 2, 3].map(() => queue.pass(0, 1500));
  assertEquals(times, [1000, 2000, DROPPED, DROPPED]);
});

Deno.test("Bottleneck keeps account of a queue that outgrows its first buffer", () => {
  const queue = new Bottleneck(constantRate(12e6));
  queue.pass(0, 1500);
  queue.pass(0, 1500);
  assertEquals(queue.queuedBytes(1500), 1500);
  for (let i = 0; i < 5000; i++) queue.pass(1500, 1500);
  assertEquals(queue.queuedBytes(1500), 5001 * 1500);
  assertEquals(queue.queuedBytes(5_000_000), 2 * 1500);
  assertEquals(queue.queuedBytes(6_000_000), 0);
});

Deno.test("steppedRate sends across a step with the rate of either side", () => {
  const rate = steppedRate([{ bps: 8e6, forUs: 1000 }, { bps: 80e6, forUs: 1000 }]);
  assertEquals(rate.finish(0, 500), 500);
  assertEquals(rate.finish(500, 1000), 1050);
  assertEquals(rate.finish(1990, 200), 2100);
  assertAlmostEquals(rate.meanBps(0, 2000), 44e6, 1);
  assertAlmostEquals(rate.meanBps(500, 1500), 44e6, 1);
  assertAlmostEquals(rate.meanBps(0, 3000), (8e6 + 80e6 + 8e6) / 3, 1);
});

Deno.test("steppedRate holds everything during a step of 0 bit/s", () => {
  const rate = steppedRate([{ bps: 8e6, forUs: 1000 }, { bps: 0, forUs: 5000 }]);
  assertEquals(rate.finish(900, 200), 6100);
});

Deno.test("traceRate delivers 1500 bytes at each line of a Mahimahi trace", () => {
  const rate = traceRate("1\n2\n2\n5\n");
  assertEquals(rate.finish(0, 1500), 1000);
  assertEquals(rate.finish(1000, 1500), 2000);
  assertEquals(rate.finish(2000, 700), 2000);
  assertEquals(rate.finish(2000, 700), 2000);
  assertEquals(rate.finish(2000, 1500), 5000);
  assertEquals(rate.finish(5000, 1500), 6000);
  assertAlmostEquals(rate.meanBps(0, 5000), 4 * 1500 * 8 / 0.005, 1);
  assertAlmostEquals(rate.meanBps(1500, 5000), 3 * 1500 * 8 / 0.0035, 1);
  assertEquals(rate.fresh!().finish(0, 1500), 1000);
});

Deno.test("traceOf plays the end of a recording until it begins", () => {
  const rate = traceOf([1, 2, 10], 25_000);
  assertEquals(rate.finish(0, 1500), 5000);
  assertEquals(rate.finish(5001, 1500), 6000);
  assertEquals(rate.finish(22_000, 1500), 25_000);
  assertEquals(rate.finish(25_001, 1500), 26_000);
  assertAlmostEquals(rate.meanBps(25_000, 35_000), 3 * 1500 * 8 / 0.01, 1);
});

Deno.test("mobileTrace is a valid trace of ten seconds", () => {
  const rate = traceRate(mobileTrace());
  const mbps = Array.from({ length: 100 }, (_, i) => rate.meanBps(i * 1e5, (i + 1) * 1e5) / 1e6);
  assert(mbps.filter((value) => value < 1).length <= 4);
  assert(Math.max(...mbps) < 37 && Math.max(...mbps) > 20);
  assert(rate.meanBps(0, 1e7) > 10e6 && rate.meanBps(0, 1e7) < 30e6);
});

Deno.test("Jitter keeps the order unless it is told to reorder", () => {
  const times = (reorders: boolean): number[] => {
    const jitter = new Jitter(5000, { reorders }, new Rng(1));
    return Array.from({ length: 1000 }, (_, i) => jitter.pass(i * 10));
  };
  const ordered = times(false);
  assert(ordered.every((time, i) => i === 0 || time >= ordered[i - 1]!));
  const free = times(true);
  assert(free.some((time, i) => i > 0 && time < free[i - 1]!));
  assert(free.every((time, i) => time >= i * 10 && time < i * 10 + 5000));
});

Deno.test("RandomLoss loses the fraction it was told", () => {
  const loss = new RandomLoss(0.05, new Rng(2));
  let lost = 0;
  for (let i = 0; i < 100_000; i++) if (loss.pass(i) === DROPPED) lost++;
  assertAlmostEquals(lost / 100_000, 0.05, 0.003);
});

Deno.test("GilbertElliott loses in bursts of the expected length and share", () => {
  const options = { toBad: 0.01, toGood: 0.2, lossGood: 0, lossBad: 1 };
  const loss = new GilbertElliott(options, new Rng(2));
  let lost = 0;
  let bursts = 0;
  let before = false;
  for (let i = 0; i < 200_000; i++) {
    const drop = loss.pass(i) === DROPPED;
    if (drop) lost++;
    if (drop && !before) bursts++;
    before = drop;
  }
  assertAlmostEquals(lost / 200_000, 0.01 / 0.21, 0.005);
  assertAlmostEquals(lost / bursts, 5, 0.4);
});

Deno.test("Blackhole and Mtu drop exactly what they are told", () => {
  const hole = new Blackhole([{ fromUs: 10, toUs: 20 }]);
  assertEquals([9, 10, 19, 20].map((at) => hole.pass(at)), [9, DROPPED, DROPPED, 20]);
  const mtu = new Mtu(1500);
  assertEquals([mtu.pass(1, 1500), mtu.pass(1, 1501)], [1, DROPPED]);
});

Deno.test("Mtu follows its schedule, and whoever assigns another size", () => {
  const mtu = new Mtu(Infinity, [{ atUs: 200, mtuBytes: 1280 }, { atUs: 100, mtuBytes: 1400 }]);
  assertEquals([mtu.pass(99, 9000), mtu.pass(100, 1401), mtu.pass(100, 1400)], [99, DROPPED, 100]);
  assertEquals([mtu.pass(200, 1281), mtu.pass(200, 1280)], [DROPPED, 200]);
  mtu.maxBytes = 1500;
  assertEquals(mtu.pass(300, 1500), 300);
});

Deno.test("Chain adds the headers of IPv6 when it is told so", () => {
  const chain = new Chain([new Mtu(1492)], IPV6_UDP_BYTES);
  assertEquals([chain.pass(0, 1444), chain.pass(0, 1445)], [0, DROPPED]);
});

Deno.test("Chain adds IP and UDP headers, passes the elements in turn and counts", () => {
  const chain = new Chain([new Mtu(1500), new Bottleneck(constantRate(12e6)), new Delay(10_000)]);
  assertEquals(chain.pass(0, 1472), 11_000);
  assertEquals(chain.pass(0, 1473), DROPPED);
  assertEquals([chain.entered, chain.left, chain.leftBytes, chain.drops], [2, 1, 1500, 1]);
  assertEquals(chain.elements.map((element) => element.drops), [1, 0, 0]);
});

Deno.test("Jitter that is normal takes away as often as it adds, and keeps the order", () => {
  const delays = (options: JitterOptions): number[] => {
    const jitter = new Jitter(5000, options, new Rng(1));
    return Array.from({ length: 4000 }, (_, i) => jitter.pass(i * 1e6) - i * 1e6);
  };
  const free = delays({ reorders: true, normalAroundUs: 1e6 });
  const mean = free.reduce((sum, us) => sum + us, 0) / free.length;
  const deviation = Math.sqrt(free.reduce((sum, us) => sum + (us - mean) ** 2, 0) / free.length);
  assertAlmostEquals(mean, 0, 300);
  assertAlmostEquals(deviation, 5000, 300);
  assert(
    delays({ normalAroundUs: 2000 }).every((us) => us >= -2000),
    "nothing comes before it left",
  );
  const jitter = new Jitter(5000, { normalAroundUs: 20_000 }, new Rng(2));
  const times = Array.from({ length: 1000 }, (_, i) => jitter.pass(20_000 + i * 10));
  assert(times.every((time, i) => i === 0 || time >= times[i - 1]!));
});

Deno.test("RecordedDelay follows its file from an instant on and again and again; Order keeps the order", () => {
  const delay = new RecordedDelay([30, 5], 20_000);
  const order = new Order();
  const entered = [0, 20_000, 29_999, 30_000, 40_000];
  const left = entered.map((at) => delay.pass(at));
  assertEquals(left, [30_000, 50_000, 59_999, 35_000, 70_000]);
  assertEquals(left.map((at) => order.pass(at)), [30_000, 50_000, 59_999, 59_999, 70_000]);
});

Deno.test("Bottleneck counts what has left", () => {
  const queue = new Bottleneck(constantRate(12e6));
  queue.pass(0, 1500);
  queue.pass(0, 1500);
  assertEquals([0, 1000, 1999, 2000].map((at) => queue.departedBytes(at)), [0, 1500, 1500, 3000]);
});
