import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import fc from "fast-check";
import { Path, type PathOptions } from "../../src/links/path.ts";
import { type Remote, remoteOf } from "../../src/remote.ts";
import { Report } from "../../src/wire/report.ts";

const MS = 1000;
const CAP_BPS = 20e6;
const OPTIONS: PathOptions = {
  id: 3,
  name: "dsl",
  tier: "primary",
  metered: false,
  uploadBps: CAP_BPS,
  timeoutUs: 750 * MS,
};
const V4 = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);
const V6 = remoteOf(Uint8Array.fromHex("20010db8000000000000000000000001"), 5080);

function pathTo(remote: Remote | undefined = V4, options: Partial<PathOptions> = {}): Path {
  return new Path({ ...OPTIONS, ...options }, 0, 0, remote);
}

/** A path that has sent `count` packets of 100 bytes, one a millisecond; slot and number agree. */
function pathWith(count: number): Path {
  const path = pathTo();
  for (let i = 0; i < count; i++) path.handleSent(i * MS, i, 100);
  return path;
}

/** A report that acknowledges from `highest` downward: run, gap, run, gap, run. */
function reportOf(highest: number, runs: number[], more: Partial<Report> = {}): Report {
  const report = Object.assign(new Report(), { linkId: OPTIONS.id, highest, ...more });
  for (let i = 0; i < runs.length; i += 2) {
    report.gaps[i / 2] = runs[i - 1] ?? 0;
    report.runs[i / 2] = runs[i]!;
  }
  report.rangeCount = runs.length + 1 >> 1;
  return report;
}

interface Outcome {
  cameUp: boolean;
  released: number[];
  lost: number[];
}

function handle(path: Path, ms: number, report: Report, base = 0, current = true): Outcome {
  const released: number[] = [];
  const lost: number[] = [];
  const cameUp = path.handleReport(
    ms * MS,
    report,
    base,
    current,
    (slot) => released.push(slot),
    (slot) => lost.push(slot),
  );
  return { cameUp, released, lost };
}

Deno.test("Path.wireBytes() adds the headers of the remote's address family", () => {
  assertEquals([pathTo(V4).wireBytes(100), pathTo(V6).wireBytes(100)], [128, 148]);
});

Deno.test("Path.handleSent() counts datagrams, bytes on the link, and what is in flight", () => {
  const path = pathTo();
  path.handleSent(0, 7, 1000);
  path.handleSent(10, -1, 60);
  assertEquals([path.sentDatagrams, path.sent.totalBytes], [2, 1028 + 88]);
  assertEquals([path.flight.packets, path.flight.bytes, path.flight.next], [1, 1028, 2]);
  assertAlmostEquals(path.pacer.dueAtUs, (1028 + 88) * 8e6 / path.rate.pacingBps, 3_000);
});

Deno.test("Path.handleReport() releases what arrived, and what was overtaken is lost", () => {
  const path = pathWith(12);
  const { cameUp, released, lost } = handle(path, 40, reportOf(11, [2, 3, 2, 1, 4]));
  assert(cameUp);
  assertEquals(released, [10, 11, 5, 6, 0, 1, 2, 3]);
  assertEquals(lost, [4, 7, 8, 9]);
  assertEquals([path.flight.packets, path.live.state], [0, "up"]);
});

Deno.test("Path.handleReport() measures the round trip without the time the report was held", () => {
  const path = pathWith(5);
  handle(path, 54, reportOf(4, [5], { heldUs: 15 * MS, owdUs: 7, queueDelayUs: 9 }));
  assertEquals([path.rtt.srttUs, path.owdWire, path.queueUs], [(54 - 4 - 15) * MS, 7, 9]);
});

Deno.test("Path.handleReport() uses only the acknowledgements of an old report", () => {
  const path = pathWith(10);
  handle(path, 40, reportOf(9, [1], { owdUs: 100, queueDelayUs: 200 }));
  const srttUs = path.rtt.srttUs;
  const old = handle(path, 90, reportOf(5, [6], { owdUs: 1, queueDelayUs: 1 }));
  assertEquals(old.released, [], "they were lost before, and sent again since");
  assertEquals([path.owdWire, path.queueUs, path.rtt.srttUs], [100, 200, srttUs]);
});

Deno.test("Path.handleReport() of a report that comes twice is no progress", () => {
  const path = pathWith(3);
  handle(path, 30, reportOf(2, [3]));
  const again = handle(path, 99, reportOf(2, [3]));
  assertEquals([again.cameUp, again.released, path.live.progressAtUs], [false, [], 30 * MS]);
});

Deno.test("Path.handleReport() of what was given up measures the round trip once", () => {
  const path = pathWith(3);
  path.abandon(() => {});
  handle(path, 62, reportOf(2, [3]));
  handle(path, 900, reportOf(2, [3]));
  assertEquals([path.rtt.srttUs, path.flight.newestAcked], [60 * MS, 2]);
});

