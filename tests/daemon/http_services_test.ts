/** Needs permission to listen on loopback. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { eventually } from "../../lab/require.ts";
import type { Done } from "../../src/daemon/commands.ts";
import { AggvpnError } from "../../src/errors.ts";
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

Deno.test("httpServices() serves what is configured until it ends, and switches links by the request for that", async () => {
  const [metrics, listen] = [{ host, port: freePort() }, { host, port: freePort() }];
  const config = { mode: "client", metrics, dashboard: { listen, control: true } } as const;
  let daemon: Daemon | undefined;
  const switched: unknown[] = [];
  const link = (parameters: unknown): Done => {
    switched.push(parameters);
    return { words: ["done"] };
  };
  const services = httpServices(config, () => daemon, { link });
  assertThrows(() => services.requests.dashboard!({}), AggvpnError, "it is being opened");
  {
    await using stack = new AsyncDisposableStack();
    services.open(stack);
    const access = services.requests.dashboard!({}) as DashboardAccess;
    assertEquals(access.at, `127.0.0.1:${listen.port}`);
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

Deno.test("httpServices() tells nobody the token while another program has the dashboard's port", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = { host, port: (other.addr as Deno.NetAddr).port };
  const config = { mode: "client", dashboard: { listen, control: false } } as const;
  const services = httpServices(config, () => undefined, {});
  await using stack = new AsyncDisposableStack();
  await logged(() => services.open(stack));
  const error = assertThrows(() => services.requests.dashboard!({}), AggvpnError);
  assertStringIncludes(error.message, `cannot be served at 127.0.0.1:${listen.port} yet: Address`);
});

Deno.test("httpServices() makes another token each time, unless a file has one", async () => {
  const tokenOf = async (token?: string): Promise<string> => {
    const listen = { host, port: freePort() };
    const dashboard = { listen, control: false, ...token !== undefined && { token } };
    const services = httpServices({ mode: "server", dashboard }, () => undefined, {});
    await using stack = new AsyncDisposableStack();
    services.open(stack);
    return (services.requests.dashboard!({}) as DashboardAccess).token;
  };
  assertNotEquals(await tokenOf(), await tokenOf());
  assertEquals(await tokenOf("from a file"), "from a file");
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
    `warning Cannot serve metrics at 127.0.0.1:${port} yet: Address already`,
  );
  assertEquals(lines[1], `info Serving metrics at 127.0.0.1:${port}`);
});
