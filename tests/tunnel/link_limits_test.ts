import { assertEquals, assertFalse } from "@std/assert";
import { LinkLimits, type Quality } from "../../src/tunnel/link_limits.ts";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { Pair } from "../pair/pair.ts";

const S = 1_000_000;
const MS = 1000;

/** "at second: reason" of each change while the quality is as `quality` says, second by second. */
function course(
  limits: LinkLimits,
  seconds: number,
  quality: (second: number) => Quality,
): string[] {
  const changes: string[] = [];
  for (let second = 0; second < seconds; second++) {
    if (limits.update(second * S, quality(second))) {
      changes.push(`${second}: ${limits.reason ?? ""}`);
    }
  }
  return changes;
}

Deno.test("LinkLimits without limits says nothing", () => {
  const limits = new LinkLimits({});
  assertFalse(limits.limited);
  assertEquals(course(limits, 10, (n) => ({ minRttUs: 9 * S, loss: 1, datagrams: n * 1000 })), []);
});

Deno.test("LinkLimits puts a slow link aside until it is clearly faster", () => {
  const rttMs = [90, 101, 99, 91, 90, 95, 101];
  const changes = course(
    new LinkLimits({ maxLatencyUs: 100 * MS }),
    rttMs.length,
    (n) => ({ minRttUs: rttMs[n]! * MS, loss: 0, datagrams: 0 }),
  );
  const reason = "backup: its round trip is above max_latency, 100 ms";
  assertEquals(changes, [`1: ${reason}`, "4: ", `6: ${reason}`]);
});

Deno.test("LinkLimits puts a lossy link aside for half a minute, then for a whole one", () => {
  // Lossy whenever it is used; while it is not used there is little to judge it by.
  const limits = new LinkLimits({ maxLoss: 0.05 });
  let datagrams = 0;
  const changes = course(limits, 140, () => {
    datagrams += limits.reason === undefined ? 1000 : 3;
    return { minRttUs: 0, loss: 0.06, datagrams };
  });
  const reason = "backup: it lost more than max_loss, 5 %";
  assertEquals(changes, [`0: ${reason}`, "30: ", `31: ${reason}`, "91: ", `92: ${reason}`]);
});

Deno.test("LinkLimits does not judge a link that carries next to nothing by its loss", () => {
  const limits = new LinkLimits({ maxLoss: 0.05 });
  assertEquals(course(limits, 20, (n) => ({ minRttUs: 0, loss: 0.5, datagrams: n * 20 })), []);
});

Deno.test("Endpoint makes a link above max_latency a backup at both ends, with the reason", () => {
  const link = (id: number): Partial<ClientLink> => id === 1 ? { maxLatencyUs: 50 * MS } : {};
  const pair = new Pair([{ delaysUs: [10_000, 40_000], link }]).connect();
  pair.run(5 * S);
  const tiers = (): string[] =>
    [pair.client, pair.server].map(({ endpoint }) =>
      endpoint.status(pair.now).peers[0]!.links[1]!.tier
    );
  assertEquals(tiers(), ["backup", "backup"]);
  const { reason } = pair.client.endpoint.status(pair.now).peers[0]!.links[1]!;
  assertEquals(reason, "backup: its round trip is above max_latency, 50 ms");
  pair.lines[1]!.delayUs = 15_000;
  pair.run(25 * S);
  assertEquals(tiers(), ["primary", "primary"]);
  pair.finish();
});
