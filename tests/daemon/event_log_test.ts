import { assertEquals } from "@std/assert";
import { EventLog } from "../../src/daemon/event_log.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { linkEvent } from "../link_events.ts";
import { logged } from "../logged.ts";

const DOWN = linkEvent({ state: "down", before: "suspect", reason: "no answer" });

Deno.test("EventLog says what happened, in words", async () => {
  const events: readonly EndpointEvent[] = [
    { type: "session", peer: "home", state: "up", remote: "192.0.2.1:5080" },
    { type: "session", peer: "home", state: "rekeyed" },
    { type: "session", peer: "home", state: "down", reason: "closed by the peer" },
    { type: "server", server: "b.example", reason: "a.example does not answer" },
    linkEvent({ state: "down", reason: "closed by the peer", withSession: true }),
    DOWN,
    { ...DOWN, resentPackets: 37, others: ["fibre", "lte"] },
    { ...DOWN, resentPackets: 1 },
    linkEvent(),
    linkEvent({ state: "suspect", reason: "nothing heard" }),
    linkEvent({ before: "suspect" }),
    { type: "roamed", peer: "home", link: "dsl", remote: "192.0.2.1:5080" },
    { type: "conflict", peer: "home", hosts: "now 192.0.2.7:4000, before 198.51.100.3:5000" },
    { type: "rebind", link: 1 },
    { type: "mtu", peer: "home", mtu: 1426 },
    { type: "handshake-failed", remote: "192.0.2.1:5080", reason: "no answer" },
  ];
  const lines = await logged(() => {
    const log = new EventLog();
    for (const event of events) log.handleEvent(1, event);
  });
  assertEquals(lines, [
    "info Session with home is up, at 192.0.2.1:5080",
    "debug Session with home has new keys",
    "info Session with home is down: closed by the peer",
    "info Server a.example does not answer: using b.example",
    "debug Link dsl of home is down: closed by the peer",
    "info Link dsl of home is down: no answer",
    "info Link dsl of home is down: no answer; 37 packets re-sent on fibre, lte",
    "info Link dsl of home is down: no answer; 1 packet waits for another link",
    "info Link dsl of home is up",
    "debug Link dsl of home is suspect: nothing heard",
    "debug Link dsl of home is up again",
    "info Link dsl of home comes from 192.0.2.1:5080",
    "warning Another host uses the key of home: now 192.0.2.7:4000, before 198.51.100.3:5000",
    "debug Link 1 gets a fresh socket",
    "debug The links of home carry packets of 1426 bytes",
    "warning Handshake with 192.0.2.1:5080 failed: no answer",
  ]);
});

Deno.test("EventLog writes a burst, then a line a second, and counts the rest", async () => {
  const lines = await logged(() => {
    const log = new EventLog();
    for (let ms = 0; ms < 3000; ms++) log.handleEvent(ms * 1000, DOWN);
  });
  assertEquals(lines.filter((line) => line.endsWith("no answer")).length, 32);
  assertEquals(lines.filter((line) => line.endsWith("were not logged")), [
    "info 970 events were not logged",
    "info 999 events were not logged",
  ]);
});
