/** Needs permission to listen on loopback. */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../../lab/require.ts";
import type { Done } from "../../src/daemon/commands.ts";
import type { Daemon } from "../../src/daemon/daemon.ts";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { type DashboardAccess, httpServices } from "../../src/daemon/http_services.ts";
import { openServer } from "../../src/http/open_server.ts";
import { plain } from "../../src/http/response.ts";
import { statusOf } from "../control/sample_status.ts";
import { address } from "../addresses.ts";
import { LiveReader } from "../http/live_reader.ts";
import { requestText, talk } from "../http/talk.ts";
import { logged } from "../logged.ts";

const LONG = 20_000;
const host = address("127.0.0.1");

/** A port that nobody had a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

function fakeDaemon(): Daemon {
  return { status: () => statusOf(), events: new EventHub() } as unknown as Daemon;
}

Deno.test("httpServices() serves what is configured until it ends, and gives a new token each time", async () => {
  const [metrics, listen] = [{ host, port: freePort() }, { host, port: freePort() }];
  const config = { mode: "client", metrics, dashboard: { listen, control: true } } as const;
  let daemon: Daemon | undefined;
  const switched: unknown[] = [];
  const link = (parameters: unknown): Done => {
    switched.push(parameters);
    return { words: ["done"] };
  };
  const services = httpServices(config, () => daemon, { link });
  const access = services.requests.dashboard!({}) as DashboardAccess;
  assertEquals(access.at, `127.0.0.1:${listen.port}`);
  const again = httpServices(config, () => daemon, {}).requests.dashboard!({}) as DashboardAccess;
  assertNotEquals(again.token, access.token);
  {
    await using stack = new AsyncDisposableStack();
    services.open(stack);
    const authorized = { authorization: `Bearer ${access.token}` };
    const early = await talk(listen.port, requestText("/api/live", authorized));
    assertEquals(early.status, 503);
    assertEquals((await talk(metrics.port, requestText("/metrics"))).status, 503);
    daemon = fakeDaemon();
    assertEquals((await talk(metrics.port, requestText("/metrics"))).status, 200);
    using reader = await LiveReader.open(listen.port, access.token);
    assertEquals((await reader.next())!.name, "history");
    const target = "/api/link?link=lte&to=off";
    const { body } = await talk(listen.port, requestText(target, authorized, "POST"));
    assertEquals(JSON.parse(body), { message: "done" });
    assertEquals(switched, [{ name: "lte", state: "off" }]);
  }
  const isGone = (): Promise<boolean> =>
    talk(metrics.port, requestText("/metrics")).then(() => false, () => true);
  assert(await eventually(isGone, LONG));
});

Deno.test("httpServices() offers no request where there is no dashboard", () => {
  assertEquals(httpServices({ mode: "client" }, () => undefined, {}).requests, {});
});

Deno.test("openServer() waits for a port that another program has", async () => {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr as Deno.NetAddr;
  const lines = await logged(async () => {
    const server = openServer("metrics", { host, port }, () => plain(200, "here"), 10);
    other.close();
    const answers = (): Promise<boolean> =>
      talk(port, requestText("/")).then(({ body }) => body === "here\n", () => false);
    assert(await eventually(answers, LONG));
    server.close();
  });
  assertStringIncludes(
    lines[0]!,
    `warning The metrics waits for 127.0.0.1:${port}: Address already`,
  );
  assertEquals(lines[1], `info The metrics is at 127.0.0.1:${port}`);
});
