/**
 * Links that the configuration leaves open: every interface with a default route, and patterns of
 * interfaces. They come and go while the tunnel runs.
 *
 *     client [aggvpn] == line1, a cable, default route ====== [aggvpn] server 203.0.113.1
 *                     == line2, likewise ====================
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { FIRST_PORT, INNER, Program, systemState } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import {
  buildEmulated,
  buildVeth,
  type LineSpec,
  SERVER_ADDRESS,
  symmetric,
  type Topology,
} from "../../lab/topology.ts";
import { freshPort, ping, tcpTransfer } from "../../lab/traffic.ts";

const PATIENCE_MS = 15_000;
/** Longest time until a change is noticed and put right: an interval, and a busy host. */
const REPAIR_MS = 40_000;
/** How soon a link works after its interface has a default route, on a busy host. */
const SOON_MS = 3000;

const AUTO = `server = "${SERVER_ADDRESS}:${FIRST_PORT}"\nlinks = "auto"`;

/** The client's file; `tables` follows `[tunnel]`. */
async function configure(program: Program, top: string, tables = ""): Promise<void> {
  const text = [
    'mode = "client"',
    'password = "not a secret, only a test"',
    `control = "${program.control("client")}"`,
    top,
    "[tunnel]",
    'interface = "agg0"',
    "mss_clamp = false",
    `address = "${INNER.client}/30"`,
    `gateway = "${INNER.server}"`,
    'routes = ["0.0.0.0/0"]',
    tables,
  ].join("\n");
  await program.write("client", text + "\n");
}

/** What a DHCP client would do: a default route of its own for a line. */
function defaultRoute({ lines }: Topology, line: number, name = lines[line]!.interface): string {
  return `route add default via ${lines[line]!.server} dev ${name} metric ${100 + line}`;
}

/** Two cables, or emulated lines, of which the first `uplinks` have a default route, and the server runs. */
async function setUp(
  lab: Lab,
  uplinks: number,
  lines?: readonly LineSpec[],
): Promise<{ net: Topology; program: Program }> {
  const net = lines ? await buildEmulated(lab, lines) : await buildVeth(lab, 2);
  await lab.ip(
    net.client,
    ...net.lines.map(({ interface: name }) => `route del ${SERVER_ADDRESS} dev ${name}`),
    ...net.lines.slice(0, uplinks).map((_, line) => defaultRoute(net, line)),
  );
  const program = await Program.prepare(lab, net);
  await program.up("server");
  return { net, program };
}

/** Waits until just these links are up at both ends; returns how long that took. */
async function upAfter(program: Program, ...links: readonly string[]): Promise<number> {
  const start = performance.now();
  const isUp = await eventually(async () => {
    const both = [await program.linksUp("client"), await program.linksUp("server")];
    return both.every((up) => `${up.toSorted()}` === `${links.toSorted()}`);
  }, PATIENCE_MS);
  const ends = [await program.status("client"), await program.status("server")];
  const said = program.child("client").stderr.join("\n");
  assert(isUp, `${JSON.stringify(ends.map((end) => end?.tunnel.peers[0]?.links))}\n${said}`);
  return performance.now() - start;
}

