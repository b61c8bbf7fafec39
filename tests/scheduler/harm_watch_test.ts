import { assert, assertEquals, assertFalse } from "@std/assert";
import { HarmWatch } from "../../src/scheduler/harm_watch.ts";

const S = 1e6;
const STEP_US = 250_000;
/** What the good link carries, and the position of the other one. */
const GOOD_BPS = 50e6;
const OTHER = 1;

/** A sender whose goodput depends on whether the other link is in use. */
class Sender {
  now = 0;
  readonly watch = new HarmWatch(2);
  /** "12.25: out", "16: in": when the other link went and came back. */
  readonly changes: string[] = [];
  #out = false;

  constructor(readonly rateBps: number = GOOD_BPS) {}

  run(seconds: number, bps: (isOut: boolean, now: number) => number): void {
    const end = this.now + seconds * S;
    for (; this.now < end; this.now += STEP_US) {
      this.#note();
      this.watch.deliveredBytes += bps(this.#out, this.now) / 8e6 * STEP_US;
      const { rateBps } = this;
      const index = this.#out ? -1 : OTHER;
      this.watch.update(this.now, { index, rateBps, othersBps: GOOD_BPS });
      this.#note();
    }
  }

  #note(): void {
    const out = this.watch.isOut(this.now, OTHER);
    if (out !== this.#out) this.changes.push(`${this.now / S}: ${out ? "out" : "in"}`);
    this.#out = out;
  }
}

Deno.test("HarmWatch leaves alone a link with which more is delivered than without it", () => {
  const sender = new Sender();
  sender.run(60, () => 60e6);
  assertEquals(sender.changes, []);
});

Deno.test("HarmWatch leaves a harmful link out after two trials, twice as long each time", () => {
  const sender = new Sender();
  sender.run(70, (isOut) => isOut ? 48e6 : 20e6);
  const at = sender.changes.map((line) => Number(line.split(":")[0]));
  assertEquals(sender.changes.map((line) => line.split(": ")[1]).slice(0, 6), [
    "out", // after three seconds that are compared with what the other carries
    "in", // a trial of three seconds
    "out", // three more that are no better: another trial, then it stays out
    "in",
    "out", // one more trial is enough
    "in",
  ]);
  assertEquals(at.slice(0, 3), [3, 6, 9.25]);
  assertEquals(Math.round(at[3]! - at[2]!), 3 + 10);
  assertEquals(Math.round(at[5]! - at[4]!), 3 + 20);
});

Deno.test("HarmWatch needs one trial only of a link that has little to give", () => {
  const sender = new Sender(0.09 * GOOD_BPS);
  sender.run(15, (isOut) => isOut ? 48e6 : 20e6);
  assertEquals(sender.changes, ["3: out"]);
});

Deno.test("HarmWatch says why a link is left out, and for how long", () => {
  const sender = new Sender();
  const bps = (isOut: boolean): number => isOut ? 48e6 : 20e6;
  sender.run(3.25, bps);
  const reason = (): string | undefined => sender.watch.reason(sender.now, OTHER);
  assertEquals(reason(), "on trial: is the tunnel faster without it?");
  sender.run(9.5, bps);
  assertEquals(reason(), "slowed down the tunnel: tried again in 10 s");
  assertEquals(sender.watch.reason(sender.now, 0), undefined);
});

Deno.test("HarmWatch convicts nobody for traffic in bursts that all links could carry", () => {
  const sender = new Sender();
  let seed = 1;
  let burst = false;
  sender.run(600, (_, now) => {
    if (now % 1_500_000 === 0) {
      seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
      burst = seed >>> 16 & 1 ? true : false;
    }
    return burst ? 18e6 : 2e6;
  });
  const longest = Math.max(
    0,
    ...sender.changes.map(parseFloat).map((at, i, all) => i % 2 === 1 ? at - all[i - 1]! : 0),
  );
  assert(longest <= 3 + 20, `${longest} s: ${sender.changes}`);
});

Deno.test("HarmWatch takes a link back when there was just little to send, and tries ever more rarely", () => {
  const sender = new Sender();
  sender.run(100, () => 10e6);
  const out = sender.changes.filter((line) => line.endsWith("out")).map(parseFloat);
  assertEquals(out.length, 4);
  const pauses = out.slice(1).map((at, i) => at - out[i]!);
  for (const [i, pause] of pauses.entries()) assert(pause >= 10 * 2 ** i, `${pauses}`);
});

Deno.test("HarmWatch does not judge while a flow still finds its rate", () => {
  const sender = new Sender();
  sender.run(8, (_, now) => 2e6 * 1.2 ** (now / STEP_US / 2));
  assertEquals(sender.changes, []);
});

Deno.test("HarmWatch acquits a link when the whole has recovered with it", () => {
  const sender = new Sender();
  // Slow for another reason: with the link back there is more than the other could carry.
  sender.run(30, (isOut, now) => now < 3.5 * S ? 20e6 : isOut ? 48e6 : 60e6);
  assertEquals(sender.changes, ["3: out", "6: in"]);
  sender.run(6.5, (isOut) => isOut ? 48e6 : 20e6);
  assertEquals(sender.changes.length, 4, `${sender.changes}`); // a trial, no longer exclusion
});

Deno.test("HarmWatch compares nothing across a pause of the traffic", () => {
  const sender = new Sender();
  sender.run(2.5, () => 20e6);
  sender.now += 5 * S;
  sender.run(2.5, () => 20e6);
  assertEquals(sender.changes, []);
});

Deno.test("HarmWatch never leaves anything out when there is no suspect", () => {
  const watch = new HarmWatch(2);
  for (let now = 0; now < 20 * S; now += STEP_US) {
    watch.deliveredBytes += 100_000;
    watch.update(now, { index: -1, rateBps: 0, othersBps: 0 });
    assertFalse(watch.isOut(now, 0) || watch.isOut(now, 1));
  }
});
