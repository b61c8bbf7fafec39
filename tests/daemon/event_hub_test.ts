import { assertEquals } from "@std/assert";
import { EventHub, type TunnelEvent } from "../../src/daemon/event_hub.ts";

const changed = (message: string): { type: "changed"; message: string } => ({
  type: "changed",
  message,
});

const textOf = (event: TunnelEvent): string =>
  event.type === "missed" ? `${event.count} missed` : (event as { message: string }).message;

/** Takes the next `count` events. */
async function take(events: AsyncIterator<TunnelEvent>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { value, done } = await events.next();
    if (done) return [...texts, "the end"];
    texts.push(textOf(value));
  }
  return texts;
}

Deno.test("EventHub tells its listeners until they unsubscribe", () => {
  const hub = new EventHub(() => 17);
  const seen: TunnelEvent[] = [];
  const unsubscribe = hub.subscribe((event) => seen.push(event));
  hub.publish(changed("one"));
  unsubscribe();
  hub.publish(changed("two"));
  assertEquals(seen, [{ type: "changed", message: "one", atMs: 17 }]);
});

Deno.test("EventHub.follow() gives what was, what comes, and an end", async () => {
  const hub = new EventHub();
  for (let i = 0; i < 250; i++) hub.publish(changed(`${i}`));
  const aborter = new AbortController();
  const events = hub.follow(aborter.signal, true);
  assertEquals((await take(events, 200)).at(0), "50");
  hub.publish(changed("new"));
  assertEquals(await take(events, 1), ["new"]);
  const waiting = take(events, 1);
  aborter.abort();
  assertEquals(await waiting, ["the end"]);
});

Deno.test("EventHub.follow() counts what a slow follower misses", async () => {
  const hub = new EventHub();
  const events = hub.follow(new AbortController().signal);
  const first = take(events, 1);
  for (let i = 0; i < 1200; i++) hub.publish(changed(`${i}`));
  assertEquals(await first, ["0"]);
  assertEquals((await take(events, 1000)).at(-1), "200 missed");
});