async function carries(lab: Lab, net: Topology): Promise<void> {
  const way = { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
  assertEquals((await ping(lab, way, { count: 10, intervalMs: 20 })).received, 10);
}

/** Names of the links that `status` shows at a side, whatever their state. */
async function shown(program: Program, side: "client" | "server"): Promise<string[]> {
  const links = (await program.status(side))?.tunnel.peers[0]?.links ?? [];
  return links.map(({ name }) => name).sort();
}

/** Bytes that each link of the client has sent. */
async function sentBytes(program: Program): Promise<Map<string, number>> {
  const links = (await program.status("client"))!.tunnel.peers[0]!.links;
  return new Map(links.map(({ name, sentBytes }) => [name, sentBytes]));
}

programTest('links = "auto" uses every interface with a default route', async (lab) => {
  const { net, program } = await setUp(lab, 2, [symmetric(20, 20), symmetric(20, 20)]);
  // Only what comes back the way that its sender is reached passes this filter.
  await lab.sysctl(net.client, { "net/ipv4/conf/all/rp_filter": "1" });
  await configure(program, AUTO);
  const before = await systemState(net.client);
  const checked = await program.run("client", "check", program.file("client"));
  assertStringIncludes(
    checked.stdout,
    "host: info: Links now: line1 (via 198.51.100.1), line2 (via 198.51.100.5)\n",
  );
  await program.up("client", "-v");
  await upAfter(program, "line1", "line2");
  assertEquals(await shown(program, "server"), ["line1", "line2"]);
  const routed = await systemState(net.client);
  assertStringIncludes(routed, "from 198.51.100.6 lookup main suppress_prefixlength 1 proto 78");
  assertStringIncludes(routed, "default via 198.51.100.5 dev line2 table");

  // More than either line can carry.
  const sent = await sentBytes(program);
  const way = { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
  await tcpTransfer(lab, way, 4);
  for (const [name, bytes] of await sentBytes(program)) {
    assert(bytes - sent.get(name)! > 1e6, `${name} carried ${bytes - sent.get(name)!} bytes`);
  }
  // Whoever is called at the address of an uplink answers by it, not through the tunnel.
  const answers = await lab.attempt(net.client, [
    "ip",
    "route",
    "get",
    "192.0.2.99",
    "from",
    "198.51.100.6",
  ]);
  assertStringIncludes(answers.stdout, "dev line2");
  assertEquals((await program.down("client")).code, 0);
  assertEquals(await systemState(net.client), before);
});

programTest("the rules of a link that was found are put back, and it needs them", async (lab) => {
  const { net, program } = await setUp(lab, 2);
  await lab.sysctl(net.client, { "net/ipv4/conf/all/rp_filter": "1" });
  await configure(program, AUTO);
  await program.up("client");
  await upAfter(program, "line1", "line2");
  const rules = (await lab.attempt(net.client, ["ip", "rule", "show"])).stdout;
  for (const [, preference] of rules.matchAll(/^(\d+):.*proto 78/gm)) {
    await lab.ip(net.client, `rule del pref ${preference}`);
  }
  const isDown = async (): Promise<boolean> => (await program.linksUp("client")).length === 0;
  assert(await eventually(isDown, PATIENCE_MS), "what comes in is dropped");
  const isBack = async (): Promise<boolean> =>
    (await lab.attempt(net.client, ["ip", "rule", "show"])).stdout === rules;
  assert(await eventually(isBack, REPAIR_MS, 500));
  await upAfter(program, "line1", "line2");
  assert(await program.child("client").says("put back: ip rule add from", PATIENCE_MS));
});

programTest(
  "aggvpn link switches off a link that was found by itself, and reload excludes it",
  async (lab) => {
    const { program } = await setUp(lab, 2);
    await configure(program, AUTO);
    await program.up("client");
    await upAfter(program, "line1", "line2");
    const run = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await program.run("client", ...args);
      assertEquals(code, 0, stderr);
    };
    const tunnel = `--tunnel=${program.control("client")}`;
    await run("link", "line1", "off", tunnel);
    await upAfter(program, "line2");
    assertEquals(await shown(program, "client"), ["line2"]);
    await run("link", "line1", "on", tunnel);
    await upAfter(program, "line1", "line2");
    await configure(program, `${AUTO}\nlinks_exclude = ["line2"]`);
    await run("reload", program.control("client"));
    await upAfter(program, "line1");
  },
);

programTest('links = "auto" follows interfaces that come and go', async (lab) => {
  const { net, program } = await setUp(lab, 0);
  await configure(program, AUTO);
  const before = (await systemState(net.client)).split("\n").sort();
  await program.up("client");
  await lab.ip(net.client, defaultRoute(net, 1));
  const first = await upAfter(program, "line2");
  await carries(lab, net);
  await lab.ip(net.client, defaultRoute(net, 0));
  const second = await upAfter(program, "line1", "line2");
  assert(first < SOON_MS && second < SOON_MS, `up after ${first} and ${second} ms`);

  await lab.ip(net.client, "route del default dev line2");
  await upAfter(program, "line1");
  assertEquals(await shown(program, "client"), ["line1"]);
  assert(
    await eventually(async () => `${await shown(program, "server")}` === "line1", PATIENCE_MS),
  );
  await carries(lab, net);
  const isUndone = async (): Promise<boolean> =>
    !(await systemState(net.client)).includes("from 198.51.100.6");
  assert(await eventually(isUndone, PATIENCE_MS), await systemState(net.client));

  // Another name is another link.
  await lab.ip(
    net.client,
    "link set line2 down",
    "link set line2 name wwan7",
    "link set wwan7 up",
    defaultRoute(net, 1, "wwan7"),
  );
  await upAfter(program, "line1", "wwan7");
  const links = (await program.status("server"))!.tunnel.peers[0]!.links;
  assertEquals(links.map(({ name, metered }) => [name, metered]).sort(), [
    ["line1", false],
    ["wwan7", true],
  ]);
  await lab.ip(net.client, "link set wwan7 down", "link set wwan7 name line2", "link set line2 up");
  await upAfter(program, "line1");
  await lab.ip(net.client, "route del default dev line1");
  assertEquals((await program.down("client")).code, 0);
  // The carrier of a cable that was down comes back in its own time.
  const state = async (): Promise<string[]> => (await systemState(net.client)).split("\n").sort();
  await eventually(async () => `${await state()}` === `${before}`, PATIENCE_MS);
  assertEquals(await state(), before);
});

programTest("a crash leaves nothing of links that were found", async (lab) => {
  const { net, program } = await setUp(lab, 2);
  await configure(program, AUTO);
  const before = await systemState(net.client);
  await program.up("client");
  await upAfter(program, "line1", "line2");
  await program.down("client", "SIGKILL");
  assertStringIncludes(await systemState(net.client), "from 198.51.100.2");
  assertEquals((await program.run("client", "down", program.file("client"))).code, 0);
  assertEquals(await systemState(net.client), before);
});

programTest("a table has the options of the interface of its name", async (lab) => {
  const { program } = await setUp(lab, 2);
  const exclude = 'links_exclude = ["line1"]';
  await configure(program, `${AUTO}\n${exclude}`, '[link.line2]\ntier = "backup"\nmetered = true');
  await program.up("client");
  await upAfter(program, "line2");
  const [link] = (await program.status("server"))!.tunnel.peers[0]!.links;
  assertEquals([link!.tier, link!.metered], ["backup", true]);
});

programTest("a link moves to another interface of its pattern", async (lab) => {
  const { net, program } = await setUp(lab, 2);
  await lab.ip(
    net.client,
    ...net.lines.flatMap(({ interface: name }, i) => [
      `link set ${name} down`,
      `link set ${name} name wwan${i}`,
    ]),
    "link set wwan0 up",
    defaultRoute(net, 0, "wwan0"),
  );
  const link = `[link.lte]\nport = ${FIRST_PORT}\ninterface = "wwan*"`;
  const second = `[link.other]\nport = ${FIRST_PORT}\ninterface = "wwan*"`;
  await configure(program, `server = "${SERVER_ADDRESS}"`, link);
  await program.up("client");
  await upAfter(program, "lte");
  await lab.ip(
    net.client,
    "link set wwan0 down",
    "link set wwan0 name gone0",
    "link set wwan1 up",
    defaultRoute(net, 1, "wwan1"),
  );
  const moved = async (): Promise<boolean> => {
    const [lte] = (await program.status("server"))?.tunnel.peers[0]?.links ?? [];
    return lte?.state === "up" && lte.remote.startsWith("198.51.100.6:");
  };
  assert(await eventually(moved, PATIENCE_MS), program.child("client").stderr.join("\n"));
  await carries(lab, net);
  await program.down("client");

  // Two links with one pattern have an interface each.
  await lab.ip(
    net.client,
    "link set gone0 name wwan0",
    "link set wwan0 up",
    defaultRoute(net, 0, "wwan0"),
  );
  await configure(program, `server = "${SERVER_ADDRESS}"`, `${link}\n${second}`);
  const checked = await program.run("client", "check", program.file("client"));
  assertEquals(checked, { code: 0, stdout: "configuration OK\n", stderr: "" });
  await program.up("client");
  await upAfter(program, "lte", "other");
  const links = (await program.status("server"))!.tunnel.peers[0]!.links;
  const from = links.map(({ remote }) => remote.split(":")[0]).sort();
  assertEquals(from, ["198.51.100.2", "198.51.100.6"]);
});
