import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { cuts, meanRateBps, mtuSteps, rawSumBps, skewMs } from "../../bench/links/capacity.ts";
import { targetPercent } from "../../bench/links/path_mtu.ts";
import { tcpText } from "../../bench/links/recorder.ts";
import { EXPLANATION, HEADING, resultsOf, rowText } from "../../bench/links/report.ts";
import { type Measured, type Scenario, withLineAlone } from "../../bench/links/scenario.ts";
import { GROUPS, SCENARIOS } from "../../bench/links/scenarios.ts";
import {
  jain,
  meanBetween,
  rampSeconds,
  resample,
  secondsUntil,
} from "../../bench/links/series.ts";
import { simulate } from "../../bench/links/simulated.ts";

function named(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`No case ${name}`);
  return found;
}

/** A run whose only flow has the same goodput all the time. */
function steady(bps: number, seconds: number): Measured {
  const samples = Array.from(
    { length: seconds * 10 },
    (_, i) => ({ at: i * 1e5, bytes: bps / 80, gapUs: 0 }),
  );
  const rest = { totalBytes: 0, longestGapUs: 0, congestionControl: "cubic", retransmits: 0 };
  return { flows: [{ samples, bps, ...rest }] };
}

Deno.test("resultsOf judges the median of the runs", () => {
  const scenario: Scenario = {
    name: "start",
    title: "start",
    network: { cables: 0 },
    program: {},
    action: { kind: "start", times: 1 },
    expect: [{
      label: "start",
      value: ({ elapsedMs = NaN }) => elapsedMs,
      unit: "ms",
      target: { sense: "<", value: 100 },
    }],
  };
  const runs = [50, 500, 60].map((elapsedMs) => ({ flows: [], elapsedMs }));
  const [result] = resultsOf(scenario, runs);
  assertEquals([result?.median, result?.pass], [60, true]);
  assertEquals(resultsOf(scenario, [])[0]?.pass, false);
  assert(result && rowText(result, false).endsWith("pass"));
});

Deno.test("resultsOf takes a figure that could not be had for the worst", () => {
  const scenario = named("blackhole");
  const [good, none] = [steady(90e6, 35), { flows: [] }];
  const row = (runs: Measured[]): number | undefined => resultsOf(scenario, runs)[2]?.median;
  assertEquals(row([none, good, none]), NaN);
});

Deno.test("resultsOf marks percentages that differ from the simulator's by more than 10 points", () => {
  const scenario = named("equal");
  const [near, far] = [85e6, 70e6].map((bps) =>
    resultsOf(scenario, [steady(90e6, 20)], [steady(bps, 20)])[0]
  );
  assertEquals([near?.simulated, near?.differs], [85, false]);
  assertEquals([far?.simulated, far?.differs], [70, true]);
  assert(far && rowText(far, false).includes(" <> "));
  assert(near && !rowText(near, false).includes("<>"));
});

Deno.test("rowText says once per case how busy the machine was and how long full speed took", () => {
  const machine = { load: 1.25, idle: 0.4, stolen: 0, others: 0.3 };
  const [row] = resultsOf(named("equal"), [{ ...steady(90e6, 20), machine }]);
  assert(row);
  assertEquals(
    rowText(row, true).split("\n").slice(0, 2),
    ["50/20 + 50/20", "    (load 1.3, CPU idle 40 %, others 30 % (!))"],
  );
  assertEquals(row.rampSeconds, 0.30000000000000004);
  assert(!rowText(row, false).includes("0.30"));
});

Deno.test("rowText tells the busiest of several runs, and fits 80 columns", () => {
  const machines = [0.4, 0.1].map((idle) => ({ load: 9.9, idle, stolen: 0.5, others: 0.2 }));
  const runs = machines.map((machine) => ({ ...steady(90e6, 35), machine }));
  for (const scenario of SCENARIOS) {
    for (const row of resultsOf(scenario, runs, runs)) {
      const lines = rowText(row, true).split("\n");
      assertEquals(lines[1], "    (load 9.9, CPU idle 10 %, others 20 % (!), stolen 50 %)");
      for (const line of lines) assert(line.length <= 80, line);
    }
  }
  for (const line of [HEADING, ...EXPLANATION]) assert(line.length <= 80, line);
});

Deno.test("SCENARIOS have names of their own and at least one expectation", () => {
  assertEquals(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length);
  assert(SCENARIOS.every(({ expect }) => expect.length > 0));
  assertEquals(Object.keys(GROUPS), ["basics", "targets", "mtu", "mobile", "shared"]);
});

Deno.test("rawSumBps is the mean over the measured part, with steps and cuts", () => {
  assertAlmostEquals(rawSumBps(named("varying")), 52.6e6, 0.05e6);
  assertAlmostEquals(rawSumBps(named("blackhole")), (30 * 50e6 + 20 * 50e6) / 30, 1);
  assertEquals(rawSumBps(named("unequal-up")), 25e6);
  assertEquals(rawSumBps(named("veth")), 0);
});

