import { assert, assertEquals } from "@std/assert";
import type { Path } from "../../src/links/path.ts";
import { SteadyPolicy } from "../../src/scheduler/steady.ts";
import { NOW, pathOf, type Spec, Waiting } from "./links.ts";

const SECOND = 1_000_000;

/** Links, what waits for them, and the policy. */
class Bench {
  readonly paths: readonly Path[];
  readonly waiting: Waiting;
  readonly policy: SteadyPolicy;
  now = NOW;

  constructor(...specs: readonly Spec[]) {
    this.paths = specs.map(pathOf);
    this.waiting = new Waiting(specs.length);
    this.policy = new SteadyPolicy(this.paths, this.waiting);
  }

  /** Packets of a flow come. */
  send(bucket: number, count = 1): void {
    for (let i = 0; i < count; i++) {
      this.policy.look(this.now);
      this.policy.place(this.now, bucket, 1000);
      this.waiting.push(this.now, bucket);
    }
  }

  /** Which links may take something now. */
  open(): number[] {
    return this.paths.filter((path) => this.policy.opensAtUs(this.now, path) <= this.now)
      .map((path) => path.options.id);
  }

  /** A link takes everything that waits for it. */
  drain(link: number): void {
    const { queue, pool } = this.waiting;
    for (;;) {
      const slot = queue.shift(this.now, false, link);
      if (slot < 0) return;
      pool.release(slot);
    }
  }

  urgent(): number {
    this.policy.look(this.now);
    const at = this.paths.map((path) => this.policy.urgentArrivalAtUs(this.now, path));
    return at.indexOf(Math.min(...at));
  }
}

Deno.test("SteadyPolicy lets a flow begin on the nearest link, and only that one serve it", () => {
  const bench = new Bench({ owdMs: 20 }, { owdMs: 10 });
  bench.send(7);
  assertEquals(bench.open(), [1]);
});

Deno.test("SteadyPolicy gives the next flow the other link when the nearest has a queue", () => {
  const bench = new Bench({ owdMs: 10 }, { owdMs: 12 });
  bench.send(1, 20);
  bench.send(2, 20);
  assertEquals(bench.open(), [0, 1]);
  assertEquals([bench.waiting.queue.bytesOf(0), bench.waiting.queue.bytesOf(1)], [20_000, 20_000]);
});

Deno.test("SteadyPolicy leaves a flow where it fits, also when another link is free", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 12, mbps: 80 });
  for (let i = 0; i < 40; i++) {
    bench.send(1);
    assertEquals(bench.open(), [0]);
    bench.drain(0);
    bench.now += 100_000;
  }
});

Deno.test("SteadyPolicy moves a flow that does not fit to a link with more room, after a while", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 12, mbps: 80 });
  bench.send(1, 30);
  bench.now += SECOND / 2;
  bench.send(1);
  assertEquals(bench.open(), [0], "its sender still finds its rate");
  bench.now += SECOND / 2;
  bench.send(1);
  assertEquals(bench.open(), [1]);
  assertEquals(bench.waiting.queue.bytesOf(1), 32_000, "what waited has moved along");
});

Deno.test("SteadyPolicy does not move a flow to a link where it would be later", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 300, mbps: 80 });
  bench.send(1, 30);
  for (let i = 0; i < 5; i++) {
    bench.now += SECOND / 2;
    bench.send(1);
    assertEquals(bench.open(), [0]);
  }
});

Deno.test("SteadyPolicy does not move a flow to a link that others fill", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 10, mbps: 10 });
  bench.send(1, 30);
  bench.send(2, 30);
  bench.now += SECOND - 1;
  bench.send(2);
  bench.now += 1;
  bench.send(1);
  assertEquals(bench.open(), [0, 1]);
});

Deno.test("SteadyPolicy takes flows off a link that has failed", () => {
  const bench = new Bench({ owdMs: 10 }, { owdMs: 20 });
  bench.send(1, 5);
  bench.send(2, 5);
  bench.paths[0]!.live.handleUnreachable(bench.now, "no route");
  bench.policy.look(bench.now);
  assertEquals(bench.open(), [1]);
  assertEquals(bench.waiting.queue.bytesOf(1), 10_000);
});

Deno.test("SteadyPolicy keeps what waits when every link has failed, for the first that returns", () => {
  const bench = new Bench({ owdMs: 10 }, { owdMs: 20 });
  bench.send(1, 5);
  for (const path of bench.paths) path.live.handleUnreachable(bench.now, "no route");
  bench.policy.look(bench.now);
  bench.send(1);
  assertEquals(bench.open(), []);
  const returning = bench.paths[1]!;
  while (returning.live.state !== "up") {
    bench.now += SECOND / 10;
    returning.handleProbeAck(bench.now, returning.nextProbe(bench.now));
  }
  bench.policy.look(bench.now);
  assertEquals(bench.open(), [1]);
});

Deno.test("SteadyPolicy lets a flow that paused begin again on the nearest link", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 12, mbps: 80 });
  bench.send(1, 30);
  bench.now += SECOND;
  bench.send(1);
  assertEquals(bench.open(), [1]);
  bench.drain(1);
  bench.now += SECOND;
  bench.send(1);
  assertEquals(bench.open(), [0]);
});

Deno.test("SteadyPolicy uses overflow links for what is full, and backups when nothing is up", () => {
  const backup = { owdMs: 5, tier: "backup" } as const;
  const overflow = { owdMs: 5, tier: "overflow", mbps: 80 } as const;
  const bench = new Bench({ owdMs: 10 }, backup, overflow);
  bench.send(1, 30);
  assertEquals(bench.open(), [0]);
  bench.now += SECOND - 1;
  bench.send(1);
  bench.now += 1;
  bench.send(1);
  assertEquals(bench.open(), [2]);
  for (const link of [0, 2]) bench.paths[link]!.live.handleUnreachable(bench.now, "no route");
  bench.policy.look(bench.now);
  assertEquals(bench.open(), [1]);
  assertEquals(bench.urgent(), 1);
});

Deno.test("SteadyPolicy sends what is urgent on the nearest link, whatever its pacer says", () => {
  const bench = new Bench({ owdMs: 10, mbps: 8 }, { owdMs: 11, mbps: 8 });
  assertEquals(bench.urgent(), 0);
  bench.paths[0]!.pacer.charge(bench.now, 3000);
  assertEquals(bench.urgent(), 0);
  bench.paths[0]!.owdWire = 13_000;
  assertEquals(bench.urgent(), 0, "2 ms are no reason to change");
  bench.paths[0]!.owdWire = 20_000;
  assertEquals(bench.urgent(), 1);
  assert(bench.policy.mayCopy(bench.now, bench.paths[0]!));
});

Deno.test("SteadyPolicy does not count a flow that needs nothing of a link", () => {
  const bench = new Bench({ owdMs: 12, mbps: 8 }, { owdMs: 10, mbps: 8 });
  const { queue, pool } = bench.waiting;
  bench.send(1, 20);
  bench.send(3);
  pool.release(queue.shift(bench.now, false, 0));
  assertEquals([queue.flowsOf(0), queue.hasFlowsOf(0)], [1, false]);
  bench.drain(1);
  for (let step = 0; step < 12; step++) {
    bench.send(2, 2);
    bench.send(1, 2);
    bench.now += SECOND / 10;
  }
  assertEquals([queue.flowsOf(0), queue.flowsOf(1)], [2, 1]);
});
