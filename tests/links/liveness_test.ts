import { assert, assertEquals, assertFalse, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { Liveness, type Stakes } from "../../src/links/liveness.ts";

const MS = 1000;
const TIMEOUT_US = 750 * MS;

const IDLE: Stakes = {
  oldestSentAtUs: Infinity,
  reportableAtUs: Infinity,
  doubtfulUs: 25 * MS,
  patienceUs: 25 * MS,
  alone: false,
  varies: false,
  few: true,
};
const FEW: Stakes = { ...IDLE, oldestSentAtUs: 0 };
const LOADED: Stakes = { ...FEW, few: false };

/** What happens up to `untilMs`, as "ms: what it wants, its state"; time moves only to deadlines. */
function timeline(live: Liveness, stakes: Stakes, untilMs: number, answerMs?: number): string[] {
  const lines: string[] = [];
  for (;;) {
    const now = live.timeoutAtUs(stakes);
    if (now > untilMs * MS) return lines;
    const todo = live.handleTimeout(now, stakes);
    lines.push(`${now / MS}: ${todo || "nothing"}, ${live.state}`);
    if (todo === "probe" && answerMs !== undefined) {
      if (live.handleProgress(now + answerMs * MS, true)) lines.push(`${now / MS + answerMs}: up`);
    }
  }
}

function upAt(now: number, metered = false): Liveness {
  const live = new Liveness(now, TIMEOUT_US, metered);
  assert(live.handleProgress(now, true));
  return live;
}

function downAt(now: number): Liveness {
  const live = upAt(now);
  live.handleUnreachable(now, "no route");
  return live;
}

Deno.test("Liveness of a new path asks at once, then four times a second", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  assertEquals(timeline(live, IDLE, 600), [
    "0: probe, connecting",
    "250: probe, connecting",
    "500: probe, connecting",
  ]);
  assertEquals(live.reason, "waiting for the peer");
});

Deno.test("Liveness comes up with the first answer", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  assertEquals(timeline(live, IDLE, 0, 20), ["0: probe, connecting", "20: up"]);
  assertEquals([live.state, live.reason, live.progressAtUs], ["up", undefined, 20 * MS]);
});

Deno.test("Liveness of an idle path that answers is a heartbeat per third of its timeout", () => {
  assertEquals(timeline(upAt(0), IDLE, 900, 20), [
    "250: probe, up",
    "520: probe, up",
    "790: probe, up",
  ]);
});

Deno.test("Liveness sends a heartbeat early along with something else, from half its interval on", () => {
  const live = upAt(0);
  assertFalse(live.joinProbe(124 * MS, 25 * MS));
  assert(live.joinProbe(125 * MS, 25 * MS));
  assertEquals(live.timeoutAtUs(IDLE), 375 * MS);
  assertFalse(live.joinProbe(375 * MS, 25 * MS)); // the one before is not answered yet
});

Deno.test("Liveness that probed early notices silence no later", () => {
  const live = upAt(0);
  assert(live.joinProbe(200 * MS, 25 * MS));
  assertEquals(timeline(live, IDLE, 960), [
    "450: probe, up",
    "700: probe, up",
    "950: failed, suspect",
    "950: probe, suspect",
  ]);
});

Deno.test("Liveness of a path that is not up joins nothing", () => {
  assertFalse(downAt(0).joinProbe(249 * MS, 25 * MS));
  assertFalse(new Liveness(0, TIMEOUT_US, false).joinProbe(0, 25 * MS));
});

Deno.test("Liveness of an idle metered path is a heartbeat every five seconds", () => {
  assertEquals(timeline(upAt(0, true), IDLE, 11_000, 20), ["5000: probe, up", "10020: probe, up"]);
});

