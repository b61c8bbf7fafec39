/** Whatever ends a session ends its links, and whoever listens is told so. */

import { assertEquals } from "@std/assert";
import type { Host } from "../pair/host.ts";
import { Pair } from "../pair/pair.ts";
import { udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** What was said of links since event number `from`. */
function linkWords(host: Host, from = 0): string[] {
  return host.events.slice(from).flatMap((event) =>
    event.type === "link" ? [`${event.link} ${event.before}>${event.state}: ${event.reason}`] : []
  );
}

function connected(): Pair {
  const pair = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  pair.run(SECOND);
  return pair;
}

Deno.test("Endpoint tells that every link is down when the peer closes the session", () => {
  for (const closing of ["server", "client"] as const) {
    const pair = connected();
    const other = closing === "server" ? pair.client : pair.server;
    const from = other.events.length;
    pair[closing].close(pair.now);
    pair.run(50_000);
    const names = pair.client.endpoint.status(pair.now).peers[0]!.links.map(({ name }) => name);
    assertEquals(
      linkWords(other, from),
      names.map((name) => `${name} up>down: the peer has closed it`),
    );
    assertEquals(other.eventsOf("session").at(-1), "down");
    const links = other.events.slice(from).filter((event) => event.type === "link");
    assertEquals(links.map(({ withSession }) => withSession), [true, true]);
    pair.finish();
  }
});

Deno.test("Endpoint tells the same of its own end", () => {
  const pair = connected();
  const from = pair.client.events.length;
  pair.client.close(pair.now);
  assertEquals(
    linkWords(pair.client, from).map((words) => words.split(" ").slice(1).join(" ")),
    ["up>down: shutting down", "up>down: shutting down"],
  );
  pair.finish();
});

Deno.test("Endpoint ends the links of a client that has begun anew before they come up again", () => {
  const pair = connected();
  const from = pair.server.events.length;
  pair.client.restart();
  pair.client.turn(pair.now);
  pair.run(SECOND / 2);
  const words = linkWords(pair.server, from);
  assertEquals(words.slice(0, 2).map((text) => text.replace(/^\S+ /, "")), [
    "up>down: the peer has begun anew",
    "up>down: the peer has begun anew",
  ]);
  assertEquals(words.slice(2).map((text) => text.replace(/^\S+ /, "")), [
    "connecting>up: ",
    "connecting>up: ",
  ]);
  pair.finish();
});

Deno.test("Endpoint says how many packets left a dead link again, and by which others", () => {
  const pair = connected();
  const from = pair.client.events.length;
  for (let i = 0; i < 40; i++) pair.client.send(pair.now, udp4(i));
  pair.lines[0]!.cut = true;
  pair.run(SECOND);
  const links = pair.client.events.slice(from).filter((event) => event.type === "link");
  const down = links.find(({ state }) => state === "down")!;
  assertEquals(down.before, "suspect");
  assertEquals(down.others.length, 1);
  assertEquals(down.resentPackets > 0, true, JSON.stringify(links));
  assertEquals(down.resentPackets <= 40, true);
  const status = pair.client.endpoint.status(pair.now).peers[0]!;
  assertEquals(down.resentPackets <= status.resentPackets, true);
  pair.lines[0]!.cut = false;
  pair.run(2 * SECOND);
  const up = pair.client.events.filter((event) => event.type === "link").at(-1)!;
  assertEquals([up.state, up.before], ["up", "down"]);
  assertEquals(up.beforeUs > SECOND / 2, true);
  pair.finish();
});
