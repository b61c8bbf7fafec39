/**
 * The end of `aggvpn up`: every change of the system is undone.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Program, systemState } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const ROUTES = 'routes = ["10.99.0.0/16", "2001:db8:99::/48"]\ngateway6 = "2001:db8:44::2"';

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  programTest(`aggvpn up undoes every change of the system on ${signal}`, async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const before = [await systemState(net.client), await systemState(net.server)];
    const program = await Program.prepare(lab, net, {
      tunnel: { client: ROUTES },
      link: ["table = 101", "table = 102"],
    });
    const server = await program.up("server", "-v");
    const client = await program.up("client", "-v");
    await program.connected();
    const during = await systemState(net.client);
    for (const part of ["agg0", "10.99.0.0/16", "2001:db8:99::/48", "lookup 101", "lookup 102"]) {
      assert(during.includes(part), `${part} is not in\n${during}`);
    }
    assertEquals((await program.down("client", signal)).code, 0);
    const isTold = await server.says("the peer has closed it", 15_000);
    assert(isTold, `the server was not told\n${server.stderr.join("\n")}`);
    assertEquals(await program.linksUp("server"), []);
    assertEquals((await program.down("server", signal)).code, 0);
    assertEquals([await systemState(net.client), await systemState(net.server)], before);
    const said = client.stderr.join("\n");
    assert(said.includes("10.99.0.0/16"), said);
  });
}

programTest("aggvpn up is not ended by signals that mean nothing to it", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net);
  const client = program.child("client");
  for (const signal of ["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGHUP", "SIGPIPE"] as const) {
    client.kill(signal);
    assert(await program.status("client"), signal);
  }
  assertEquals((await program.down("client")).code, 0);
});

programTest("aggvpn up quits at once on a second signal", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.prepare(lab, net, { tunnel: { client: 'down = "sleep 30"' } });
  await program.up("client");
  const child = program.child("client");
  child.kill("SIGTERM");
  const isSlow = await eventually(async () => {
    const { stdout } = await lab.attempt(net.client, ["ip", "netns", "pids", net.client]);
    return await anyRuns(stdout, "sleep");
  }, 15_000);
  assert(isSlow, "the hook did not run");
  const start = performance.now();
  child.kill("SIGTERM");
  // Does not wait for the end of its output: the hook that it leaves behind keeps that open.
  const { code } = await child.status;
  const elapsed = performance.now() - start;
  // The hook would go on for 30 s.
  assert(elapsed < 15_000, `${elapsed} ms`);
  assertEquals(code, 1);
});

async function anyRuns(pids: string, name: string): Promise<boolean> {
  for (const pid of pids.split("\n").filter((text) => text !== "")) {
    const comm = await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "");
    if (comm.trim() === name) return true;
  }
  return false;
}