Deno.test("Liveness of an idle path that is silent: three heartbeats, suspect, three probes, down", () => {
  const live = upAt(0);
  assertEquals(timeline(live, IDLE, 1400), [
    "250: probe, up",
    "500: probe, up",
    "750: probe, up",
    "1000: failed, suspect",
    "1000: probe, suspect",
    "1050: probe, suspect",
    "1100: probe, suspect",
    "1150: failed, down",
    "1150: probe, down",
    "1400: probe, down",
  ]);
  assertEquals(live.reason, "no answer to probes, nothing heard for 1150 ms");
});

Deno.test("Liveness of a loaded path that is silent: suspect within 60 ms, down 150 ms later", () => {
  const live = upAt(0);
  assertEquals(timeline(live, LOADED, 60), ["60: failed, suspect", "60: probe, suspect"]);
  assertEquals(live.reason, "nothing heard for 60 ms");
  assertEquals(timeline(live, IDLE, 210), [
    "110: probe, suspect",
    "160: probe, suspect",
    "210: failed, down",
    "210: probe, down",
  ]);
});

Deno.test("Liveness asks first when only a few packets are in flight", () => {
  assertEquals(timeline(upAt(0), FEW, 70), [
    "45: probe, up", // 25 ms of patience and the 20 ms between reports
    "70: failed, suspect",
    "70: probe, suspect",
  ]);
});

Deno.test("Liveness always leaves a probe the time to be answered when few packets are in flight", () => {
  for (const patienceMs of [6, 25, 39, 41, 100, 400]) {
    const live = new Liveness(0, 10_000 * MS, false);
    live.handleProgress(0, true);
    const lines = timeline(live, { ...FEW, patienceUs: patienceMs * MS }, 3 * patienceMs + 60);
    const asked = patienceMs + 20;
    assertEquals(lines.slice(0, 2), [
      `${asked}: probe, up`,
      `${Math.max(60, asked + patienceMs)}: failed, suspect`,
    ]);
  }
});

Deno.test("Liveness of a loaded path with a long round trip waits for what is usual", () => {
  assertEquals(timeline(upAt(0), { ...LOADED, patienceUs: 90 * MS }, 110), [
    "110: failed, suspect",
    "110: probe, suspect",
  ]);
});

Deno.test("Liveness suspects the only path after four times as long", () => {
  assertEquals(timeline(upAt(0), { ...LOADED, alone: true }, 240), [
    "240: failed, suspect",
    "240: probe, suspect",
  ]);
});

Deno.test("Liveness counts from the last progress, and asks again", () => {
  const live = upAt(0);
  assertEquals(timeline(live, FEW, 45), ["45: probe, up"]);
  assertFalse(live.handleProgress(50 * MS, false));
  assertEquals(timeline(live, FEW, 119), ["95: probe, up"]);
  assertFalse(live.handleProgress(119 * MS, false));
  assertEquals(timeline(live, FEW, 160), []);
});

Deno.test("Liveness counts from when the oldest packet left when that was after the last progress", () => {
  assertEquals(timeline(upAt(0), { ...FEW, oldestSentAtUs: 100 * MS }, 169), ["145: probe, up"]);
});

Deno.test("Liveness of a suspected path is up again with any acknowledgement", () => {
  for (const probe of [true, false]) {
    const live = upAt(0);
    timeline(live, LOADED, 70);
    assert(live.handleProgress(90 * MS, probe));
    assertEquals([live.state, live.reason], ["up", undefined]);
    assertEquals(timeline(live, IDLE, 339), []);
  }
});

Deno.test("Liveness of a suspected path with a long round trip asks twice per usual answer", () => {
  const live = upAt(0);
  timeline(live, { ...LOADED, patienceUs: 300 * MS, alone: true }, 1000);
  assertEquals(live.state, "suspect");
  assertEquals(timeline(live, { ...IDLE, patienceUs: 300 * MS }, 1599), [
    "1150: probe, suspect",
    "1300: probe, suspect",
    "1450: failed, down",
    "1450: probe, down",
  ]);
});

