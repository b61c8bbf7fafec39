/**
 * Two files of mlvpn, imported, with an up/down script of the shape that mlvpn's users have: it sets
 * up the interface itself, and takes it down when the last link is lost.
 *
 *     client [aggvpn, script] == line1, line2: cables == [aggvpn, script] server
 *                             == behind it: 192.0.2.99
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FIRST_PORT, INNER, Program, type Side } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildVeth, SERVER_ADDRESS, type Topology } from "../../lab/topology.ts";
import { freshPort, ping } from "../../lab/traffic.ts";

const PATIENCE_MS = 30_000;
/** Longest time until a change is noticed and put right: an interval, and a busy host. */
const REPAIR_MS = 40_000;
/** Beyond the server, reached by a route through the tunnel. */
const BEHIND = "192.0.2.99";

/** A script that does what mlvpn tells it to, and writes down how it was called. */
function script(log: string): string {
  return `#!/bin/sh
dev=$1 event=$2 link=$3
[ -n "$MTU" ] && [ "$MTU" -le 1452 ] || exit 1
echo "$dev $event $link" >>${log}
case $event in
tuntap_up)
	ip link set dev $dev mtu $MTU up
	[ -z "$IP4" ] || ip -4 addr add $IP4 dev $dev
	[ -z "$IP6" ] || ip -6 addr add $IP6 dev $dev
	for route in $IP4_ROUTES; do
		ip -4 route add $route via $IP4_GATEWAY dev $dev
	done
	;;
tuntap_down)
	ip link set dev $dev down
	;;
esac 2>/dev/null
exit 0
`;
}

/** Both ends' files as mlvpn has them. */
function mlvpnFile(side: Side, net: Topology, command: string): string {
  const isClient = side === "client";
  const [own, other] = isClient ? [INNER.client, INNER.server] : [INNER.server, INNER.client];
  const links = net.lines.map(({ interface: name, client }, i) =>
    isClient
      ? `[${name}]\nbindhost = "${client}"\nremotehost = "${SERVER_ADDRESS}"\nremoteport = ${
        FIRST_PORT + i
      }\nbandwidth_upload = 1000000\ntimeout = 30\n`
      : `[${name}]\nbindhost = "${SERVER_ADDRESS}"\nbindport = ${FIRST_PORT + i}\n`
  );
  return `[general]
mode = "${side}"
statuscommand = "${command}"
interface_name = "mlvpn0"
tuntap = "tun"
timeout = 30
password = "not a secret, only a test"
reorder_buffer_size = 64
ip4 = "${own}/30"
ip4_gateway = "${other}"
${isClient ? `ip4_routes = "${BEHIND}/32 0.0.0.0/0"` : ""}

${links.join("\n")}`;
}

/** Translates the file of a side with the program, and gives the result a socket of the test's. */
async function importFile(program: Program, side: Side, net: Topology): Promise<string> {
  const log = `${program.directory}/${side}.log`;
  const command = `${program.directory}/${side}.sh`;
  await Deno.writeTextFile(command, script(log), { mode: 0o700 });
  const file = `${program.directory}/${side}.conf`;
  await Deno.writeTextFile(file, mlvpnFile(side, net, command), { mode: 0o600 });
  const { code, stdout, stderr } = await program.run(side, "import-mlvpn", file);
  assertEquals([code, stderr], [0, ""]);
  await program.write(side, `control = "${program.control(side)}"\n${stdout}`);
  return log;
}

programTest(
  "files of mlvpn carry on, with its script, through the loss of every link",
  async (lab) => {
    const net = await buildVeth(lab, 2);
    await lab.ip(net.server, `address add ${BEHIND}/32 dev lo`);
    const program = await Program.prepare(lab, net);
    const [log] = await Promise.all([
      importFile(program, "client", net),
      importFile(program, "server", net),
    ]);
    const checked = await program.run("client", "check", program.file("client"));
    assertStringIncludes(checked.stdout, "configuration OK");
    await Promise.all([program.up("server"), program.up("client")]);
    await program.connected();

    const reaches = async (): Promise<boolean> => {
      const way = { from: net.client, to: net.server, address: BEHIND, port: freshPort() };
      // Without a route the question cannot even be sent.
      const report = await ping(lab, way, { count: 3, intervalMs: 20 }).catch(() => undefined);
      return report?.received === 3;
    };
    const isDown = async (): Promise<boolean> => {
      const { stdout } = await lab.attempt(net.client, ["ip", "-o", "link", "show", "mlvpn0"]);
      return !/<[^>]*\bUP\b/.test(stdout);
    };
    const events = async (): Promise<string[]> => (await Deno.readTextFile(log)).split("\n");
    assert(await eventually(reaches, PATIENCE_MS));

    await lab.ip(net.client, ...net.lines.map(({ interface: name }) => `link set ${name} down`));
    assert(await eventually(isDown, PATIENCE_MS), "the script takes the interface down");
    const routes = net.lines.map(({ interface: name, server }) =>
      `route replace ${SERVER_ADDRESS} via ${server} dev ${name}`
    );
    await lab.ip(
      net.client,
      ...net.lines.map(({ interface: name }) => `link set ${name} up`),
      ...routes.slice(0, 1),
    );
    assert(
      await eventually(reaches, REPAIR_MS, 500),
      `${await events()}\n${program.child("client").stderr.join("\n")}`,
    );
    // The script knows nothing of the halves that stand for the default route.
    const hasHalves = async (): Promise<boolean> => {
      const { stdout } = await lab.attempt(net.client, ["ip", "route", "show", "dev", "mlvpn0"]);
      return stdout.includes("0.0.0.0/1 ") && stdout.includes("128.0.0.0/1 ");
    };
    assert(await eventually(hasHalves, REPAIR_MS, 500), program.child("client").stderr.join("\n"));
    const called = (await events()).filter((line) => line.includes("tuntap")).map((line) =>
      line.trim()
    );
    assertEquals(called, ["mlvpn0 tuntap_up", "mlvpn0 tuntap_down", "mlvpn0 tuntap_up"]);
    assertEquals((await program.down("client")).code, 0);
    const left = await lab.attempt(net.client, ["ip", "route", "show", BEHIND]);
    assertEquals(left.stdout, "");
  },
);
