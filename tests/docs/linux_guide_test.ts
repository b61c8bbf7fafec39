/**
 * docs/linux.md as it is: its configurations, firewalls, switches and routes, with the built
 * program between the hosts that it draws.
 *
 *     lan eth0 -- eth0 client eth1, eth2 -- isp1, isp2 internet uplink -- eth0 server
 *
 * @module
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { run } from "../../lab/process.ts";
import { askStatus } from "../../lab/program.ts";
import { BINARY, eventually, programTest } from "../../lab/require.ts";
import { freshPort, tcpTransfer } from "../../lab/traffic.ts";
import { meaningOf, read } from "./configurations.ts";
import { blocksOf, blockTitled, codeOf, readDocument } from "./markdown.ts";
import { IMPOSSIBLE, messagePatterns } from "./messages.ts";

const GUIDE = readDocument("docs/linux.md");
/** What the guide tells to install, and what its hosts need to start with `nat = true`. */
const GUIDE_TOOLS = ["nft", "sysctl"] as const;

Deno.test("the configurations of the Linux guide are right as they stand", () => {
  const blocks = blocksOf(GUIDE, "toml");
  assertEquals(blocks.length, 4);
  for (const { text } of blocks) assertEquals(read(text).problems, []);
});

Deno.test("the configurations of the Linux guide are those of the examples", () => {
  for (const end of ["client", "server", "van"]) {
    const text = blockTitled(GUIDE, `/etc/aggvpn/${end}.toml`);
    assertEquals(meaningOf({ text }), meaningOf({ example: `linux/${end}.toml` }));
  }
});

Deno.test("the Linux guide explains every message of check", () => {
  const patterns = messagePatterns([
    "src/platform/linux/inspect.ts",
    "src/platform/linux/inspect_network.ts",
    "src/platform/linux/socket_setup.ts",
    "src/platform/first_calls.ts",
    "src/platform/open_files.ts",
    "src/cli/host_check.ts",
    "src/daemon/found_links.ts",
  ]);
  assertGreater(patterns.length, 10);
  const explained = [...codeOf(GUIDE), ...IMPOSSIBLE];
  const missing = patterns.filter((pattern) => !explained.some((code) => pattern.test(code)));
  assertEquals(missing, []);
});

interface Network {
  readonly lan: string;
  readonly client: string;
  readonly internet: string;
  readonly server: string;
}

/** The hosts of the guide's picture, cabled and with addresses; the client has no routes yet. */
async function buildNetwork(lab: Lab): Promise<Network> {
  const [lan, client] = [await lab.namespace("lan"), await lab.namespace("client")];
  const [internet, server] = [await lab.namespace("internet"), await lab.namespace("server")];
  const cables = [
    [lan, "eth0", client, "eth0"],
    [client, "eth1", internet, "isp1"],
    [client, "eth2", internet, "isp2"],
    [internet, "uplink", server, "eth0"],
  ] as const;
  for (const [from, end, to, otherEnd] of cables) {
    await run(
      ["ip", "link", "add", end, "netns", from, "type", "veth"]
        .concat(["peer", "name", otherEnd, "netns", to]),
    );
  }
  await addresses(lab, lan, { eth0: "192.168.7.2/24" });
  await addresses(lab, client, {
    eth0: "192.168.7.1/24",
    eth1: "198.51.100.10/24",
    eth2: "203.0.113.10/24",
  });
  await addresses(lab, internet, {
    isp1: "198.51.100.1/24",
    isp2: "203.0.113.1/24",
    uplink: "192.0.2.254/24",
  });
  await addresses(lab, server, { eth0: "192.0.2.1/24" });
  await lab.ip(lan, "route add default via 192.168.7.1");
  await lab.ip(server, "route add default via 192.0.2.254");
  // As on many distributions: what the guide says has to be necessary and sufficient.
  const strict = { "net/ipv4/ip_forward": "0", "net/ipv4/conf/all/rp_filter": "1" };
  await lab.sysctl(client, strict);
  await lab.sysctl(server, strict);
  return { lan, client, internet, server };
}

async function addresses(
  lab: Lab,
  namespace: string,
  byInterface: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, address] of Object.entries(byInterface)) {
    await lab.ip(namespace, `address add ${address} dev ${name}`, `link set ${name} up`);
  }
}

