/** Needs permission to listen on loopback. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../../lab/require.ts";
import { AggvpnError } from "../../src/errors.ts";
import { MAX_FOLLOWERS } from "../../src/http/dashboard.ts";
import type { LiveSample } from "../../src/http/live.ts";
import type { PeerHistory } from "../../src/http/history.ts";
import type { Page } from "../../src/http/page.ts";
import { gzip } from "../../tools/build/selfextract.ts";
import type { PeerStatus } from "../../src/tunnel/options.ts";
import { LINK, PEER, statusOf } from "../control/sample_status.ts";
import { serveDashboard, TOKEN } from "./dashboard_fixture.ts";
import { LiveReader } from "./live_reader.ts";
import { type Reply, requestText, talk } from "./talk.ts";

const LONG = 20_000;
const DOCUMENT = "<!doctype html><title>aggvpn</title>";
const PAGE: Page = {
  document: (await gzip(new TextEncoder().encode(DOCUMENT))).toBase64(),
  script: "sha256-a",
  style: "sha256-b",
};
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

function ask(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>> = AUTHORIZED,
  method?: string,
): Promise<Reply> {
  return talk(port, requestText(target, headers, method));
}

Deno.test("the dashboard gives its page to everybody, with a policy that lets it do next to nothing", async () => {
  using dashboard = serveDashboard(statusOf(), PAGE);
  const { status, headers, body } = await ask(dashboard.port, "/", {});
  assertEquals([status, body], [200, DOCUMENT]);
  const policy = headers.get("content-security-policy")!.split("; ");
  for (
    const rule of [
      "default-src 'none'",
      "script-src 'sha256-a'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ]
  ) assert(policy.includes(rule), rule);
  assert(!policy.join().includes("unsafe"));
  const compressed = await ask(dashboard.port, "/", { "accept-encoding": "gzip, br" }, "HEAD");
  assertEquals(compressed.headers.get("content-encoding"), "gzip");
  assertEquals((await ask(dashboard.port, "/", {}, "POST")).status, 405);
  assertEquals((await ask(dashboard.port, "/favicon.ico", {})).status, 404);
});

Deno.test("the dashboard tells nothing without the token, or to a page of another site", async () => {
  using dashboard = serveDashboard(statusOf(), PAGE, () => Promise.resolve("switched"));
  const { port } = dashboard;
  const statusFor = async (
    target: string,
    headers: Record<string, string>,
    method = "GET",
  ): Promise<number> => (await ask(port, target, headers, method)).status;
  for (const [target, method] of [["/api/live", "GET"], ["/api/link?link=dsl&to=off", "POST"]]) {
    assertEquals(await statusFor(target!, {}, method), 401);
    assertEquals(await statusFor(target!, { authorization: "Bearer guess" }, method), 401);
    assertEquals(await statusFor(target!, { cookie: `token=${TOKEN}` }, method), 401);
    const evil = { ...AUTHORIZED, host: "evil.example" };
    assertEquals(await statusFor(target!, evil, method), 421);
    const origin = { ...AUTHORIZED, origin: "http://evil.example" };
    assertEquals(await statusFor(target!, origin, method), 403);
  }
  assertEquals(await statusFor(`/api/live?token=${TOKEN}`, {}), 401);
  assertEquals(await statusFor("/", { host: "evil.example" }), 421);
  assertEquals(await statusFor("/api/other", AUTHORIZED), 404);
});

Deno.test("the dashboard's page gets the history, then what is now, each second and each event", async () => {
  const links = [LINK, { ...LINK, name: "lte", id: 1, state: "down", sendBps: 0 } as const];
  using dashboard = serveDashboard(statusOf([{ ...PEER, links }]));
  dashboard.events.publish({ type: "changed", message: "before" });
  dashboard.tick();
  dashboard.tick();
  using reader = await LiveReader.open(dashboard.port, TOKEN);
  const history = (await reader.next())!;
  assertEquals(history.name, "history");
  const { atMs, links: kept } = history.data as PeerHistory;
  assertEquals([atMs.length, kept.map(({ name }) => name)], [2, ["dsl", "lte"]]);
  const first = (await reader.next())!;
  assertEquals(first.name, "sample");
  const { peer, peers, mayControl, name } = first.data as LiveSample;
  assertEquals([peer, name, mayControl], ["server", "home", false]);
  assertEquals(peers.map(({ linksUp, links, sendBps }) => [linksUp, links, sendBps]), [
    [1, 2, LINK.sendBps],
  ]);
  assertEquals(await reader.next(), {
    name: "happening",
    data: { words: "before", atMs: atMs[0]! - 1000 },
  });
  dashboard.status = statusOf([{ ...PEER, state: "down", links }]);
  dashboard.tick();
  const second = (await reader.next())!;
  assertEquals((second.data as LiveSample).peers[0]!.state, "down");
  dashboard.events.publish({ type: "changed", message: "after" });
  assertEquals(((await reader.next())!.data as { words: string }).words, "after");
});

Deno.test("the dashboard follows the peer that is asked for, or the first that is up", async () => {
  const peers = [
    { ...PEER, name: "a", state: "down" } as const,
    { ...PEER, name: "b & c", links: [{ ...LINK, name: "<b>" }] },
  ];
  using dashboard = serveDashboard(statusOf(peers, "server"));
  const shown = async (query: string): Promise<(string | undefined)[]> => {
    using reader = await LiveReader.open(dashboard.port, TOKEN, query);
    await reader.next();
    const { peer, links } = (await reader.next())!.data as LiveSample;
    return [peer, links[0]?.name];
  };
  assertEquals(await shown(""), ["b & c", "<b>"]);
  assertEquals(await shown("?peer=a"), ["a", "dsl"]);
  assertEquals(await shown("?peer=b+%26%20c"), ["b & c", "<b>"]);
  assertEquals(await shown("?peer=gone"), ["b & c", "<b>"]);
});

Deno.test("the dashboard goes on when a client uses another server, or a client is removed", async () => {
  const named = (name: string): PeerStatus => ({ ...PEER, name });
  using client = serveDashboard(statusOf([named("a.example")]));
  client.tick();
  using reader = await LiveReader.open(client.port, TOKEN);
  const shown = async (from: LiveReader): Promise<string> => {
    const { name, data } = (await from.next())!;
    return name === "history"
      ? `${(data as PeerHistory).links[0]!.send.length} kept`
      : (data as LiveSample).peer;
  };
  assertEquals([await shown(reader), await shown(reader)], ["1 kept", "a.example"]);
  client.status = statusOf([named("b.example")]);
  client.tick();
  assertEquals([await shown(reader), await shown(reader)], ["2 kept", "b.example"]);

  using server = serveDashboard(statusOf([named("a"), named("b")], "server"));
  server.tick();
  using other = await LiveReader.open(server.port, TOKEN, "?peer=b");
  assertEquals([await shown(other), await shown(other)], ["1 kept", "b"]);
  server.status = statusOf([named("a")], "server");
  server.tick();
  assertEquals([await shown(other), await shown(other)], ["2 kept", "a"]);
});

Deno.test("the dashboard has room for few pages at once, and again when they have gone", async () => {
  using dashboard = serveDashboard(statusOf());
  const readers = await Promise.all(
    Array.from({ length: MAX_FOLLOWERS }, () => LiveReader.open(dashboard.port, TOKEN)),
  );
  for (const reader of readers) assertEquals((await reader.next())!.name, "history");
  const { status, body } = await ask(dashboard.port, "/api/live");
  assertEquals(status, 503);
  assertStringIncludes(body, "8 dashboards are open");
  for (const reader of readers) reader[Symbol.dispose]();
  const hasRoom = async (): Promise<boolean> => {
    using reader = await LiveReader.open(dashboard.port, TOKEN);
    return (await reader.next())?.name === "history";
  };
  assert(await eventually(hasRoom, LONG));
});

Deno.test("a page that does not read gets the latest, not everything that it has missed", async () => {
  // Samples of a megabyte fill what the kernel holds for it.
  const long = "x".repeat(1000);
  const links = Array.from({ length: 1000 }, (_, id) => ({ ...LINK, id, name: `${id}${long}` }));
  using dashboard = serveDashboard(statusOf([{ ...PEER, links }]));
  using reader = await LiveReader.open(dashboard.port, TOKEN);
  assertEquals((await reader.next())!.name, "history");
  const last = 100;
  for (let second = 1; second <= last; second++) {
    const peer = { ...PEER, sessionAgeUs: second, links };
    dashboard.status = statusOf([peer]);
    dashboard.tick();
    await new Promise((resolve) => setTimeout(resolve, 0)); // the server's turn
  }
  let count = 0;
  for (;;) {
    const { data } = (await reader.next())!;
    count++;
    if ((data as LiveSample).peers[0]!.sessionAgeUs === last) break;
  }
  assert(count < last / 2, `${count} of ${last} samples waited for the reader`);
});

Deno.test("the dashboard switches links only where that is allowed, and passes on what is said", async () => {
  const asked: string[] = [];
  const switchLink = (link: string, to: string): Promise<string> => {
    if (link !== "dsl") throw new AggvpnError(`No link ${link}`, { hint: "There is dsl" });
    asked.push(`${link} ${to}`);
    return Promise.resolve(`Link ${link} is ${to}`);
  };
  using dashboard = serveDashboard(statusOf(), PAGE, switchLink);
  const post = async (query: string): Promise<[number, unknown]> => {
    const { status, body } = await ask(dashboard.port, `/api/link?${query}`, AUTHORIZED, "POST");
    return [status, JSON.parse(body)];
  };
  assertEquals(await post("link=dsl&to=off"), [200, { message: "Link dsl is off" }]);
  assertEquals(await post("link=lte&to=on"), [422, { error: "No link lte", hint: "There is dsl" }]);
  assertEquals((await post("link=dsl&to=backup"))[0], 400);
  assertEquals((await post("to=off"))[0], 400);
  assertEquals((await ask(dashboard.port, "/api/link?link=dsl&to=off")).status, 405);
  assertEquals(asked, ["dsl off"]);
  using shows = serveDashboard(statusOf(), PAGE);
  const refused = await ask(shows.port, "/api/link?link=dsl&to=off", AUTHORIZED, "POST");
  assertEquals(refused.status, 403);
});
