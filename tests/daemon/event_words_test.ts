import { assertEquals } from "@std/assert";
import { eventWords } from "../../src/daemon/event_words.ts";
import type { DaemonEvent } from "../../src/daemon/event_hub.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { linkEvent } from "../link_events.ts";

const SUSPECT = linkEvent({
  link: "lte",
  state: "suspect",
  before: "up",
  reason: "nothing heard for 148 ms",
  resentPackets: 37,
  others: ["fibre"],
});

Deno.test("eventWords() says what happened, and why", () => {
  const session = { type: "session", peer: "home" } as const;
  const quota = { type: "quota", link: "lte", percent: 75, usedBytes: 3, quotaBytes: 4 } as const;
  const cases: readonly (readonly [EndpointEvent | DaemonEvent, string])[] = [
    [
      { ...session, state: "up", remote: "192.0.2.1:5080" },
      "session with home up at 192.0.2.1:5080",
    ],
    [{ ...session, state: "rekeyed" }, "session with home has new keys"],
    [
      { ...session, state: "down", reason: "its keys have expired" },
      "session with home down: " +
      "its keys have expired",
    ],
    [SUSPECT, "link lte suspect: nothing heard for 148 ms; 37 packets re-sent on fibre"],
    [linkEvent(), "link dsl up"],
    [linkEvent({ before: "suspect", beforeUs: 84_000 }), "link dsl up again after 84 ms"],
    [linkEvent({ before: "down", beforeUs: 2.24e6 }), "link dsl up after 2.2 s"],
    [linkEvent({ before: "down", beforeUs: 42e6 }), "link dsl up after 42 s"],
    [linkEvent({ before: "down", beforeUs: 600e6 }), "link dsl up after 10 min"],
    [
      { type: "server", server: "b.example", reason: "a.example does not answer" },
      "server b.example is used: a.example does not answer",
    ],
    [
      { type: "roamed", peer: "home", link: "dsl", remote: "192.0.2.1:1" },
      "link dsl comes from " +
      "192.0.2.1:1",
    ],
    [
      { type: "conflict", peer: "home", hosts: "now X, before Y" },
      "another host uses the key of " +
      "home: now X, before Y",
    ],
    [{ type: "rebind", link: 1 }, "link number 1 gets a fresh socket"],
    [{ type: "mtu", peer: "home", mtu: 1426 }, "links of home carry packets of 1426 bytes"],
    [
      { type: "handshake-failed", remote: "192.0.2.1:1", reason: "no answer" },
      "handshake with " +
      "192.0.2.1:1 failed: no answer",
    ],
    [{ ...quota, reason: "it has a quota again" }, "link lte: it has a quota again"],
    [{ type: "changed", message: "link lte is off: by hand" }, "link lte is off: by hand"],
    [{ type: "missed", count: 3 }, "3 events were left out here: too many at once"],
  ];
  for (const [event, words] of cases) {
    assertEquals(eventWords(event, false), words);
  }
});

Deno.test("eventWords() names the client of a link at a server", () => {
  assertEquals(eventWords(linkEvent({ peer: "c1" }), true), "link dsl of c1 up");
});