Deno.test("meanRateBps counts nothing while a line is cut", () => {
  const scenario = named("blackhole");
  assertEquals(cuts(scenario, 1, "down"), [{ from: 15, to: 25 }]);
  assertEquals(meanRateBps(scenario, 1, "down", [14, 16]), 25e6);
  assertEquals(meanRateBps(scenario, 0, "down", [16, 25]), 50e6);
});

Deno.test("mtuSteps tells when a line gets narrower", () => {
  const scenario = named("shrinks-up");
  assertEquals(mtuSteps(scenario, 1, "up"), [{ at: 12.5, mtu: 1400 }]);
  assertEquals(mtuSteps(scenario, 0, "up"), []);
});

Deno.test("targetPercent asks less of narrow lines, by their larger share of headers", () => {
  const [wide, dslite, least] = [1500, 1460, 1280].map(targetPercent);
  assertEquals([wide, dslite, least], [86.5, 86.2, 85.2]);
});

Deno.test("simulate loses what the lines of a case do not carry", () => {
  const { action, ...rest } = named("shrinks");
  assert(action.kind === "traffic");
  const events = [0, 1].map((line) => ({ at: 5, line, down: { mtu: 1000 } }));
  const traffic = { ...action.traffic, seconds: 6, warmUpSeconds: 3, events };
  const run = simulate({ ...rest, action: { kind: "traffic", traffic } }, 1);
  const delivered = run?.lines?.map((steps) => [20, 58].map((i) => (steps[i] ?? 0) > 10e6));
  assertEquals(delivered, [[true, false], [true, false]]);
});

Deno.test("skewMs is the difference of round trips", () => {
  assertEquals([skewMs(named("unequal")), skewMs(named("equal"))], [45, 0]);
});

Deno.test("withLineAlone keeps a line and what happens to it", () => {
  const alone = withLineAlone(named("varying"), 1);
  assertAlmostEquals(rawSumBps(alone), 22.6e6, 0.05e6);
  assertEquals(withLineAlone(named("varying"), 0).action, {
    kind: "traffic",
    traffic: {
      seconds: 25,
      warmUpSeconds: 2,
      flows: 1,
      way: "down",
      over: "tunnel",
      ping: { intervalMs: 25 },
      events: [],
    },
  });
});

Deno.test("resample spreads what a counter grew by evenly between its readings", () => {
  const readings = [{ at: -0.05, bytes: 0 }, { at: 0.15, bytes: 200 }, { at: 0.35, bytes: 600 }];
  const bytes = resample(readings, 0.4).map((bps) => Math.round(bps / 80));
  assertEquals(bytes, [100, 150, 200, 100]);
});

Deno.test("rampSeconds and secondsUntil wait for a mean, not for a single step", () => {
  const steps = [0, 100, 0, 0, 80, 80, 80, 100];
  assertAlmostEquals(rampSeconds(steps, 100), 0.7, 1e-9);
  assertEquals(rampSeconds(steps, 200), NaN);
  assertAlmostEquals(secondsUntil(steps, 0.2, 60), 0.4, 1e-9);
  assertEquals(meanBetween(steps, 0.4, 0.8), 85);
});

Deno.test("jain is 1 for equal shares and falls with the largest", () => {
  assertEquals(jain([2, 2, 2, 2]), 1);
  assertEquals(jain([1, 0, 0, 0]), 0.25);
});

Deno.test("simulate gives every row of a case that it can run", () => {
  const { action, ...rest } = named("call");
  assert(action.kind === "traffic");
  const traffic = { ...action.traffic, seconds: 4, warmUpSeconds: 2 };
  const scenario: Scenario = { ...rest, action: { kind: "traffic", traffic } };
  const run = simulate(scenario, 1);
  assert(run);
  const rows = resultsOf(scenario, [], [run]);
  assert(rows.every(({ simulated }) => Number.isFinite(simulated)), JSON.stringify(rows));
  assertEquals(run.lines?.map((steps) => steps.length), [40, 40]);
  assertEquals(simulate(named("veth"), 1), undefined);
  assertEquals(simulate(named("raw-50-20"), 1), undefined);
});

Deno.test("tcpText takes what explains a goodput from the words of ss", () => {
  const said = "ESTAB 0 1 10.44.43.2:40 10.44.43.1:20\n\t cubic wscale:7,7 rto:230 " +
    "rtt:27.9/0.4 mss:1382 cwnd:271 ssthresh:189 bytes_sent:1 retrans:0/12 rcv_rtt:1\n";
  assertEquals(tcpText(said), "tcp cwnd 271 ssthresh 189 rtt 27.9 retrans 12");
  assertEquals(tcpText(""), "tcp cwnd - ssthresh - rtt - retrans -");
});
