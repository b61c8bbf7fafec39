import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { History, HISTORY_LINKS, HISTORY_SAMPLES } from "../../src/http/history.ts";
import { LINK, PEER } from "../control/sample_status.ts";

/** A peer whose links have these numbers and send this much. */
function peer(name: string, ids: readonly number[], sendBps = 1): typeof PEER {
  return { ...PEER, name, links: ids.map((id) => ({ ...LINK, id, name: `l${id}`, sendBps })) };
}

Deno.test("History keeps the last samples of each link, the oldest first", () => {
  const history = new History();
  for (let i = 0; i < HISTORY_SAMPLES + 5; i++) history.add(1000 * i, [peer("a", [0], 10 * i)]);
  const { atMs, links } = history.of("a");
  assertEquals([atMs.length, atMs[0], atMs.at(-1)], [HISTORY_SAMPLES, 5000, 604_000]);
  assertEquals(links.map(({ id, name }) => `${id} ${name}`), ["0 l0"]);
  assertEquals([links[0]!.send.length, links[0]!.send[0], links[0]!.send.at(-1)], [600, 50, 6040]);
  assertEquals([links[0]!.rtt[0], links[0]!.receiveLoss[0]], [21_340, 0.0123]);
  assertEquals(history.of("b"), { atMs, links: [] });
});

Deno.test("History has nothing where a link was not there, and forgets one that has long gone", () => {
  const history = new History();
  history.add(0, [peer("a", [1]), peer("b", [0])]);
  history.add(1, [peer("a", [0, 1])]);
  history.add(2, [peer("a", [0])]);
  const { links } = history.of("a");
  assertEquals(links.map(({ id, send }) => [id, ...send]), [[0, null, 1, 1], [1, 1, 1, null]]);
  for (let i = 3; i < HISTORY_SAMPLES + 2; i++) history.add(i, [peer("a", [0])]);
  assertEquals(history.of("a").links.map(({ id }) => id), [0]);
  assertEquals(history.of("b").links, []);
});

Deno.test("History is bounded, and has room again for others when links go", () => {
  const history = new History();
  const many = Array.from({ length: HISTORY_LINKS + 50 }, (_, id) => id);
  history.add(0, [peer("a", many), peer("b", [0])]);
  assertEquals(history.of("a").links.length, HISTORY_LINKS);
  assertEquals(history.of("b").links, []);
  for (let i = 1; i <= HISTORY_SAMPLES + 1; i++) history.add(i, [peer("b", [0])]);
  assertEquals(history.of("a").links, []);
  assertEquals(history.of("b").links.length, 1);
});

Deno.test("History is what a list of everything would be", () => {
  const ids = fc.uniqueArray(fc.nat(4), { maxLength: 5 });
  fc.assert(fc.property(fc.array(ids, { maxLength: 40 }), (samples) => {
    const history = new History();
    samples.forEach((ids, i) => history.add(i, [peer("a", ids, i)]));
    for (const link of history.of("a").links) {
      assertEquals(link.send, samples.map((ids, i) => ids.includes(link.id) ? i : null));
    }
    assertEquals(history.of("a").links.length, new Set(samples.flat()).size);
  }));
});
