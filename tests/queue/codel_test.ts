import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { Codel, INTERVAL_US, TARGET_US } from "../../src/queue/codel.ts";

interface Packet {
  readonly id: number;
  readonly at: number;
}

/**
 * CoDel as in RFC 8289 section 5, over one queue. It differs, like the code, in three points: the
 * last packet of a queue is never late (the RFC: the last MTU's worth of bytes), `dropNext` moves
 * with the drop instead of after a look at the packet behind, and the next drop is postponed while
 * the queue gets shorter.
 */
class Rfc8289 {
  readonly queue: Packet[] = [];
  readonly dropped: number[] = [];
  #firstAbove = 0;
  #dropNext = 0;
  #count = 0;
  #lastCount = 0;
  #dropping = false;
  #sojournAtDrop = 0;

  dequeue(now: number): number | undefined {
    let head = this.#doDequeue(now);
    if (this.#dropping) {
      if (!head.okToDrop) this.#dropping = false;
      while (now >= this.#dropNext && this.#dropping) {
        const sojournUs = now - head.packet!.at;
        const answered = sojournUs < 0.85 * this.#sojournAtDrop;
        this.#sojournAtDrop = sojournUs;
        if (answered) {
          this.#dropNext = now + INTERVAL_US;
          break;
        }
        this.dropped.push(head.packet!.id);
        this.#count++;
        this.#dropNext = this.#controlLaw(this.#dropNext, this.#count);
        head = this.#doDequeue(now);
        if (!head.okToDrop) this.#dropping = false;
      }
    } else if (head.okToDrop) {
      this.dropped.push(head.packet!.id);
      this.#sojournAtDrop = now - head.packet!.at;
      head = this.#doDequeue(now);
      this.#dropping = true;
      const delta = this.#count - this.#lastCount;
      this.#count = 1;
      if (delta > 1 && now - this.#dropNext < 16 * INTERVAL_US) this.#count = delta;
      this.#dropNext = this.#controlLaw(now, this.#count);
      this.#lastCount = this.#count;
    }
    return head.packet?.id;
  }

  #controlLaw(t: number, count: number): number {
    return t + INTERVAL_US / Math.sqrt(count);
  }

  #doDequeue(now: number): { packet: Packet | undefined; okToDrop: boolean } {
    const packet = this.queue.shift();
    if (!packet) {
      this.#firstAbove = 0;
      return { packet, okToDrop: false };
    }
    if (now - packet.at < TARGET_US || this.queue.length === 0) {
      this.#firstAbove = 0;
      return { packet, okToDrop: false };
    }
    if (this.#firstAbove === 0) {
      this.#firstAbove = now + INTERVAL_US;
      return { packet, okToDrop: false };
    }
    return { packet, okToDrop: now >= this.#firstAbove };
  }
}

/** The same queue under {@linkcode Codel}, used as `FlowQueue` uses it. */
class Judged {
  readonly queue: Packet[] = [];
  readonly dropped: number[] = [];

  constructor(readonly codel: Codel, readonly number: number) {}

  dequeue(now: number): number | undefined {
    for (;;) {
      const head = this.queue.shift();
      if (!head) return undefined;
      const last = this.queue.length === 0;
      if (this.codel.judge(this.number, now, now - head.at, last) === "pass") return head.id;
      this.dropped.push(head.id);
    }
  }
}

/** A link that takes a packet each `serviceUs`; `arrivals` of them come in a step of `stepUs`. */
interface Phase {
  readonly steps: number;
  readonly arrivals: number;
  readonly stepUs: number;
}