Deno.test("Path.handleReport() ignores a report of numbers that were never sent", () => {
  const path = pathWith(3);
  for (const highest of [3, 4, 0xffff_ffff]) {
    const report = reportOf(highest, [0xffff], { owdUs: 5, queueDelayUs: 6 });
    assertEquals(handle(path, 40, report), { cameUp: false, released: [], lost: [] });
  }
  assertEquals([path.flight.packets, path.live.state, path.owdWire], [3, "connecting", 0]);
  assertFalse(path.rtt.sampled);
});

Deno.test("Path.handleReport() counts from the session's first number, never below it", () => {
  const path = pathWith(10);
  const { released } = handle(path, 40, reportOf(2, [1, 1, 9]), 6);
  assertEquals(released, [8, 6]);
  assertEquals(handle(path, 41, reportOf(4, [1]), 6).released, [], "number 10 was not sent");
});

Deno.test("Path.handleReport() of an earlier session acknowledges, but is no sample of the rate", () => {
  const path = pathTo(V4, { uploadBps: 0 });
  for (let i = 0; i < 800; i++) path.handleSent(i * MS, i, 1400);
  const before = path.rate.rateBps;
  const report = (highest: number): Report =>
    reportOf(highest, [highest + 1], {
      receivedAtUs: highest * MS,
      datagrams: highest + 1,
      bytes: 1400 * (highest + 1),
    });
  for (let at = 99; at < 700; at += 100) {
    assertEquals(handle(path, at + 20, report(at), 0, false).released.length, 100);
  }
  assertEquals(path.rate.rateBps, before);
  for (let at = 700; at < 800; at += 33) handle(path, at + 20, report(at));
  assertGreater(path.rate.rateBps, before);
});

Deno.test("Path.handleReport() does not believe that more arrived than was sent", () => {
  const path = pathTo(V4, { uploadBps: 0 });
  for (let i = 0; i < 400; i++) path.handleSent(i * MS, i, 1400);
  for (let at = 33; at < 400; at += 33) {
    handle(path, at + 20, reportOf(at, [at + 1], { receivedAtUs: at * MS, bytes: 1e10 * at }));
  }
  assertLessOrEqual(path.rate.rateBps, 20e6);
});

Deno.test("Path.handleNewSession() does not compare counts of two sessions", () => {
  const path = pathTo(V4, { uploadBps: 0 });
  for (let i = 0; i < 900; i++) path.handleSent(i * MS, i, 1400);
  const report = (at: number, bytes: number): Report =>
    reportOf(at, [100], { receivedAtUs: at * MS, bytes });
  for (let at = 99; at < 400; at += 100) handle(path, at + 20, report(at, at * 1400));
  const before = path.rate.rateBps;
  path.handleNewSession();
  for (let at = 499; at < 900; at += 100) handle(path, at + 20, report(at, 1e9 + at * 1400));
  assertEquals(path.rate.rateBps, before);
});

