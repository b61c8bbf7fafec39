import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { INITIAL_RTT_US, Rtt } from "../../src/links/rtt.ts";

const S = 1_000_000;

Deno.test("Rtt is a cautious guess before the first sample", () => {
  const rtt = new Rtt();
  assertEquals([rtt.sampled, rtt.srttUs, rtt.minUs], [false, INITIAL_RTT_US, INITIAL_RTT_US]);
  assertEquals(rtt.patienceUs, 3 * INITIAL_RTT_US);
});

Deno.test("Rtt.sample() smooths as RFC 6298 section 2 by hand", () => {
  const rtt = new Rtt();
  const table: [sampleUs: number, srttUs: number, rttvarUs: number][] = [
    [40_000, 40_000, 20_000], // SRTT = R, RTTVAR = R/2
    [48_000, 41_000, 17_000], // RTTVAR = 3/4 * 20 + 1/4 * |40 - 48|; SRTT = 7/8 * 40 + 1/8 * 48
    [41_000, 41_000, 12_750],
    [9_000, 37_000, 17_562.5],
  ];
  table.forEach(([sampleUs, srttUs, rttvarUs], i) => {
    rtt.sample(i * 1000, sampleUs);
    assertEquals([rtt.srttUs, rtt.rttvarUs], [srttUs, rttvarUs], `sample ${i}`);
  });
  assertEquals(rtt.patienceUs, 37_000 + 4 * 17_562.5);
});

Deno.test("Rtt.patienceUs leaves at least 5 ms, however steady the path", () => {
  const rtt = new Rtt();
  for (let i = 0; i < 200; i++) rtt.sample(i * 1000, 800);
  assertEquals(Math.round(rtt.patienceUs), 5_800);
});

Deno.test("Rtt.minUs is the least sample of the last 10 to 20 s", () => {
  const rtt = new Rtt();
  const table: [now: number, sampleUs: number, minUs: number][] = [
    [0 * S, 30_000, 30_000],
    [5 * S, 20_000, 20_000],
    [9 * S, 50_000, 20_000],
    [11 * S, 50_000, 20_000],
    [19 * S, 40_000, 20_000],
    [21 * S, 60_000, 40_000], // what was sampled before 10 s is forgotten
    [60 * S, 70_000, 60_000],
    [61 * S, 10_000, 10_000],
  ];
  for (const [now, sampleUs, minUs] of table) {
    rtt.sample(now, sampleUs);
    assertEquals(rtt.minUs, minUs, `at ${now / S} s`);
  }
});

Deno.test("Rtt of any samples stays between the least and the greatest", () => {
  const samples = fc.array(fc.integer({ min: 1, max: 10 * S }), { minLength: 1, maxLength: 100 });
  fc.assert(fc.property(samples, (sampled) => {
    const rtt = new Rtt();
    sampled.forEach((sampleUs, i) => rtt.sample(i * 10_000, sampleUs));
    const [least, greatest] = [Math.min(...sampled), Math.max(...sampled)];
    assertEquals(rtt.minUs, least);
    const inside = rtt.srttUs >= least - 1e-6 && rtt.srttUs <= greatest + 1e-6;
    assertEquals([inside, rtt.rttvarUs >= 0], [true, true], `SRTT ${rtt.srttUs}`);
  }));
});

Deno.test("Rtt.doubtfulUs is between 5 and 10 ms beyond the usual, however much samples differ", () => {
  const doubtful = (...samples: readonly number[]): number => {
    const rtt = new Rtt();
    samples.forEach((sampleUs, i) => rtt.sample(i * 10_000, sampleUs));
    return rtt.doubtfulUs - rtt.srttUs;
  };
  assertEquals(doubtful(...Array<number>(50).fill(20_000)), 5_000);
  assertEquals(doubtful(20_000, 80_000, 20_000, 80_000), 10_000);
});
