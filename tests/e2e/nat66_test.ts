/**
 * IPv6 beyond the server.
 *
 *     client [agg0 fd00:44::1] == line1 == [agg0 fd00:44::2] server -- beyond 2001:db8:99::2
 *
 * The host beyond has no route back: it answers what has the server's address, and nothing else.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { run } from "../../lab/process.ts";
import { Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildVeth, type Topology } from "../../lab/topology.ts";

const BEYOND = "2001:db8:99::2";

async function addBeyond(lab: Lab, { server }: Topology): Promise<string> {
  const beyond = await lab.namespace("beyond");
  await run([
    ...["ip", "link", "add", "beyond", "netns", server, "type", "veth"],
    ...["peer", "name", "eth0", "netns", beyond],
  ]);
  await lab.ip(server, "addr add 2001:db8:99::1/64 dev beyond nodad", "link set beyond up");
  await lab.ip(beyond, `addr add ${BEYOND}/64 dev eth0 nodad`, "link set eth0 up");
  return beyond;
}

/** Connects to a port on which nobody listens; a host that is reached refuses. */
async function isReached(lab: Lab, from: string, host: string): Promise<boolean> {
  const connect = ["timeout", "3", "bash", "-c", `echo >/dev/tcp/${host}/9`];
  return (await lab.attempt(from, connect)).stderr.includes("Connection refused");
}

async function start(lab: Lab, net: Topology, prefix: string): Promise<Program> {
  const program = await Program.prepare(lab, net, {
    tunnel: {
      client: `routes = ["2001:db8:99::/64"]\ngateway6 = "${prefix}::2"`,
      server: "nat = true",
    },
  });
  for (const side of ["client", "server"] as const) {
    const text = await Deno.readTextFile(program.file(side));
    await program.write(side, text.replaceAll("2001:db8:44::", `${prefix}::`));
  }
  await Promise.all([program.up("server"), program.up("client")]);
  await program.connected();
  return program;
}

programTest(
  "nat = true takes unique local addresses beyond the server, and leaves global ones as they are",
  async (lab) => {
    const net = await buildVeth(lab, 1);
    const beyond = await addBeyond(lab, net);
    await lab.sysctl(net.server, { "net/ipv6/conf/all/forwarding": "0" });
    const program = await start(lab, net, "fd00:44");
    assertEquals(await eventually(() => isReached(lab, net.client, BEYOND), 10_000), true);
    await program.down("client");
    await program.down("server");

    // Routed to the client: the host beyond has to know the way.
    const routed = await start(lab, net, "2001:db8:44");
    const { stdout } = await lab.attempt(net.server, [
      "nft",
      "list",
      "table",
      "inet",
      "aggvpn_agg0",
    ]);
    assertStringIncludes(stdout, "ip saddr 10.44.43.0/30");
    assertEquals(stdout.includes("ip6 saddr"), false, stdout);
    assertEquals(await isReached(lab, net.client, BEYOND), false);
    await lab.ip(beyond, "route add 2001:db8:44::/64 via 2001:db8:99::1");
    assertEquals(await eventually(() => isReached(lab, net.client, BEYOND), 10_000), true);
    await routed.down("client");
    await routed.down("server");
  },
  "nft",
  "sysctl",
  "bash",
);