Deno.test("Path.handleReport() of any report never throws, nor hands a slot out twice", () => {
  const u32 = fc.oneof(fc.nat(60), fc.nat(0xffff_ffff));
  const any = fc.record({
    highest: u32,
    receivedAtUs: u32,
    heldUs: u32,
    datagrams: u32,
    bytes: fc.maxSafeNat(),
    owdUs: u32,
    queueDelayUs: u32,
    runs: fc.array(fc.oneof(fc.nat(5), fc.nat(0xffff)), { minLength: 1, maxLength: 20 }),
    base: fc.constantFrom(0, 20, 50),
  });
  fc.assert(fc.property(fc.array(any, { maxLength: 12 }), (reports) => {
    const path = pathWith(50);
    const slots: number[] = [];
    reports.forEach(({ base, runs, highest, ...rest }, i) => {
      const { released, lost } = handle(path, 50 + i, reportOf(highest, runs, rest), base);
      assert(released.every((slot) => slot >= base), "of a session before");
      slots.push(...released, ...lost);
      assert(Number.isFinite(path.rate.pacingBps) && path.rate.pacingBps > 0);
      assert(path.loss >= 0 && path.loss <= 1);
    });
    path.abandon((slot) => slots.push(slot));
    assertEquals(slots.toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
  }));
});

Deno.test("Path.handleProbeAck() measures the round trip and brings the path up", () => {
  const path = pathTo();
  const number = path.nextProbe(10 * MS);
  assert(path.handleProbeAck(33 * MS, number));
  assertEquals([path.rtt.srttUs, path.live.state], [23 * MS, "up"]);
});

Deno.test("Path.handleProbeAck() ignores answers to probes not sent, or sent long ago", () => {
  const path = pathTo();
  const first = path.nextProbe(0);
  for (const number of [first + 1, 0xffff_ffff]) assertFalse(path.handleProbeAck(5 * MS, number));
  for (let i = 0; i < 64; i++) path.nextProbe(i * MS);
  assertFalse(path.handleProbeAck(99 * MS, first));
  assertEquals([path.rtt.sampled, path.live.state], [false, "connecting"]);
  assert(path.handleProbeAck(99 * MS, first + 1));
});

Deno.test("Path.open is true while it is up and its window is not full", () => {
  const path = pathTo();
  assertFalse(path.open, "nobody has answered");
  path.handleProbeAck(20 * MS, path.nextProbe(0));
  const { windowBytes } = path;
  assertAlmostEquals(windowBytes, 2 * CAP_BPS * 0.05 / 8, windowBytes / 4); // RTT and reports
  let sent = 0;
  while (path.open) path.handleSent(21 * MS, sent++, 1472);
  assertEquals(sent, Math.ceil(windowBytes / 1500));
  handle(path, 50, reportOf(0, [1]));
  assert(path.open);
  path.live.handleUnreachable(60 * MS, "no route");
  assertFalse(path.open);
});

Deno.test("Path.windowBytes of the slowest link still holds ten full datagrams", () => {
  const path = pathTo(V4, { uploadBps: 100_000 });
  assert(path.windowBytes >= 15_000);
});

Deno.test("Path returns from an outage at a quarter of its rate", () => {
  const path = pathTo();
  path.handleProbeAck(20 * MS, path.nextProbe(0));
  const { rateBps } = path.rate;
  path.live.handleUnreachable(60 * MS, "no route");
  for (let i = 1; i <= 3; i++) path.handleProbeAck((100 + i) * MS, path.nextProbe(100 * MS));
  assertEquals([path.live.state, path.rate.rateBps], ["up", rateBps / 4]);
  assertEquals(path.pacer.rateBps, path.rate.pacingBps);
  assertLess(path.pacer.dueAtUs, 104 * MS);
});

Deno.test("Path keeps its rate when it was only suspected", () => {
  const path = pathWith(1);
  path.handleProbeAck(20 * MS, path.nextProbe(0));
  const { rateBps } = path.rate;
  while (path.live.state === "up") path.handleTimeout(path.timeoutAtUs(false), false);
  assertEquals(path.live.state, "suspect");
  path.handleProbeAck(900 * MS, path.nextProbe(880 * MS));
  assertEquals([path.live.state, path.rate.rateBps], ["up", rateBps]);
});

Deno.test("Path is back when what was in flight on it arrives after all", () => {
  const path = pathWith(20);
  path.handleProbeAck(20 * MS, path.nextProbe(0));
  while (path.live.state === "up") path.handleTimeout(path.timeoutAtUs(false), false);
  path.abandon(() => {});
  assertEquals(path.live.state, "suspect");
  assert(handle(path, 900, reportOf(4, [5])).cameUp);
  assertEquals(path.live.state, "up");
});

Deno.test("Path.loss is the fraction of datagrams lost, second by second", () => {
  const path = pathTo();
  const losses: number[] = [];
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 100; i++) path.handleSent((second * 1000 + i * 10) * MS, -1, 100);
    const last = second * 100 + 99;
    const runs = second === 1 ? [70, 20, 10] : [100];
    handle(path, second * 1000 + 1000, reportOf(last, runs));
    losses.push(path.loss);
  }
  assertEquals(losses, [0, 0.2, 0]);
});

Deno.test("Path.handleIdle() counts once until something is sent again", () => {
  const path = pathTo();
  const counts = [0, 1, 3, 0].map((idles, i) => {
    for (let n = 0; n < idles; n++) path.handleIdle();
    path.handleSent(i * MS, -1, 100);
    return path.flight.idleCount(i);
  });
  assertEquals(counts, [0, 1, 2, 2]);
});

Deno.test("Path without a remote waits for nothing", () => {
  const path = new Path(OPTIONS, 0, 0);
  assertEquals(path.timeoutAtUs(false), Infinity);
  path.remote = V4;
  assertEquals(path.timeoutAtUs(false), 0);
});

Deno.test("Path takes what arrived before and after it was given up for no rate", () => {
  const path = pathTo();
  const send = (fromMs: number, count: number): void => {
    for (let i = 0; i < count; i++) path.handleSent((fromMs + i) * MS, i, 1400);
  };
  const report = (ms: number, highest: number, datagrams: number): void => {
    const more = { receivedAtUs: ms * MS, datagrams, bytes: datagrams * 1400, owdUs: 0 };
    handle(path, ms + 10, reportOf(highest, [Math.min(datagrams, 20)], more));
  };
  send(0, 100);
  for (let ms = 10; ms < 50; ms++) report(ms, ms, ms + 1);
  path.abandon(() => {}); // the other half was lost
  send(10_000, 40);
  for (let ms = 10_001; ms < 10_003; ms++) report(ms, 100 + ms - 10_000, 50 + ms - 10_000);
  assertGreater(path.loss, 0.05);
  assertEquals(path.rate.rateBps, CAP_BPS);
});