Deno.test("Liveness is down at once when the system says so, and says why", () => {
  const live = upAt(0);
  assert(live.handleUnreachable(10 * MS, "no route to host"));
  assertEquals([live.state, live.reason], ["down", "no route to host"]);
  assertFalse(live.handleUnreachable(11 * MS, "again"));
  assertEquals(live.reason, "no route to host");
  assertEquals(timeline(live, IDLE, 600), ["260: probe, down", "510: probe, down"]);
});

Deno.test("Liveness of a path that never was up does not go down", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  assertFalse(live.handleUnreachable(0, "no route"));
  assertEquals(live.state, "connecting");
});

Deno.test("Liveness of a path that is down is up after three answers, one right after the other", () => {
  assertEquals(timeline(downAt(0), IDLE, 300, 20), [
    "250: probe, down",
    "270: probe, down",
    "290: probe, down",
    "310: up",
  ]);
});

Deno.test("Liveness of a path that goes down again needs three answers again", () => {
  const live = downAt(0);
  timeline(live, IDLE, 310, 20);
  assertEquals(live.state, "up");
  live.handleUnreachable(400 * MS, "no route");
  assertFalse(live.handleProgress(420 * MS, true));
  assertFalse(live.handleProgress(440 * MS, true));
  assert(live.handleProgress(460 * MS, true));
});

Deno.test("Liveness of a path that is down begins to count again when a probe is lost", () => {
  const live = downAt(0);
  assertEquals(timeline(live, IDLE, 250, 20), ["250: probe, down"]);
  assertEquals(timeline(live, IDLE, 270, 20), ["270: probe, down"]); // two good ones
  assertEquals(timeline(live, IDLE, 290), ["290: probe, down"]); // lost
  assertEquals(timeline(live, IDLE, 600, 20), [
    "540: probe, down",
    "560: probe, down",
    "580: probe, down",
    "600: up",
  ]);
});

Deno.test("Liveness of a path that is down does not come up by data alone, but asks", () => {
  const live = downAt(0);
  for (let i = 1; i < 10; i++) assertFalse(live.handleProgress(i * MS, false));
  assertEquals(live.state, "down");
  assertEquals(timeline(live, IDLE, 9), ["9: probe, down"]);
});

Deno.test("Liveness.restart() is a new path", () => {
  const live = downAt(0);
  live.restart(100 * MS);
  assertEquals([live.state, live.progressAtUs], ["connecting", 100 * MS]);
  assertEquals(timeline(live, IDLE, 100, 20), ["100: probe, connecting", "120: up"]);
});

Deno.test("Liveness of any history never spins, and never suspects before it should", () => {
  const event = fc.tuple(fc.constantFrom("probe", "data", "wait", "unreachable"), fc.nat(400));
  const load = fc.record({
    oldestSentAtUs: fc.constantFrom(0, 200 * MS, Infinity),
    doubtfulUs: fc.integer({ min: 5 * MS, max: 2_000 * MS }),
    reportableAtUs: fc.constantFrom(0, 210 * MS, Infinity),
    patienceUs: fc.integer({ min: 5 * MS, max: 2_000 * MS }),
    alone: fc.boolean(),
    varies: fc.boolean(),
    few: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(event, { maxLength: 60 }), load, (events, stakes) => {
    const live = new Liveness(0, TIMEOUT_US, false);
    let now = 0;
    for (const [what, ms] of events) {
      const until = now + ms * MS;
      for (let calls = 0;; calls++) {
        assert(calls < 100, "spins");
        const at = live.timeoutAtUs(stakes);
        if (at > until) break;
        now = Math.max(now, at);
        const before = live.state;
        live.handleTimeout(now, stakes);
        if (before !== "up" || live.state !== "suspect") continue;
        assertGreaterOrEqual(now - live.progressAtUs, Math.min(60 * MS, TIMEOUT_US));
      }
      now = until;
      if (what === "probe" || what === "data") live.handleProgress(now, what === "probe");
      if (what === "unreachable") live.handleUnreachable(now, "no route");
    }
  }));
});

