import { assertAlmostEquals, assertEquals } from "@std/assert";
import { arrivalAtUs, type LinkView } from "../../src/scheduler/pick.ts";

const NOW = 1_000_000;
/** 8 Mbit/s: one microsecond a byte. */
const LINK: LinkView = {
  dueAtUs: 0,
  owdUs: 10_000,
  jitterUs: 0,
  rttUs: 20_000,
  loss: 0,
  rateBps: 8_000_000,
};

Deno.test("arrivalAtUs() adds pacing, transmission, delay, jitter and the risk of loss", () => {
  const table: [what: string, change: Partial<LinkView>, bytes: number, arrivesInUs: number][] = [
    ["an idle link", {}, 1500, 11_500],
    ["a small packet", {}, 40, 10_040],
    ["a fast link", { rateBps: 80_000_000 }, 1500, 10_150],
    ["a link that is due later", { dueAtUs: NOW + 700 }, 1500, 12_200],
    ["a link that was due long ago", { dueAtUs: NOW - 700 }, 1500, 11_500],
    ["a link ahead of the others", { owdUs: -3000 }, 1500, -1_500],
    ["jitter counts twice", { jitterUs: 400 }, 1500, 12_300],
    ["a tenth of a round trip for a tenth lost", { loss: 0.1 }, 1500, 13_500],
  ];
  for (const [what, change, bytes, arrivesInUs] of table) {
    const at = arrivalAtUs({ ...LINK, ...change }, NOW, bytes);
    assertAlmostEquals(at, NOW + arrivesInUs, 1e-3, what);
  }
});

Deno.test("arrivalAtUs() prefers the slow near link for small packets, the fast far one for large", () => {
  const near = { ...LINK, rateBps: 1_000_000, owdUs: 5_000 };
  const far = { ...LINK, rateBps: 100_000_000, owdUs: 12_000 };
  const nearFirst = [100, 1500].map((bytes) =>
    arrivalAtUs(near, NOW, bytes) < arrivalAtUs(far, NOW, bytes)
  );
  assertEquals(nearFirst, [true, false]);
});
