import { assertEquals, assertStringIncludes } from "@std/assert";
import type { StatusDocument } from "../../src/control/protocol.ts";
import { metricsResponder } from "../../src/http/metrics.ts";
import { HttpServer } from "../../src/http/server.ts";
import { readExposition } from "../control/exposition_reader.ts";
import { statusOf } from "../control/sample_status.ts";
import { requestText, talk } from "./talk.ts";

function serve(
  status: () => StatusDocument | undefined,
  names: "loopback" | "any" = "loopback",
): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new HttpServer(listener, metricsResponder(status, names));
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => server.close(),
  };
}

Deno.test("metrics are served as Prometheus or OpenMetrics, by what is accepted", async () => {
  using served = serve(() => statusOf());
  const { status, headers, body } = await talk(served.port, requestText("/metrics"));
  assertEquals([status, headers.get("content-type")], [
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  assertEquals(readExposition(body, false).get("aggvpn_peer_up")!.samples[0]!.value, 1);
  const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
  const open = await talk(served.port, requestText("/metrics", { accept }));
  assertStringIncludes(open.headers.get("content-type")!, "application/openmetrics-text");
  assertEquals(readExposition(open.body, true).get("aggvpn_link")!.type, "info");
});

Deno.test("metrics are at one place, by GET, and not for pages of other sites", async () => {
  using served = serve(() => statusOf());
  const statusFor = async (text: string): Promise<number> => (await talk(served.port, text)).status;
  assertEquals(await statusFor(requestText("/")), 404);
  assertEquals(await statusFor(requestText("/metrics", {}, "POST")), 405);
  assertEquals(await statusFor(requestText("/metrics", {}, "HEAD")), 200);
  assertEquals(await statusFor(requestText("/metrics", { host: "evil.example" })), 421);
  using open = serve(() => statusOf(), "any");
  const named = requestText("/metrics", { host: "gateway.example:9180" });
  assertEquals((await talk(open.port, named)).status, 200);
});

Deno.test("metrics wait for the tunnel to be set up", async () => {
  using served = serve(() => undefined);
  assertEquals((await talk(served.port, requestText("/metrics"))).status, 503);
});
