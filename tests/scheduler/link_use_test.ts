import { assertEquals } from "@std/assert";
import { Path, type PathOptions } from "../../src/links/path.ts";
import { FlowQueue } from "../../src/queue/flow_queue.ts";
import { remoteOf } from "../../src/remote.ts";
import { HarmWatch } from "../../src/scheduler/harm_watch.ts";
import { LinkUse } from "../../src/scheduler/link_use.ts";
import { PacketPool } from "../../src/slab.ts";

const MS = 1000;
const NOW = 1_000_000;
const REMOTE = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);

interface Spec {
  /** One-way delay. */
  readonly owdMs: number;
  readonly tier?: PathOptions["tier"];
  /** Found to make the whole slower. */
  readonly out?: true;
  readonly down?: true;
}

function path({ owdMs, tier = "primary", down }: Spec, id: number): Path {
  const options = { id, name: `l${id}`, tier, metered: false, capBps: 8e6, timeoutUs: 750_000 };
  const path = new Path(options, 0, id, REMOTE);
  path.handleProbeAck(2 * owdMs * MS, path.nextProbe(0));
  path.owdWire = owdMs * MS;
  if (down) path.live.handleUnreachable(NOW, "no route");
  return path;
}

/** What may be used at once ("yes"), when the queue is late ("late"), or not at all ("no"). */
function uses(...specs: readonly Spec[]): string[] {
  const paths = specs.map(path);
  const pool = new PacketPool(4);
  const queue = new FlowQueue(pool, 4, () => {}, () => false);
  const lane = { queue, usable: (it: Path): boolean => it.live.state === "up" };
  const harm = new HarmWatch(paths.length);
  harm.isOut = (_now, index): boolean => specs[index]?.out === true;
  const use = new LinkUse(paths, lane, harm);
  pool.lengths[0] = 1000;
  queue.push(NOW, 0, 0);
  use.look(NOW);
  return paths.filter(({ live }) => live.state === "up").map((it) => {
    const at = use.opensAt(NOW, it);
    return at === Infinity ? "no" : at <= NOW ? "yes" : "late";
  });
}

Deno.test("LinkUse lets near links at once and distant ones when the queue is late", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 12 }, { owdMs: 30 }), ["yes", "yes", "late"]);
});

Deno.test("LinkUse leaves a link out that did harm while another works", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 20, out: true }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, { owdMs: 20, out: true }), ["yes"]);
});

Deno.test("LinkUse never leaves everything out: two did harm and the third dies", () => {
  const two: Spec[] = [{ owdMs: 20, out: true }, { owdMs: 22, out: true }];
  assertEquals(uses(...two, { owdMs: 10 }), ["no", "no", "yes"]);
  assertEquals(uses(...two, { owdMs: 10, down: true }), ["yes", "yes"]);
  assertEquals(uses(...two, { owdMs: 10, tier: "backup" }), ["yes", "yes", "no"]);
});

Deno.test("LinkUse does not measure the only link in use by one that is left out", () => {
  assertEquals(uses({ owdMs: 10, out: true }, { owdMs: 40 }), ["no", "yes"]);
  assertEquals(uses({ owdMs: 10, out: true }, { owdMs: 300 }), ["no", "yes"]);
});

Deno.test("LinkUse leaves out what comes too late beside others, whichever tier is the late one", () => {
  assertEquals(uses({ owdMs: 10 }, { owdMs: 200 }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 200 }), ["yes"]);
  assertEquals(uses({ owdMs: 300 }, { owdMs: 20, tier: "overflow" }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 20 }, { owdMs: 300, tier: "overflow" }), ["yes", "no"]);
  assertEquals(uses({ owdMs: 300, down: true }, { owdMs: 20, tier: "overflow" }), ["yes"]);
});

Deno.test("LinkUse uses overflow links when the queue is late, backups when nothing else is up", () => {
  const rest: Spec[] = [{ owdMs: 10, tier: "overflow" }, { owdMs: 10, tier: "backup" }];
  assertEquals(uses({ owdMs: 10 }, ...rest), ["yes", "late", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, ...rest), ["yes", "no"]);
  assertEquals(uses({ owdMs: 10, down: true }, { owdMs: 9, down: true }, rest[1]!), ["yes"]);
});
