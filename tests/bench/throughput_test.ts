import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { median } from "../../bench/median.ts";
import type { Sample } from "../../bench/throughput/measure.ts";
import { rowsText, summarize, type Summary } from "../../bench/throughput/report.ts";
import { memoryOf } from "../../bench/throughput/soak.ts";
import { ONE_LINK, RAW, TWO_LINKS } from "../../bench/throughput/subject.ts";
import { verdictsOf, verdictText } from "../../bench/throughput/targets.ts";

const IDLE_MACHINE = { load: 0, idle: 1, stolen: 0, others: 0 };
const SPENT = { cpuPerGb: 2.5, rssBytes: 100 * 2 ** 20 };

function cable(tcpBps: number): Sample {
  return {
    tcpBps,
    spent: undefined,
    packetsPerSecond: 300_000,
    sourceLimited: true,
    statusMs: undefined,
    pingUs: 100,
    rawPingUs: 100,
    machine: IDLE_MACHINE,
  };
}

function tunnel(tcpBps: number, packetsPerSecond = 150_000): Sample {
  const spent = { client: SPENT, server: { ...SPENT, cpuPerGb: 3.5 } };
  const own = { spent, packetsPerSecond, sourceLimited: false, statusMs: 20, pingUs: 350 };
  return { ...cable(tcpBps), ...own };
}

function pass(summaries: readonly Summary[], label: string): boolean | null | undefined {
  return verdictsOf(summaries).find((verdict) => verdict.label === label)?.pass;
}

Deno.test("median() of an even number of values is between the middle ones", () => {
  assertEquals([median([4, 1, 3, 2]), median([7]), median([])], [2.5, 7, NaN]);
});

Deno.test("summarize() takes medians of the runs and the round trip above the cable's", () => {
  const summary = summarize(ONE_LINK, [tunnel(1e9), tunnel(3e9), tunnel(2e9)]);
  assertEquals(summary.tcpBps, 2e9);
  assertEquals([summary.cpuPerGb.client, summary.cpuPerGb.server], [2.5, 3.5]);
  assertEquals(summary.rssMiB.client, 100);
  assertAlmostEquals(summary.addedMs, 0.25);
  assertEquals(summary.statusMs, 20);
});

Deno.test("summarize() knows of no processes where there is no tunnel", () => {
  const summary = summarize(RAW, [cable(20e9)]);
  assertEquals([summary.cpuPerGb.client, summary.rssMiB.server, summary.addedMs], [NaN, NaN, NaN]);
});

Deno.test("rowsText() gives shares of the raw cable and says when the source was the limit", () => {
  const raw = summarize(RAW, [cable(20e9)]);
  const [tcp = "", small = ""] = rowsText(summarize(ONE_LINK, [tunnel(2e9)]), raw).split("\n");
  assertStringIncludes(tcp, "2.00 Gbit/s   10.0 %    2.50   3.50     100    100");
  assertStringIncludes(small, "150000 /s   50.0 %");
  assertStringIncludes(rowsText(raw, raw), "or more");
});

Deno.test("verdictsOf() judges the larger end and the loss by a second link", () => {
  const raw = summarize(RAW, [cable(20e9)]);
  const one = summarize(ONE_LINK, [tunnel(3e9, 149_999)]);
  const two = summarize(TWO_LINKS, [tunnel(2.4e9)]);
  const all = [raw, one, two];
  assertEquals(pass(all, "TCP, one link"), true);
  assertEquals(pass(all, "TCP, two links"), false);
  assertEquals(pass(all, "TCP, two links instead of one"), false);
  assertEquals(pass(all, "CPU, the larger end, one link"), false);
  assertEquals(pass(all, "small datagrams, one link"), false);
  assertEquals(pass(all, "added round trip, idle"), true);
  assertEquals(pass(all, "TCP without libcrypto"), undefined);
});

Deno.test("verdictsOf() does not judge rates where raw veth is slow", () => {
  const summaries = [summarize(RAW, [cable(5e9)]), summarize(ONE_LINK, [tunnel(2e9)])];
  const [verdict] = verdictsOf(summaries);
  assertEquals(verdict?.pass, null);
  assertStringIncludes(verdict ? verdictText(verdict) : "", "not judged");
});

Deno.test("memoryOf() forgives a warm-up and sees what grows", () => {
  const flat = memoryOf([50, 80, 100, 101, 99, 100, 100, 102, 101, 100]);
  assertEquals([flat.isFlat, flat.least, flat.most, flat.early], [true, 50, 102, 100.5]);
  assertEquals(memoryOf([90, 92, 94, 96, 98, 100, 102, 104, 106, 108]).isFlat, false);
});
