import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { LoadRate, MOST_LOAD_BPS } from "../../src/links/load_rate.ts";

const DATAGRAM = 1500;
const ROUND_US = 100_000;

/** A line that carries `bps`, with a queue of `queueUs`; the reporter tells every 20 ms. */
function run(rate: LoadRate, bps: number, queueUs: number, us: number): { bytes: number } {
  let [now, freeAt, datagrams, bytes, newest] = [0, 0, 0, 0, -1];
  for (let reportAt = 20_000; now < us;) {
    const due = Math.max(now, rate.dueAtUs(now));
    if (Math.min(due, reportAt) >= us) break;
    if (due < reportAt) {
      now = due;
      rate.charge(now, DATAGRAM);
      newest++;
      if (freeAt - now > queueUs) continue;
      freeAt = Math.max(freeAt, now) + DATAGRAM * 8e6 / bps;
      datagrams++;
      bytes += DATAGRAM;
    } else {
      now = reportAt;
      reportAt += 20_000;
      const waiting = Math.max(0, freeAt - now) * bps / 8e6;
      rate.handleRoundTrip(20_000 + Math.max(0, freeAt - now), 20_000);
      rate.handleArrival(now, now, bytes - waiting, datagrams - waiting / DATAGRAM, newest);
    }
  }
  return { bytes };
}

Deno.test("LoadRate finds what a line carries, whatever it begins with", () => {
  for (const mbps of [0.5, 3, 40, 300]) {
    for (const start of [0, 5e6, 500e6]) {
      const rate = new LoadRate(0, start, 20_000);
      run(rate, mbps * 1e6, 50_000, 4e6);
      assert(rate.isFull, `${mbps} from ${start}`);
      assertGreater(rate.rateBps, 0.9 * mbps * 1e6);
      assertLessOrEqual(rate.rateBps, 1.4 * mbps * 1e6);
    }
  }
});

Deno.test("LoadRate stops when nothing is reported, and goes on when something is", () => {
  const rate = new LoadRate(0, 1e6, 20_000);
  assertEquals(rate.dueAtUs(519_000), 0);
  assertEquals(rate.dueAtUs(521_000), Infinity);
  rate.handleArrival(600_000, 1, 100, 1, 1);
  assertEquals(rate.dueAtUs(600_000), 0);
});

Deno.test("LoadRate is never faster than it may be, nor stands still, whatever is reported", () => {
  const reports = fc.array(fc.tuple(fc.nat(1e9), fc.nat(1e9), fc.nat(1e6), fc.nat(1e6)));
  fc.assert(fc.property(reports, fc.nat(2e9), (list, start) => {
    const rate = new LoadRate(0, start, 20_000);
    for (const [i, [at, bytes, datagrams, newest]] of list.entries()) {
      rate.handleArrival(i * ROUND_US, at, bytes, datagrams, newest);
      rate.handleRoundTrip(at, bytes);
      assert(rate.rateBps > 0 && rate.rateBps <= MOST_LOAD_BPS, `${rate.rateBps}`);
    }
  }));
});
