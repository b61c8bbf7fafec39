/**
 * Nothing leaves a client around its tunnel but the tunnel itself, however the tunnel ends.
 *
 *     client [agg0 10.44.43.1] == line1 == [agg0 10.44.43.2] server
 *                              == line2 ==
 *            lan 192.168.7.1   == lan   == lan 192.168.7.2
 *
 * The server's end of each cable counts every packet that comes by it, in chains of the netdev
 * family, which see also what no address of the server is meant for.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { run } from "../../lab/process.ts";
import { FIRST_PORT, Program, systemState } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildVeth, SERVER_ADDRESS, type Topology } from "../../lab/topology.ts";

/** Somewhere on the internet; the second has a route of its own by line 2. */
const ELSEWHERE = ["192.0.2.77", "192.0.2.78", "2001:db8:77::1"];
/** Answers nowhere, so that who is reached refuses. */
const CLOSED_PORT = 9;
const GUARD = "leak_guard = true";
const LOG_MS = 10_000;
/** Longest time until a change is noticed and put right: an interval, and a busy host. */
const REPAIR_MS = 40_000;

/** The lines with default routes of both families, a LAN, and counters. */
async function build(lab: Lab): Promise<Topology> {
  const net = await buildVeth(lab, 2);
  const script = ["table netdev seen {"];
  for (const [i, { interface: name, server }] of net.lines.entries()) {
    const [near, far] = [1, 2].map((host) => `2001:db8:${i + 1}::${host}`);
    await lab.ip(net.server, `addr add ${far}/64 dev ${name} nodad`);
    await lab.ip(
      net.client,
      `addr add ${near}/64 dev ${name} nodad`,
      `route add default via ${server} dev ${name} metric ${100 + i}`,
      `route add default via ${far} dev ${name} metric ${100 + i}`,
    );
    // Everything with an IP header but the tunnel's own datagrams and the neighbours' talk.
    script.push(
      `chain ${name} { type filter hook ingress device "${name}" priority 0;`,
      `ip daddr ${SERVER_ADDRESS} udp dport { ${FIRST_PORT}, ${FIRST_PORT + 1} } accept;`,
      "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept;",
      "icmpv6 type { mld-listener-report, mld2-listener-report } accept;",
      'meta protocol { ip, ip6 } counter comment "leak"; };',
    );
  }
  script.push("}");
  await lab.attempt(net.server, ["nft", script.join("\n")]).then(({ code, stderr }) =>
    assertEquals(code, 0, stderr)
  );
  await lab.ip(net.client, `route add 192.0.2.78 via ${net.lines[1]!.server} dev line2`);
  await run([
    ...["ip", "link", "add", "lan", "netns", net.client, "type", "veth"],
    ...["peer", "name", "lan", "netns", net.server],
  ]);
  await lab.ip(net.client, "addr add 192.168.7.1/24 dev lan", "link set lan up");
  await lab.ip(net.server, "addr add 192.168.7.2/24 dev lan", "link set lan up");
  return net;
}

/** Packets that have come by the lines besides the tunnel's. */
async function leaks(lab: Lab, net: Topology): Promise<number> {
  const { stdout } = await lab.attempt(net.server, ["nft", "list", "table", "netdev", "seen"]);
  const counts = [...stdout.matchAll(/counter packets (\d+)/g)];
  assertEquals(counts.length, net.lines.length, stdout);
  return counts.reduce((sum, [, packets]) => sum + Number(packets), 0);
}

/** Sends what a host that has no idea of a tunnel sends. */
async function tryToLeak(lab: Lab, net: Topology): Promise<void> {
  const targets = [
    ...ELSEWHERE.flatMap((
      host,
    ) => [`udp/${host}/53`, `udp/${host}/${FIRST_PORT}`, `tcp/${host}/80`]),
    `udp/${SERVER_ADDRESS}/22`,
    `tcp/${SERVER_ADDRESS}/${FIRST_PORT}`,
  ];
  const attempts = targets.map((to) => `timeout 1 bash -c 'echo leak >/dev/${to}' &`);
  await lab.attempt(net.client, ["sh", "-c", `${attempts.join(" ")} wait`]);
}

/** Tells whether a host is there: it refuses. */
async function isReached(lab: Lab, net: Topology, host: string): Promise<boolean> {
  const connect = `echo >/dev/tcp/${host}/${CLOSED_PORT}`;
  const { stderr } = await lab.attempt(net.client, ["timeout", "5", "bash", "-c", connect]);
  return stderr.includes("Connection refused");
}

async function assertTight(lab: Lab, net: Topology, when: string): Promise<void> {
  const before = await leaks(lab, net);
  await tryToLeak(lab, net);
  assertEquals(await leaks(lab, net) - before, 0, `packets left ${when}`);
}

async function tables(lab: Lab, net: Topology): Promise<string> {
  return (await lab.attempt(net.client, ["nft", "list", "tables"])).stdout;
}