Deno.test("Liveness.hurry() probes a path that is not up at once, and leaves one that is alone", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  live.handleProgress(0, true);
  live.hurry(MS);
  assertEquals(live.timeoutAtUs(IDLE), TIMEOUT_US / 3);
  live.handleUnreachable(MS, "no route to the server");
  live.hurry(7 * MS);
  assertEquals(live.timeoutAtUs(IDLE), 7 * MS);
  assertEquals(live.handleTimeout(7 * MS, IDLE), "probe");
});

Deno.test("Liveness.explain() gives a path that is down another reason, or one that has not been up", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  live.explain("eth0 has no carrier");
  assertEquals(live.reason, "eth0 has no carrier");
  live.hurry(0);
  assertEquals(live.reason, "waiting for the peer", "it is gone");
  live.handleProgress(0, true);
  live.explain("eth0 has no carrier");
  assertEquals(live.reason, undefined, "it is up");
  live.handleUnreachable(MS, "no route to the server");
  live.explain("eth0 has no carrier");
  assertEquals(live.reason, "eth0 has no carrier");
});

Deno.test("Liveness is more patient with a link that varies", () => {
  const suspectedMs = (stakes: Stakes): number => upAt(0).timeoutAtUs(stakes) / MS;
  assertEquals(suspectedMs({ ...LOADED, varies: true }) - suspectedMs(LOADED), 60);
});

Deno.test("Liveness takes what arrived before it suspected a path for no sign of life", () => {
  const live = upAt(0);
  assert(live.isSignOfLife(0));
  live.handleTimeout(live.timeoutAtUs(LOADED), LOADED);
  assertEquals([live.state, live.isSignOfLife(60 * MS), live.isSignOfLife(60 * MS + 1)], [
    "suspect",
    false,
    true,
  ]);
});

Deno.test("Liveness doubts a path when what was reportable has had the time of an answer", () => {
  const live = upAt(0);
  const stakes = { ...LOADED, reportableAtUs: 8 * MS };
  assertEquals(timeline(live, stakes, 59), ["33: doubted, up"]);
  assert(live.doubted);
  live.handleProgress(40 * MS, false);
  assertFalse(live.doubted);
  assertEquals(timeline(live, { ...stakes, alone: true }, 99), []);
});

Deno.test("Liveness has no doubts about a path that it suspects", () => {
  const live = upAt(0);
  const stakes = { ...LOADED, reportableAtUs: 8 * MS };
  assertEquals(timeline(live, stakes, 60), [
    "33: doubted, up",
    "60: failed, suspect",
    "60: probe, suspect",
  ]);
  assertFalse(live.doubted);
});

Deno.test("Liveness of a path that has not been up yet says what the kernel refuses, unless it knows more", () => {
  const live = new Liveness(0, TIMEOUT_US, false);
  assertFalse(live.handleUnreachable(0, "no route to the server"));
  assertEquals([live.state, live.reason], ["connecting", "no route to the server"]);
  live.explain("eth1 has no carrier");
  assertFalse(live.handleUnreachable(0, "no route to the server"));
  assertEquals(live.reason, "eth1 has no carrier");
});

Deno.test("Liveness counts the time in a state, a wrong suspicion as none", () => {
  const live = upAt(0);
  timeline(live, LOADED, 60);
  assertEquals([live.state, live.before, live.beforeUs, live.sinceUs], [
    "suspect",
    "up",
    60 * MS,
    60 * MS,
  ]);
  live.handleProgress(90 * MS, false);
  assertEquals([live.state, live.before, live.beforeUs, live.sinceUs], [
    "up",
    "suspect",
    30 * MS,
    0,
  ]);
  live.handleUnreachable(200 * MS, "no route");
  assertEquals([live.state, live.before, live.beforeUs, live.sinceUs], [
    "down",
    "up",
    200 * MS,
    200 * MS,
  ]);
});
