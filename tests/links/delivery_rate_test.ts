import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DeliveryRate, RateSample } from "../../src/links/delivery_rate.ts";

const SPAN_US = 20_000;
const SPAN_BYTES = 10_000;
const START = 1e9;

type Report = [receivedMs: number, sentMs: number, bytes: number, idleCount?: number];

/** Rates in kbit/s of a series of reports; "limited" where the path had run out of data. */
function rates(reports: Report[], wire = 0): string[] {
  const delivery = new DeliveryRate();
  const out = new RateSample();
  return reports.map(([receivedMs, sentMs, bytes, idle = 0]) => {
    const receivedAtUs = (wire + receivedMs * 1000) % 2 ** 32;
    delivery.sample(
      receivedAtUs,
      START + sentMs * 1000,
      bytes,
      idle,
      false,
      SPAN_US,
      SPAN_BYTES,
      out,
    );
    if (out.rateBps === 0) return "-";
    return `${Math.round(out.rateBps / 1000)}${out.limited ? " limited" : ""}`;
  });
}

Deno.test("DeliveryRate.sample() divides what arrived by the longer of two intervals", () => {
  const table: [what: string, reports: Report[], rates: string[]][] = [
    ["one report is no sample", [[0, 0, 0]], ["-"]],
    ["as sent", [[0, 0, 0], [20, 20, 20_000]], ["-", "8000"]],
    ["a queue builds: receiving took longer", [[0, 0, 0], [40, 20, 20_000]], ["-", "4000"]],
    ["a burst of arrivals: sending took longer", [[0, 0, 0], [20, 40, 20_000]], ["-", "4000"]],
    ["too short", [[0, 0, 0], [19, 19, 20_000]], ["-", "-"]],
    ["too few bytes", [[0, 0, 0], [30, 30, 9_999]], ["-", "-"]],
    ["few bytes in a long time", [[0, 0, 0], [200, 200, 1000]], ["-", "40"]],
    ["the latest report that spans enough", [
      [0, 0, 0],
      [20, 20, 10_000],
      [30, 30, 20_000],
      [40, 40, 40_000],
    ], ["-", "4000", "5333", "12000"]],
    ["nothing arrived", [[0, 0, 500], [300, 300, 500]], ["-", "-"]],
    ["counts that run backward", [[0, 0, 50_000], [300, 300, 10]], ["-", "-"]],
  ];
  for (const [what, reports, expected] of table) assertEquals(rates(reports), expected, what);
});

Deno.test("DeliveryRate.sample() is limited when the path ran out of data between its two ends", () => {
  assertEquals(
    rates([[0, 0, 0, 3], [20, 20, 20_000, 3], [40, 40, 40_000, 4], [60, 60, 60_000, 4]]),
    ["-", "8000", "8000 limited", "8000"],
  );
});

Deno.test("DeliveryRate.sample() reads receive times across the wrap of 32 bits", () => {
  const reports: Report[] = [[0, 0, 0], [40, 20, 20_000], [80, 40, 40_000]];
  for (const wire of [2 ** 32 - 30_000, 2 ** 32 - 10_000, 2 ** 31 - 10_000, 2 ** 32 - 1]) {
    assertEquals(rates(reports, wire), ["-", "4000", "4000"], `${wire}`);
  }
});

Deno.test("DeliveryRate.sample() still finds the rate after more reports than it remembers", () => {
  const reports = Array.from({ length: 1000 }, (_, i): Report => [i * 20, i * 20, i * 20_000]);
  assertEquals(new Set(rates(reports).slice(1)), new Set(["8000"]));
});

Deno.test("DeliveryRate.reset() starts over: counts of different sessions are not compared", () => {
  const delivery = new DeliveryRate();
  const out = new RateSample();
  const sample = (ms: number, bytes: number): number => {
    delivery.sample(ms * 1000, ms * 1000, bytes, 0, false, SPAN_US, SPAN_BYTES, out);
    return out.rateBps;
  };
  sample(0, 0);
  assertAlmostEquals(sample(20, 20_000), 8e6);
  delivery.reset();
  assertEquals(sample(40, 15_000_000), 0);
  assertAlmostEquals(sample(60, 15_020_000), 8e6);
});

/** Rates in kbit/s while there was a queue, from reports at the given times, 1000 bytes per ms. */
function busyRates(reports: [ms: number, queued: boolean, bytes?: number][]): string[] {
  const delivery = new DeliveryRate();
  const out = new RateSample();
  return reports.map(([ms, queued, bytes = ms * 1000]) => {
    delivery.sample(ms * 1000, START, bytes, 0, queued, SPAN_US, SPAN_BYTES, out);
    return out.busyBps === 0 ? "-" : `${Math.round(out.busyBps / 1000)}`;
  });
}

Deno.test("DeliveryRate.sample() tells what arrived while there was always a queue", () => {
  const table: [what: string, reports: [number, boolean, number?][], rates: string[]][] = [
    ["no queue", [[0, false], [100, false]], ["-", "-"]],
    ["a queue from the first report on", [[0, true], [19, true], [20, true]], ["-", "-", "8000"]],
    ["a queue that comes and goes", [
      [0, false, 0],
      [100, true, 50_000],
      [140, true, 90_000],
      [180, false, 130_000],
      [220, true, 150_000],
      [260, true, 190_000],
    ], ["-", "-", "8000", "-", "-", "8000"]],
    ["too few bytes", [[0, true, 0], [50, true, 5_999], [60, true, 6_000]], ["-", "-", "800"]],
    ["a new period after half a second", [
      [0, true, 0],
      [400, true, 400_000],
      [600, true, 600_000],
      [610, true, 700_000],
      [640, true, 640_000],
    ], ["-", "8000", "8000", "-", "8000"]],
    ["reports that were away for long", [[0, true], [1001, true], [1041, true]], [
      "-",
      "-",
      "8000",
    ]],
  ];
  for (const [what, reports, expected] of table) assertEquals(busyRates(reports), expected, what);
});

Deno.test("DeliveryRate of a steady stream is its rate however the reports are spaced", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 60, maxLength: 200 });
  fc.assert(fc.property(gaps, fc.nat(2 ** 32 - 1), (spacing, wire) => {
    let ms = 0;
    const reports = spacing.map((gap): Report => [ms += gap, ms + 7, ms * 1000]);
    const found = rates(reports, wire).filter((rate) => rate !== "-");
    assertEquals(new Set(found), new Set(["8000"]));
  }));
});

Deno.test("DeliveryRate of any reports never throws, and no rate is negative or not finite", () => {
  const report = fc.tuple(fc.nat(2 ** 32 - 1), fc.nat(1e6), fc.maxSafeNat(), fc.boolean());
  fc.assert(fc.property(fc.array(report, { maxLength: 300 }), (reports) => {
    const delivery = new DeliveryRate();
    const out = new RateSample();
    for (const [receivedAtUs, sentAtUs, bytes, queued] of reports) {
      delivery.sample(receivedAtUs, sentAtUs, bytes, 0, queued, SPAN_US, SPAN_BYTES, out);
      for (const rateBps of [out.rateBps, out.busyBps]) {
        assertEquals(Number.isFinite(rateBps) && rateBps >= 0, true);
      }
    }
  }));
});