programTest(
  "leak_guard lets nothing out but the tunnel and the LAN, until the tunnel is ended",
  async (lab) => {
    const net = await build(lab);
    const before = await systemState(net.client);
    const program = await Program.prepare(lab, net, {
      tunnel: { client: `routes = ["default"]\n${GUARD}` },
    });
    const open = await leaks(lab, net);
    await tryToLeak(lab, net);
    assert(await leaks(lab, net) - open > 6, "without the guard everything leaves");

    await program.up("server");
    await program.up("client");
    await program.connected();
    await assertTight(lab, net, "while the tunnel works");
    assert(await isReached(lab, net, "10.44.43.2"), "the tunnel carries packets");
    assert(await isReached(lab, net, "192.168.7.2"), "the LAN is reached");

    await program.down("server", "SIGKILL");
    const isDown = await eventually(
      async () => (await program.linksUp("client")).length === 0,
      20_000,
    );
    assert(isDown, "the client notices");
    await assertTight(lab, net, "while the tunnel is down");
    await program.up("server");
    await program.connected();

    await program.down("client", "SIGKILL");
    await assertTight(lab, net, "after the client was killed");
    assert(await isReached(lab, net, "192.168.7.2"), "the LAN is reached");

    const child = await program.up("client");
    await program.connected();
    await assertTight(lab, net, "after the next start");
    await lab.attempt(net.client, ["nft", "flush", "ruleset"]);
    const isBack = await eventually(
      async () => (await tables(lab, net)).includes("aggvpn_guard"),
      REPAIR_MS,
      500,
    );
    assert(isBack, child.stderr.join("\n"));
    assert(await child.says("Somebody changed the network", LOG_MS));
    await assertTight(lab, net, "after the guard was put back");

    assertEquals((await program.down("client")).code, 0);
    assertEquals(await tables(lab, net), "");
    assertEquals(await systemState(net.client), before);
    assertEquals(await program.run("client", "down", program.file("client")), {
      code: 0,
      stdout: "",
      stderr: "",
    });
  },
  "nft",
  "bash",
);

programTest(
  "aggvpn down ends the guard that a killed tunnel has left, and a failed start does not",
  async (lab) => {
    const net = await build(lab);
    const program = await Program.prepare(lab, net, {
      tunnel: { client: `routes = ["default"]\n${GUARD}` },
    });
    await program.up("client");
    await program.down("client", "SIGKILL");
    await assertTight(lab, net, "after the client was killed");
    // Its interface is another one's now.
    await lab.ip(net.client, "link add agg0 type veth peer agg1");
    assertEquals((await program.launch("client").finish(60_000)).code, 1);
    await assertTight(lab, net, "after a start that failed");
    const { stdout, code } = await program.run("client", "down", program.file("client"));
    assertEquals(code, 0);
    assertStringIncludes(stdout, `nft 'delete table inet aggvpn_guard_${program.name("client")}'`);
    assertEquals(await tables(lab, net), "");

    // Nothing was left before this one.
    assertEquals((await program.launch("client").finish(60_000)).code, 1);
    assertEquals(await tables(lab, net), "");
  },
  "nft",
  "bash",
);

const NAME = "vpn.example.net";
/** Answers every question for an IPv4 address with that of the server: RFC 1035 section 4. */
const RESOLVER = `
const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 53 });
console.log("ready");
for await (const [question, from] of socket) {
  const end = question.indexOf(0, 12) + 5;
  const isIpv4 = question[end - 3] === 1;
  const header = [question[0], question[1], 0x81, 0x80, 0, 1, 0, isIpv4 ? 1 : 0, 0, 0, 0, 0];
  const address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ${SERVER_ADDRESS.split(".").join(", ")}];
  await socket.send(Uint8Array.from([
    ...header, ...question.subarray(12, end), ...isIpv4 ? address : [],
  ]), from);
}`;

programTest(
  "the name of a server is looked up through the guard, also by the next start after a crash",
  async (lab) => {
    const net = await build(lab);
    const directory = `/etc/netns/${net.client}`;
    await Deno.mkdir(directory, { recursive: true });
    lab.onClose(() => Deno.remove(directory, { recursive: true }));
    const resolver = net.lines[0]!.server;
    await Deno.writeTextFile(`${directory}/resolv.conf`, `nameserver ${resolver}\n`);
    const child = lab.spawn(net.server, [Deno.execPath(), "eval", "--unstable-net", RESOLVER]);
    assert(await child.says("ready", 20_000), child.stderr.join("\n"));
    const program = await Program.prepare(lab, net, {
      tunnel: { client: `routes = ["default"]\n${GUARD}` },
    });
    const text = await Deno.readTextFile(program.file("client"));
    await program.write("client", text.replace(`"${SERVER_ADDRESS}"`, `"${NAME}"`));
    await program.up("server");
    for (const when of ["at the first start", "after a crash"]) {
      await program.up("client");
      await program.connected();
      await assertTight(lab, net, `once the name is known ${when}`);
      await program.down("client", "SIGKILL");
      await assertTight(lab, net, "after the client was killed");
    }
    await program.run("client", "down", program.file("client"));
    assertEquals(await tables(lab, net), "");
    const { stdout } = await program.run("client", "check", program.file("client"));
    assertStringIncludes(stdout, `lets questions to name servers out while it looks up "${NAME}"`);
  },
  "nft",
  "bash",
);
