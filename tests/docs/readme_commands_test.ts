/**
 * The commands of the README, typed as they stand on hosts that were just installed.
 *
 *     client eth0 ==+
 *                   +== internet == eth0 192.0.2.1 server
 *     client wwan0 =+
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { run } from "../../lab/process.ts";
import { EXIT } from "../../src/errors.ts";
import { BINARY, eventually, programTest } from "../../lab/require.ts";
import { type Answer, FreshHost } from "./fresh_host.ts";
import { blocksOf, readDocument } from "./markdown.ts";

const README = readDocument("README.md");
const PATIENCE_MS = 30_000;

/** The blocks of commands, by their first line, in the order of the document. */
const BLOCKS: ReadonlyMap<string, readonly string[]> = new Map(
  blocksOf(README, "sh").map(({ text }) => {
    const [title = "", ...lines] = text.trimEnd().split("\n");
    return [title, lines];
  }),
);
const TITLE = {
  install: "# install, on both",
  init: "# on the server",
  join: "# on the client",
  clients: "# on the server, for more clients",
  mlvpn: "# at each end, with its own name for the result",
  key: "# on one of the two; copy the file to the other",
  byHand: "# by hand, the server first; the last one in another terminal",
  sources: "# in the sources",
} as const;

Deno.test("every block of commands of the README is run by a test", () => {
  assertEquals([...BLOCKS.keys()], Object.values(TITLE));
});

Deno.test("the make targets of the README can be made", async () => {
  const lines = [...BLOCKS.values()].flat().filter((line) => line.startsWith("make "));
  assertEquals(lines, ["make build", "make demo", "make test"]);
  for (const line of lines) await run([...line.split(" "), "--dry-run"]);
});

/** Runs the lines of a block, all of which have to succeed; returns what they said. */
async function type(host: FreshHost, title: string, input = ""): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const line of BLOCKS.get(title)!.filter((line) => !line.startsWith("make "))) {
    const answer = await host.run(line.replace(" build/aggvpn ", ` ${BINARY} `), input);
    assertEquals(answer.code, 0, `${line}: ${answer.output}`);
    answers.push(answer);
  }
  return answers;
}

async function build(lab: Lab): Promise<{ client: FreshHost; server: FreshHost }> {
  const [client, server] = [await lab.namespace("client"), await lab.namespace("server")];
  const internet = await lab.namespace("internet");
  const cables = [
    [client, "eth0", "198.51.100.2", "198.51.100.1"],
    [client, "wwan0", "203.0.113.2", "203.0.113.1"],
    [server, "eth0", "192.0.2.1", "192.0.2.254"],
  ] as const;
  for (const [i, [host, name, own, gateway]] of cables.entries()) {
    await run(
      ["ip", "link", "add", name, "netns", host, "type", "veth"]
        .concat(["peer", "name", `port${i}`, "netns", internet]),
    );
    await lab.ip(internet, `address add ${gateway}/24 dev port${i}`, `link set port${i} up`);
    await lab.ip(
      host,
      `address add ${own}/24 dev ${name}`,
      `link set ${name} up`,
      `route add default via ${gateway} dev ${name} metric ${100 + i}`,
    );
  }
  return {
    client: await FreshHost.open(lab, client),
    server: await FreshHost.open(lab, server),
  };
}

/** Whether `aggvpn status` shows that these links are up. */
async function areUp(host: FreshHost, links: readonly string[]): Promise<boolean> {
  return await eventually(
    async () => {
      const { output } = await host.run("aggvpn status");
      return links.every((link) => new RegExp(`^${link} +up `, "m").test(output));
    },
    PATIENCE_MS,
    200,
  );
}

programTest(
  "the commands of the README do what it says, on hosts that were just installed",
  async (lab) => {
    const { client, server } = await build(lab);
    for (const host of [client, server]) await type(host, TITLE.install);

    const [init] = await type(server, TITLE.init);
    const invitation = /^AGGJOIN1\w+$/m.exec(init!.output)![0];
    const [join] = await type(client, TITLE.join, invitation + "\n");
    assertStringIncludes(join!.output, "The tunnel is up, by ");
    assert(await areUp(client, ["eth0", "wwan0"]));
    assertStringIncludes((await client.run("ip route show 0.0.0.0/1")).output, "dev agg0");

    const [added, listed] = await type(server, TITLE.clients);
    assertMatch(added!.output, /^AGGJOIN1\w+$/m);
    assertMatch(listed!.output, /^home +10\..*\nvan +10\./m);

    await client.write("/etc/mlvpn/mlvpn.conf", MLVPN);
    const [, checked, enabled] = await type(client, TITLE.mlvpn);
    assertStringIncludes(checked!.output, "configuration OK");
    assertStringIncludes(enabled!.output, "+ systemctl enable --now aggvpn@moved");
    const isRunning = async (): Promise<boolean> =>
      (await client.run("aggvpn status moved")).code === EXIT.noSession; // with no server
    assert(await eventually(isRunning, PATIENCE_MS, 200));

    const running = [[client, "client"], [client, "moved"], [server, "server"]] as const;
    for (const [host, name] of running) {
      assertEquals((await host.run(`aggvpn down ${name}`)).code, 0);
    }
    await type(server, TITLE.key);
    const { output: secret } = await server.run("cat /etc/aggvpn/secret");
    await client.write("/etc/aggvpn/secret", secret.trim());
    const [clientFile, serverFile] = blocksOf(README, "toml").map(({ text }) => text);
    await client.write("/etc/aggvpn/client.toml", clientFile!);
    await server.write("/etc/aggvpn/server.toml", serverFile!);
    await server.start("aggvpn up /etc/aggvpn/server.toml");
    const [check = "", up = "", status = ""] = BLOCKS.get(TITLE.byHand)!;
    assertStringIncludes((await client.run(check)).output, "configuration OK");
    await client.start(up);
    assertEquals(status, "aggvpn status");
    assert(await areUp(client, ["dsl", "lte"]), (await client.run("cat /run/started.log")).output);
    assertMatch((await client.run("cat /run/started.log")).output, /^\+ ip address add/m);
  },
  "nft",
  "sysctl",
  "unshare",
);

const MLVPN = `[general]
mode = "client"
password = "not a secret, only a test"
ip4 = "10.42.43.1/30"
ip4_gateway = "10.42.43.2"
[dsl]
bindhost = "198.51.100.2"
remotehost = "192.0.2.1"
remoteport = 5080
`;