/** The files of the guide, in a directory that is removed with the lab. */
class Files {
  readonly #directory: string;
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#directory = Deno.makeTempDirSync({ prefix: "agg-guide-" });
    lab.onClose(() => Deno.remove(this.#directory, { recursive: true }));
    Deno.writeTextFileSync(this.#path("secret"), "not a secret, only a test\n", { mode: 0o600 });
  }

  /** Writes the block with this title; returns its path. */
  write(title: string): string {
    const path = this.#path(title.replaceAll(/\W/g, "_"));
    Deno.writeTextFileSync(path, blockTitled(GUIDE, title), { mode: 0o600 });
    return path;
  }

  /** The same for a configuration, with key and control socket in the directory. */
  configuration(name: string): { path: string; control: string } {
    const control = this.#path(`${name}.sock`);
    this.#lab.onClose(() => Deno.remove(`/var/lib/aggvpn/${name}.clock`).catch(() => {}));
    const text = blockTitled(GUIDE, `/etc/aggvpn/${name}.toml`)
      .replace("/etc/aggvpn/secret", this.#path("secret"));
    const path = this.#path(`${name}.toml`);
    Deno.writeTextFileSync(path, `control = "${control}"\n${text}`, { mode: 0o600 });
    return { path, control };
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

/** Runs a command in a namespace; throws with what it said when it fails. */
async function execute(namespace: string, ...command: string[]): Promise<string> {
  return await run(["ip", "netns", "exec", namespace, ...command]);
}

/** Whether both links of the tunnel with this control socket are up. */
async function bothUp(control: string): Promise<boolean> {
  const [peer] = (await askStatus(control))?.tunnel.peers ?? [];
  return peer?.links.filter(({ state }) => state === "up").length === 2;
}

/** Whether a host of the LAN can send data to the other side of the server. */
async function reachesInternet(lab: Lab, { lan, internet }: Network): Promise<boolean> {
  const flow = { from: lan, to: internet, address: "192.0.2.254", port: freshPort() };
  return (await tcpTransfer(lab, flow, 0.5)).totalBytes > 100_000;
}

programTest(
  "the Linux guide joins two uplinks for a LAN, and what it prints is so",
  async (lab) => {
    const net = await buildNetwork(lab);
    const files = new Files(lab);
    await execute(net.server, "nft", "-f", files.write("/etc/nftables.conf of the server"));
    await execute(net.client, "nft", "-f", files.write("/etc/nftables.conf of the client"));
    await execute(net.client, "sysctl", "-q", "-p", files.write("/etc/sysctl.d/90-aggvpn.conf"));
    await execute(
      net.client,
      "sh",
      "-e",
      files.write("the client's uplinks, both in the main table"),
    );
    const server = files.configuration("server");
    const client = files.configuration("client");

    const checked = await lab.attempt(net.client, [BINARY, "check", client.path]);
    assertEquals([checked.stdout, checked.code], ["configuration OK\n", 0]);
    const before = await execute(net.client, "ip", "route");
    lab.spawn(net.server, [BINARY, "up", server.path]);
    const child = lab.spawn(net.client, [BINARY, "up", "-v", client.path]);
    assert(await eventually(() => bothUp(client.control), 30_000), child.stderr.join("\n"));
    assert(await reachesInternet(lab, net));

    const [printed] = blocksOf(GUIDE, "text").filter(({ text }) => text.startsWith("+ "));
    const changes = child.stderr.filter((line) => line.startsWith("+ "));
    assertEquals(changes.slice(0, -1), printed!.text.trimEnd().split("\n"));
    assertEquals(changes.at(-1)!.startsWith("+ nft "), true);
    await execute(net.client, "nft", "list", "table", "inet", "aggvpn_agg0");
    await child.stop();
    assertEquals(await execute(net.client, "ip", "route"), before);
  },
  ...GUIDE_TOOLS,
);

programTest(
  "the Linux guide's tables keep everything but the links off the uplinks",
  async (lab) => {
    const net = await buildNetwork(lab);
    const files = new Files(lab);
    await execute(net.client, "sysctl", "-q", "-p", files.write("/etc/sysctl.d/90-aggvpn.conf"));
    await execute(net.client, "nft", "-f", files.write("/etc/nftables.conf of the client"));
    await execute(net.client, "sh", "-e", files.write("the client's uplinks, a table for each"));
    const { path, control } = files.configuration("tables");
    lab.spawn(net.server, [BINARY, "up", files.configuration("server").path]);
    const child = lab.spawn(net.client, [BINARY, "up", path]);
    assert(await eventually(() => bothUp(control), 30_000), child.stderr.join("\n"));
    assert(await reachesInternet(lab, net));
    const rules = await execute(net.client, "ip", "rule");
    assertEquals(rules.match(/^7800:.* oif eth1 lookup 101 proto 78$/m) !== null, true, rules);
    await child.stop();
    const route = await lab.attempt(net.client, ["ip", "route", "get", "192.0.2.1"]);
    assertEquals([route.code, route.stdout], [2, ""]);
  },
  ...GUIDE_TOOLS,
);

programTest(
  "a strict reverse-path filter keeps links down, as the Linux guide warns",
  async (lab) => {
    const net = await buildNetwork(lab);
    const files = new Files(lab);
    await execute(
      net.client,
      "sh",
      "-e",
      files.write("the client's uplinks, both in the main table"),
    );
    const { path, control } = files.configuration("client");
    const checked = await lab.attempt(net.client, [BINARY, "check", path]);
    assertEquals(checked.stdout.match(/strict reverse-path filter/g)?.length, 2, checked.stdout);
    lab.spawn(net.server, [BINARY, "up", files.configuration("server").path]);
    const child = lab.spawn(net.client, [BINARY, "up", path]);
    assert(await child.says("no answer on any link", 30_000));
    await lab.sysctl(net.client, { "net/ipv4/conf/all/rp_filter": "2" });
    assert(await eventually(() => bothUp(control), 30_000), "the loose filter lets them up");
  },
  ...GUIDE_TOOLS,
);
