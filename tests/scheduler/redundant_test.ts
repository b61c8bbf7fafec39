import { assertEquals } from "@std/assert";
import type { Path } from "../../src/links/path.ts";
import { RedundantPolicy } from "../../src/scheduler/redundant.ts";
import { COPIES } from "../../src/scheduler/rules.ts";
import { NOW, pathOf, type Spec, Waiting } from "./links.ts";

function setUp(...specs: readonly Spec[]): { paths: Path[]; policy: RedundantPolicy } {
  const paths = specs.map(pathOf);
  const policy = new RedundantPolicy(paths, new Waiting(1));
  policy.look(NOW);
  return { paths, policy };
}

function leaders({ paths, policy }: ReturnType<typeof setUp>): number[] {
  policy.look(NOW);
  return paths.filter((path) => policy.opensAtUs(NOW, path) <= NOW).map((path) => path.options.id);
}

function copied({ paths, policy }: ReturnType<typeof setUp>): number[] {
  return paths.filter((path) => policy.mayCopy(NOW, path)).map((path) => path.options.id);
}

Deno.test("RedundantPolicy asks for copies of everything", () => {
  const { policy } = setUp({ owdMs: 10 });
  assertEquals(policy.copies(COPIES.off), COPIES.all);
});

Deno.test("RedundantPolicy lets the fastest link set the pace and all others follow", () => {
  const links = setUp({ owdMs: 5, mbps: 8 }, { owdMs: 10, mbps: 50 }, { owdMs: 20, mbps: 20 });
  assertEquals(leaders(links), [1]);
  assertEquals(copied(links), [0, 1, 2]);
});

Deno.test("RedundantPolicy changes the leader for a link that is much faster, or when it fails", () => {
  const links = setUp({ owdMs: 5, mbps: 20 }, { owdMs: 10, mbps: 24 });
  assertEquals(leaders(links), [0]);
  links.paths[0]!.live.handleUnreachable(NOW, "no route");
  assertEquals(leaders(links), [1]);
});

Deno.test("RedundantPolicy spares links whose copies would come too late", () => {
  const links = setUp({ owdMs: 10, mbps: 50 }, { owdMs: 300, mbps: 20 });
  assertEquals(copied(links), [0]);
  assertEquals(
    links.policy.whyUnused(NOW, links.paths[1]!),
    "arrives 290 ms later: copies would be useless",
  );
});

Deno.test("RedundantPolicy spares overflow links and backups while a primary link is up", () => {
  const links = setUp(
    { owdMs: 10 },
    { owdMs: 5, tier: "backup", mbps: 80 },
    { owdMs: 5, tier: "overflow", mbps: 80 },
  );
  assertEquals(leaders(links), [0]);
  assertEquals(copied(links), [0]);
  assertEquals(
    links.policy.whyUnused(NOW, links.paths[1]!),
    "backup: used when no other link is up",
  );
  links.paths[0]!.live.handleUnreachable(NOW, "no route");
  assertEquals(leaders(links), [2]);
});
