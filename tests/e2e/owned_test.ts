/**
 * Changes of the system belong to the tunnel that made them: what a killed one leaves is undone, what
 * somebody removes is put back, and what was there is not replaced.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { Program, systemState } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const FORWARDING = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];
/** The log is written when its reader has the time. */
const LOG_MS = 10_000;
/** Longest time until a change is noticed and put right: an interval, and a busy host. */
const REPAIR_MS = 40_000;

/** Interfaces, addresses, routes, rules, switches and firewall of a host. */
async function stateOf(lab: Lab, namespace: string): Promise<string> {
  const { stdout } = await lab.attempt(namespace, ["sysctl", ...FORWARDING]);
  const rules = await lab.attempt(namespace, ["nft", "list", "ruleset"]);
  return [await systemState(namespace), stdout, rules.stdout].join("\n");
}

async function setUp(lab: Lab, client: string): Promise<{ net: Topology; program: Program }> {
  const net = await buildEmulated(lab, LINES);
  await lab.sysctl(net.server, { "net/ipv4/ip_forward": "0", "net/ipv6/conf/all/forwarding": "0" });
  const options = {
    tunnel: { client, server: "nat = true" },
    link: ["table = 101", "table = 102"],
  };
  const program = await Program.prepare(lab, net, options);
  await program.up("server");
  await program.up("client");
  await program.connected();
  return { net, program };
}

programTest(
  "the next start undoes what a killed tunnel has left, also when its configuration is another",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const off = { "net/ipv4/ip_forward": "0", "net/ipv6/conf/all/forwarding": "0" };
    await lab.sysctl(net.server, off);
    const before = [await stateOf(lab, net.client), await stateOf(lab, net.server)];
    const program = await Program.prepare(lab, net, {
      tunnel: { server: "nat = true" },
      link: ["table = 101", "table = 102"],
    });
    for (const side of ["server", "client"] as const) {
      await program.up(side);
      await program.down(side, "SIGKILL");
    }
    assertStringIncludes(await systemState(net.client), "lookup 102");
    assertStringIncludes(await stateOf(lab, net.server), "table inet aggvpn_agg0");

    await program.configure({ link: ["table = 103", ""] });
    for (const side of ["server", "client"] as const) {
      const text = await Deno.readTextFile(program.file(side));
      await program.write(side, text.replace("agg0", "other0"));
      const child = await program.up(side);
      const isTold = await child.says("Undid what a tunnel left", LOG_MS);
      assert(isTold, child.stderr.join("\n"));
    }
    const during = await systemState(net.client);
    assertEquals([...during.matchAll(/lookup (10\d)/g)].map(([, table]) => table), ["103"]);
    await program.down("client");
    await program.down("server");
    assertEquals([await stateOf(lab, net.client), await stateOf(lab, net.server)], before);
  },
  "nft",
  "sysctl",
);

programTest(
  "aggvpn down ends a tunnel that runs, and undoes what a killed one has left",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const before = await stateOf(lab, net.client);
    const program = await Program.prepare(lab, net, { link: ["table = 101", "table = 102"] });
    const file = program.file("client");
    await program.up("client");
    const ended = await program.run("client", "down", file);
    assertEquals(ended, {
      code: 0,
      stdout: `Tunnel ${program.name("client")} has ended\n`,
      stderr: "",
    });
    assertEquals((await program.child("client").status).code, 0);
    assertEquals(await stateOf(lab, net.client), before);

    await program.up("client");
    await program.down("client", "SIGKILL");
    const undone = await program.run("client", "down", file);
    const lines = undone.stdout.trimEnd().split("\n");
    assertEquals(lines.map((line) => line.slice(0, 20)), Array(2).fill("- ip rule del from 1"));
    assertEquals(await stateOf(lab, net.client), before);
    assertEquals(await program.run("client", "down", file), { code: 0, stdout: "", stderr: "" });
  },
  "nft",
  "sysctl",
);

programTest(
  "a running tunnel puts back what others remove, and says so once",
  async (lab) => {
    const routes = 'routes = ["10.99.0.0/16", "2001:db8:99::/48"]\ngateway6 = "2001:db8:44::2"';
    const { net, program } = await setUp(lab, routes);
    const states = async (): Promise<string[]> => [
      // The preference of a link-local address, and the order of routes, are the kernel's.
      (await stateOf(lab, net.client)).split("\n").filter((line) => !line.includes("fe80::"))
        .sort().join("\n"),
      await stateOf(lab, net.server),
    ];
    const before = await states();
    const harm: readonly (readonly ["client" | "server", string, readonly string[]])[] = [
      [
        "client",
        "ip link set agg0 down; ip link set agg0 up; ip rule del pref 7801",
        ["ip -6 address add", "ip route add 10.99.0.0/16", "ip -6 route add", "ip rule add"],
      ],
      ["client", "ip route del 10.99.0.0/16 dev agg0", ["ip route add 10.99.0.0/16"]],
      [
        "server",
        "nft flush ruleset; sysctl -q -w net.ipv4.ip_forward=0",
        ["nft 'add table", "sysctl -q -w net.ipv4.ip_forward=1"],
      ],
    ];
    for (const [side, script, remedies] of harm) {
      const said = program.child(side).stderr.length;
      await lab.attempt(net[side], ["sh", "-c", script]);
      assert((await states()).join() !== before.join(), `${script} does nothing`);
      const isBack = await eventually(
        async () => (await states()).join() === before.join(),
        REPAIR_MS,
        500,
      );
      if (!isBack) assertEquals(await states(), before, script);
      const linesOf = (): readonly string[] => program.child(side).stderr.slice(said);
      await eventually(() => linesOf().some((line) => line.includes("put back")), LOG_MS);
      const lines = linesOf();
      assertEquals(lines.filter((line) => line.includes("put back")).length, 1, lines.join("\n"));
      for (const remedy of remedies) assertStringIncludes(lines.join("\n"), remedy);
    }
    assertEquals((await program.linksUp("client")).length, 2);
  },
  "nft",
  "sysctl",
);

programTest("aggvpn up does not start where it would replace a route", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  await lab.ip(net.client, "route add 10.50.0.0/16 dev line1");
  const before = await systemState(net.client);
  const program = await Program.prepare(lab, net, {
    tunnel: { client: 'routes = ["10.50.0.0/16"]' },
  });
  const child = program.launch("client");
  assertEquals((await child.finish(60_000)).code, 1);
  const said = child.stderr.join("\n");
  assertStringIncludes(said, "Cannot route 10.50.0.0/16 into the tunnel: this host has ");
  assertStringIncludes(said, "10.50.0.0/16 dev line1");
  assertEquals(await systemState(net.client), before);
});

programTest("aggvpn check does not warn of the tunnel that it is for", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.prepare(lab, net, {
    tunnel: { client: 'routes = ["10.99.0.0/16"]' },
    link: ["local_port = 6080", ""],
  });
  await program.up("server");
  await program.up("client");
  await program.connected();
  for (const side of ["server", "client"] as const) {
    const checked = await program.run(side, "check", program.file(side));
    assertEquals(checked, { code: 0, stdout: "configuration OK\n", stderr: "" });
  }
  // Another file's tunnel is in the way of this one.
  const other = await Deno.readTextFile(program.file("client"));
  await program.write("client", other.replace("client.sock", "other.sock"));
  const { stdout } = await program.run("client", "check", program.file("client"));
  assertStringIncludes(stdout, 'Interface "agg0" exists already');
  assertStringIncludes(stdout, "6080: Address already in use");
});
