import { assertEquals } from "@std/assert";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { happenings } from "../../src/daemon/happenings.ts";

Deno.test("happenings() says in words what people want to know, and nothing else", async () => {
  const hub = new EventHub(() => 17);
  hub.publish({ type: "session", peer: "server", state: "rekeyed" });
  hub.publish({ type: "rebind", link: 1 });
  hub.publish({ type: "changed", message: "link lte is off" });
  const aborter = new AbortController();
  const events = happenings(hub, false, aborter.signal);
  assertEquals((await events.next()).value, { atMs: 17, words: "link lte is off" });
  const next = events.next();
  hub.publish({ type: "session", peer: "server", state: "down", reason: "it has closed it" });
  assertEquals((await next).value, {
    atMs: 17,
    words: "session with server down: it has closed it",
  });
  aborter.abort();
  assertEquals((await events.next()).done, true);
});
