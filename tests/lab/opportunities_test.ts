import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Direction } from "../../lab/emulator/direction.ts";
import { carriedBps, Opportunities, periodUs } from "../../lab/emulator/opportunities.ts";
import { lowSatellite, lteInCar, mobileTrace } from "../../lab/mobile_trace.ts";
import { COMPARED, MADE_UP, recordedIn } from "../../lab/varying_lines.ts";

const MS = 1_000;

function meanBps(trace: readonly number[]): number {
  return carriedBps(trace, 0, periodUs(trace));
}

Deno.test("Opportunities: a packet leaves at the next instant, small ones share it, unused ones are lost", () => {
  const play = new Opportunities([10, 20, 20, 50], 0);
  assertEquals(play.finish(0, 1500), 10 * MS);
  assertEquals(play.finish(12 * MS, 700), 20 * MS);
  assertEquals(play.finish(20 * MS, 700), 20 * MS, "in the same one");
  assertEquals(
    play.finish(20 * MS, 700),
    20 * MS,
    "the rest of it, and the other one of that instant",
  );
  assertEquals(play.finish(30 * MS, 100), 50 * MS, "what was left is gone");
});

Deno.test("Opportunities begin again after the last, from the instant they were set at", () => {
  const play = new Opportunities([1, 100], 7 * MS);
  const finished = Array.from({ length: 4 }, () => play.finish(0, 1500));
  assertEquals(finished, [8, 107, 108, 207].map((ms) => ms * MS));
});

Deno.test("Opportunities carry no more than they are", () => {
  const play = new Opportunities([10], 0);
  let at = 0;
  for (let i = 0; i < 100; i++) at = play.finish(at, 3750); // two and a half
  assertEquals(at, 250 * 10 * MS);
});

Deno.test("Direction plays a recording from when it is set, with recorded delays", () => {
  const line = new Direction(16, 1, () => {});
  line.reshape(5 * MS, { trace: [10, 30], delayTrace: [2, 4], queueUs: 0 });
  line.accept(6 * MS, 1, 1500);
  line.accept(6 * MS, 2, 1500);
  const landed: number[][] = [];
  for (let at = 6 * MS; at < 60 * MS; at += MS) {
    line.advance(at);
    for (let slot = line.pollDelivery(at); slot >= 0; slot = line.pollDelivery(at)) {
      landed.push([slot, at / MS]);
    }
  }
  // They leave after 10 and 30 ms; the delays are 2 ms in even tens of milliseconds, 4 in odd ones.
  assertEquals(landed, [[1, 5 + 10 + 4], [2, 5 + 30 + 4]]);
});

Deno.test("mobileTrace() carries its mean, has gaps, and is the same for a seed", () => {
  const trace = mobileTrace(lteInCar(3));
  assertAlmostEquals(meanBps(trace) / 14e6, 1, 0.001);
  assertEquals(mobileTrace(lteInCar(3)), trace);
  const longest = Math.max(...trace.slice(1).map((ms, i) => ms - trace[i]!));
  assert(longest > 150 && longest < 4000, `longest gap ${longest} ms`);
  assert(trace.every((ms, i) => i === 0 || ms >= trace[i - 1]!));
  assertAlmostEquals(meanBps(mobileTrace(lowSatellite(3))) / 48e6, 1, 0.001);
});

Deno.test("carriedBps counts opportunities between two instants, round and round", () => {
  const ms = [0, 2, 2, 5, 10];
  const packets = (fromMs: number, toMs: number): number =>
    Math.round(carriedBps(ms, fromMs * MS, toMs * MS) * (toMs - fromMs) / 1000 / 12_000);
  assertEquals(packets(0, 10), 5);
  assertEquals(packets(1, 3), 2);
  assertEquals(packets(2, 5), 2);
  assertEquals(packets(9, 21), 7);
  assertEquals(packets(-10, 0), 5);
  assertEquals(carriedBps(ms, 5, 5), 0);
});

Deno.test("recordedIn() has nothing without a folder, and says which file a folder lacks", () => {
  assertEquals(recordedIn(undefined), []);
  assertEquals(recordedIn(""), []);
  const [first] = recordedIn("/nonexistent");
  assertThrows(() => first?.lines, Error, "/nonexistent/lte-vz.down");
});

Deno.test("names of line sets are unique", () => {
  const names = [...MADE_UP, ...recordedIn("/nonexistent"), ...COMPARED].map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});
