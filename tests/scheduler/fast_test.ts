import { assertEquals } from "@std/assert";
import { FastPolicy } from "../../src/scheduler/fast.ts";
import { HarmWatch } from "../../src/scheduler/harm_watch.ts";
import { NOW, pathOf, type Spec as LinkSpec, Waiting } from "./links.ts";

interface Spec extends LinkSpec {
  /** Convicted of slowing down the tunnel. */
  readonly out?: true;
}

/** What may be used at once ("yes"), when the queue is late ("late"), or not at all ("no"). */
function uses(...specs: readonly Spec[]): string[] {
  const paths = specs.map(pathOf);
  const waiting = new Waiting(1);
  const harm = new HarmWatch(paths.length);
  harm.isOut = (_now, index): boolean => specs[index]?.out === true;
  const use = new FastPolicy(paths, waiting, harm);
  waiting.push(NOW, 0);
  use.look(NOW);
  return paths.filter(({ live }) => live.state === "up").map((it) => {
    const at = use.opensAtUs(NOW, it);
    return at === Infinity ? "no" : at <= NOW ? "yes" : "late";
  });
}

Deno.test("FastPolicy opens near links at once and distant ones when the queue is late", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 12 }, { owdMs: 30 }), ["yes", "yes", "late"]);
});

Deno.test("FastPolicy opens a distant link the later the more distant it is", () => {
  const opensAfterMs = (...specs: readonly Spec[]): number => {
    const paths = specs.map(pathOf);
    const waiting = new Waiting(1);
    const use = new FastPolicy(paths, waiting);
    waiting.push(NOW, 0);
    use.look(NOW);
    return (use.opensAtUs(NOW, paths[1]!) - NOW) / 1000;
  };
  assertEquals(opensAfterMs({ owdMs: 10 }, { owdMs: 20 }), 1);
  assertEquals(opensAfterMs({ owdMs: 10 }, { owdMs: 55 }), 3);
  assertEquals(opensAfterMs({ owdMs: 10 }, { owdMs: 110 }), 4);
  assertEquals(opensAfterMs({ owdMs: 10 }, { owdMs: 20, varies: true }), 4);
});

Deno.test("FastPolicy leaves out a link that did harm while another works", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 20, out: true }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, { owdMs: 20, out: true }), ["yes"]);
});

Deno.test("FastPolicy never leaves everything out: two did harm and the third dies", () => {
  const two: Spec[] = [{ owdMs: 20, out: true }, { owdMs: 22, out: true }];
  assertEquals(uses(...two, { owdMs: 10 }), ["no", "no", "yes"]);
  assertEquals(uses(...two, { owdMs: 10, down: true }), ["yes", "yes"]);
  assertEquals(uses(...two, { owdMs: 10, tier: "backup" }), ["yes", "yes", "no"]);
});

Deno.test("FastPolicy does not measure the only link in use by one that is left out", () => {
  assertEquals(uses({ owdMs: 10, out: true }, { owdMs: 40 }), ["no", "yes"]);
  assertEquals(uses({ owdMs: 10, out: true }, { owdMs: 300 }), ["no", "yes"]);
});

/** The link that is suspected of harm after it has sent bulk; undefined for none. */
function suspect(...specs: readonly Spec[]): number | undefined {
  const paths = specs.map(pathOf);
  const harm = new HarmWatch(paths.length);
  let found: number | undefined;
  harm.update = (_now, { index }): void => {
    found = index < 0 ? undefined : index;
  };
  const use = new FastPolicy(paths, new Waiting(1), harm);
  for (const path of paths) use.noteSent(path, 1000);
  use.look(NOW);
  return found;
}

Deno.test("FastPolicy suspects the most distant link, one that varies only if it has little to give", () => {
  assertEquals(suspect({ owdMs: 10 }, { owdMs: 30 }), 1);
  assertEquals(suspect({ owdMs: 10 }, { owdMs: 30, varies: true }), undefined);
  const near: Spec = { owdMs: 10, mbps: 300 };
  assertEquals(suspect(near, { owdMs: 30, mbps: 30, varies: true }), 1);
  assertEquals(
    suspect({ ...near, varies: true }, { owdMs: 30, mbps: 30, varies: true }),
    undefined,
  );
});

Deno.test("FastPolicy leaves out what comes too late beside others, whichever tier is the late one", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 200 }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 200 }), ["yes"]);
  assertEquals(uses({ owdMs: 300 }, { owdMs: 20, tier: "overflow" }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 20 }, { owdMs: 300, tier: "overflow" }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 300, down: true }, { owdMs: 20, tier: "overflow" }), ["yes"]);
});

Deno.test("FastPolicy waits longer for a link beside one that varies, and says nothing else", () => {
  const near: Spec = { owdMs: 10, varies: true };
  assertEquals(uses(near, { owdMs: 300 }), ["yes", "late"]);
  assertEquals(uses(near, { owdMs: 500 }), ["yes", "no"]);
  const why = (...specs: readonly Spec[]): string | undefined => {
    const paths = specs.map(pathOf);
    return new FastPolicy(paths, new Waiting(1)).whyUnused(NOW, paths[1]!);
  };
  assertEquals(
    why(near, { owdMs: 300 }),
    "arrives 290 ms later: bulk uses it when nearer links are full",
  );
  assertEquals(
    why({ owdMs: 10 }, { owdMs: 300 }),
    "arrives 290 ms later: too late to be put back in order",
  );
});

Deno.test("FastPolicy uses overflow links when the queue is late, backups when nothing else is up", () => {
  const rest: Spec[] = [{ owdMs: 10, tier: "overflow" }, { owdMs: 10, tier: "backup" }];
  assertEquals(uses({ owdMs: 10 }, ...rest), ["yes", "late", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, ...rest), ["yes", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, { owdMs: 9, down: true }, rest[1]!), ["yes"]);
});