Deno.test("Codel.judge() passes and drops as the pseudocode of RFC 8289 section 5", () => {
  const phase: fc.Arbitrary<Phase> = fc.record({
    steps: fc.integer({ min: 1, max: 150 }),
    arrivals: fc.nat(3),
    stepUs: fc.integer({ min: 500, max: 12_000 }),
  });
  let drops = 0;
  const phases = fc.array(phase, { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(phases, fc.array(fc.nat(400_000), { maxLength: 12 }), (plan, pauses) => {
    const reference = new Rfc8289();
    const judged = new Judged(new Codel(3), 1);
    let now = 1;
    let id = 0;
    plan.forEach(({ steps, arrivals, stepUs }, i) => {
      for (let step = 0; step < steps; step++) {
        now += stepUs;
        for (let n = 0; n < arrivals; n++) {
          const packet = { id: id++, at: now };
          reference.queue.push(packet);
          judged.queue.push(packet);
        }
        assertEquals(judged.dequeue(now), reference.dequeue(now));
      }
      now += (pauses[i] ?? 0) * 5; // up to 2 s: past the 16 intervals of memory
    });
    assertEquals(judged.dropped, reference.dropped);
    drops += judged.dropped.length;
  }));
  assertGreater(drops, 100, "the plans are too tame to tell anything");
});

/** Instants at which an always late queue loses a packet, at one packet per millisecond. */
function dropTimes(codel: Codel, from: number, count: number): number[] {
  const times: number[] = [];
  for (let now = from; times.length < count; now += 1000) {
    if (codel.judge(0, now, TARGET_US, false) === "drop") times.push((now - from) / 1000);
  }
  return times;
}

Deno.test("Codel.judge() drops after an interval, then at the pace of 1/sqrt(n)", () => {
  // 100, +100/sqrt(1), +100/sqrt(2), ... each rounded up to the next packet
  assertEquals(dropTimes(new Codel(1), 1000, 6), [100, 200, 271, 329, 379, 424]);
});

Deno.test("Codel.judge() resumes near its last pace when the queue is late again soon", () => {
  const codel = new Codel(1);
  dropTimes(codel, 1000, 10);
  assertEquals(codel.judge(0, 800_000, TARGET_US - 1, false), "pass");
  // the next interval begins here; the pace is that of the 9th drop: 100/sqrt(9), 100/sqrt(10)
  assertEquals(dropTimes(codel, 801_000, 3), [100, 134, 165]);
});

Deno.test("Codel.judge() starts from the beginning when the queue was good for 16 intervals", () => {
  const codel = new Codel(1);
  dropTimes(codel, 1000, 10);
  codel.judge(0, 800_000, 0, false);
  assertEquals(dropTimes(codel, 801_000 + 16 * INTERVAL_US, 3), [100, 200, 271]);
});

Deno.test("Codel.judge() never drops the last packet, nor what waited less than the target", () => {
  const codel = new Codel(1);
  for (let now = 0; now < 2_000_000; now += 1000) {
    assertEquals(codel.judge(0, now, 1_000_000, true), "pass");
    assertEquals(codel.judge(0, now, TARGET_US - 1, false), "pass");
  }
});

Deno.test("Codel.excuse() lets a whole interval pass before the next drop", () => {
  const codel = new Codel(1);
  assertEquals(codel.judge(0, 1000, TARGET_US, false), "pass");
  codel.excuse(0);
  assertEquals(dropTimes(codel, 5_000_000, 2), [100, 200]);
  codel.excuse(0); // also when it was dropping
  assertEquals(dropTimes(codel, 10_000_000, 2), [100, 200]);
});

Deno.test("Codel.judge() keeps queues apart", () => {
  const codel = new Codel(2);
  assertEquals(dropTimes(codel, 1000, 3), [100, 200, 271]);
  assertEquals(codel.judge(1, 500_000, TARGET_US, false), "pass");
  assert(INTERVAL_US > TARGET_US);
});

Deno.test("Codel takes another target and another distance of drops", () => {
  const codel = new Codel(1);
  codel.targetUs = 40_000;
  codel.spacingUs = 200_000;
  const drops: number[] = [];
  for (let now = 1000; now < 600_000; now += 1000) {
    if (codel.judge(0, now, 39_000, false) === "drop") drops.push(now);
  }
  assertEquals(drops, []);
  for (let now = 600_000; now < 1_050_000; now += 1000) {
    if (codel.judge(0, now, 41_000, false) === "drop") drops.push(now);
  }
  // The first after an interval, the second after the distance, then closer by roots.
  assertEquals(drops, [700_000, 900_000, 1_042_000]);
});

Deno.test("Codel does not drop again while the queue gets shorter", () => {
  const drops = (sojournUs: (now: number) => number): number => {
    const codel = new Codel(1);
    let count = 0;
    for (let now = 1000; now < 430_000; now += 1000) {
      if (codel.judge(0, now, sojournUs(now), false) === "drop") count++;
    }
    return count;
  };
  assertEquals(drops((now) => 80_000 - 0.15 * now), 1);
  assertEquals(drops(() => 80_000), 6);
});

Deno.test("Codel.noteMarked() lets the sender's answer pass through the queue before the next mark", () => {
  const codel = new Codel(1);
  codel.spacingUs = 80_000;
  const marks: number[] = [];
  for (let ms = 0; ms < 1_000; ms++) {
    if (codel.judge(0, ms * 1000, 30_000, false) === "pass") continue;
    marks.push(ms);
    codel.noteMarked(0, ms * 1000, 30_000);
  }
  assertEquals(marks, [100, 210, 320, 430, 540, 650, 760, 870, 980]);
});
