/**
 * Metrics and the dashboard of the built program, over two lines:
 *
 *     client [127.0.0.1:9180, :9181] == line1, line2: 50 Mbit/s, 20 ms == server
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { INNER, Program } from "../../lab/program.ts";
import { programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";
import { freshPort, ping } from "../../lab/traffic.ts";
import { readExposition } from "../control/exposition_reader.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];

/** What somebody in a namespace gets, in JSON: status, headers, and the beginning of the body. */
const FETCH = `
  const [url, token] = Deno.args;
  const headers = token ? { authorization: "Bearer " + token } : {};
  const response = await fetch(url, { headers });
  let body = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    body += part;
    if (url.includes("/api/live") && body.includes("event: sample")) break;
  }
  console.log(JSON.stringify({ status: response.status, headers: [...response.headers], body }));
  Deno.exit(0);
`;

interface Got {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** Undefined when nobody is there. */
async function get(
  lab: Lab,
  namespace: string,
  url: string,
  token = "",
): Promise<Got | undefined> {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(script, FETCH);
    const command = [Deno.execPath(), "run", "--quiet", "--no-config", "-A", script, url, token];
    const { code, stdout } = await lab.attempt(namespace, command);
    return code === 0 ? JSON.parse(stdout) as Got : undefined;
  } finally {
    await Deno.remove(script);
  }
}

programTest("aggvpn up serves metrics and the dashboard, to its own host only", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, {
    top: { client: "metrics = 9180\ndashboard = 9181" },
  });
  const flow = { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
  await ping(lab, flow, { sizeBytes: 1000, count: 20, intervalMs: 10 });

  const metrics = await get(lab, net.client, "http://127.0.0.1:9180/metrics");
  const families = readExposition(metrics!.body, false);
  const sent = families.get("aggvpn_peer_sent_bytes_total")!.samples[0]!;
  assert(sent.labels.peer === "server" && sent.value > 20_000, JSON.stringify(sent));
  const up = families.get("aggvpn_link_up")!.samples;
  assertEquals(up.map(({ labels, value }) => [labels.link, value]), [["line1", 1], ["line2", 1]]);

  const { stdout } = await program.run("client", "dashboard", program.file("client"));
  const [, address, token] = /^(http:\/\/127\.0\.0\.1:9181\/)#(\S{43})\n$/.exec(stdout)!;
  const page = (await get(lab, net.client, address!))!;
  assertStringIncludes(page.body, "<title>aggvpn</title>");
  const [, policy] = page.headers.find(([name]) => name === "content-security-policy")!;
  assertMatch(policy, /^default-src 'none'; script-src 'sha256-/);
  assertEquals((await get(lab, net.client, `${address}api/live`))!.status, 401);
  const live = (await get(lab, net.client, `${address}api/live`, token!))!;
  assertStringIncludes(live.body, "event: history");
  assertStringIncludes(live.body, '"name":"line2"');

  for (const port of [9180, 9181]) {
    assertEquals(await get(lab, net.server, `http://${INNER.client}:${port}/`), undefined);
  }
  const said = program.child("client").stderr.join("\n");
  assertEquals(said.includes(token!), false, "the log has the token");
});
