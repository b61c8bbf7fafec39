/**
 * Two commands to a tunnel: a server that `init` sets up, a client with two uplinks and one with a
 * single one that `join` it, and what `client` does meanwhile.
 *
 *     home  eth1, eth2 ==+
 *                        +== [router] 192.0.2.254 == eth0 192.0.2.1 server
 *     van   eth1 ========+
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { attempt, run } from "../../lab/process.ts";
import { askStatus } from "../../lab/program.ts";
import { BINARY, eventually, programTest } from "../../lab/require.ts";
import { freshPort, ping, tcpTransfer } from "../../lab/traffic.ts";

const PATIENCE_MS = 30_000;

/** The hosts, and the directory with the files of all of them. */
class World {
  readonly directory: string;
  readonly #lab: Lab;
  readonly #namespaces: Readonly<Record<string, string>>;

  private constructor(lab: Lab, namespaces: Readonly<Record<string, string>>) {
    this.#lab = lab;
    this.#namespaces = namespaces;
    this.directory = Deno.makeTempDirSync({ prefix: "agg-join-" });
    lab.onClose(() => Deno.remove(this.directory, { recursive: true }));
    // What is kept of a tunnel is named after its file.
    for (const name of ["home", "van"]) {
      lab.onClose(() => Deno.remove(`/var/lib/aggvpn/${this.name(name)}.clock`).catch(() => {}));
    }
  }

  static async build(lab: Lab): Promise<World> {
    const names = ["server", "home", "van", "router"];
    const namespaces: Record<string, string> = {};
    for (const name of names) namespaces[name] = await lab.namespace(name);
    const { server, home, van, router } = namespaces;
    const cables = [[home, "eth1", 1], [home, "eth2", 2], [van, "eth1", 3], [server, "eth0", 0]];
    for (const [host, name, number] of cables) {
      const port = `port${number}`;
      await run(
        ["ip", "link", "add", `${name}`, "netns", `${host}`, "type", "veth"]
          .concat(["peer", "name", port, "netns", router!]),
      );
      const [own, gateway] = number === 0
        ? ["192.0.2.1", "192.0.2.254"]
        : [`198.51.100.${16 * Number(number) + 2}`, `198.51.100.${16 * Number(number) + 1}`];
      const length = number === 0 ? 24 : 28;
      await lab.ip(router!, `address add ${gateway}/${length} dev ${port}`, `link set ${port} up`);
      await lab.ip(
        `${host}`,
        `address add ${own}/${length} dev ${name}`,
        `link set ${name} up`,
        `route add default via ${gateway} dev ${name} metric ${100 + Number(number)}`,
      );
    }
    // Beyond the server: what clients reach through it.
    await lab.ip(router!, "address add 203.0.113.80/32 dev lo");
    return new World(lab, namespaces);
  }

  /** The name of a host's tunnel, which no other test has. */
  name(host: string): string {
    return `${host}-${this.directory.slice(-8)}`;
  }

  file(host: string): string {
    return `${this.directory}/${this.name(host)}.toml`;
  }

  namespace(host: string): string {
    return this.#namespaces[host]!;
  }

  /** Runs the program on a host, with a text to read; it must succeed. */
  async aggvpn(host: string, args: readonly string[], input = ""): Promise<Output> {
    const command = ["ip", "netns", "exec", this.namespace(host), BINARY, ...args];
    const { code, stdout, stderr } = await attempt(command, input);
    assertEquals(code, 0, stderr);
    return { stdout, stderr };
  }

  /** Starts the tunnel of a host, and waits until it is set up. */
  async up(host: string): Promise<void> {
    const child = this.#lab.spawn(this.namespace(host), [BINARY, "up", this.file(host)]);
    assert(await child.says("is ready", PATIENCE_MS), child.stderr.join("\n"));
  }

  /** Names of the links of a host that are up. */
  async linksUp(host: string): Promise<string[]> {
    const peers = (await askStatus(`/var/run/aggvpn/${this.name(host)}.sock`))?.tunnel.peers ?? [];
    return peers.flatMap(({ links }) =>
      links.filter(({ state }) => state === "up").map(({ name }) => name)
    ).sort();
  }

  async areUp(host: string, links: string): Promise<boolean> {
    return await eventually(async () => `${await this.linksUp(host)}` === links, PATIENCE_MS);
  }

  /** Whether a host reaches an address, by a few small packets and by TCP. */
  async reaches(host: string, address: string, at: string): Promise<boolean> {
    const way = { from: this.namespace(host), to: this.namespace(at), address };
    const report = await ping(this.#lab, { ...way, port: freshPort() }, {
      count: 10,
      intervalMs: 20,
    });
    const { totalBytes } = await tcpTransfer(this.#lab, { ...way, port: freshPort() }, 0.5);
    return report.received === 10 && totalBytes > 100_000;
  }
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

programTest(
  "init and join make a tunnel, and clients come and go",
  async (lab) => {
    const world = await World.build(lab);
    const file = (host: string): string => world.file(host);
    const init = await world.aggvpn("server", ["init", `--file=${file("server")}`]);
    assertMatch(init.stdout, /^AGGJOIN1[0-9A-Z]+\n$/);
    assertEquals((Deno.statSync(file("server")).mode ?? 0) & 0o777, 0o600);
    const join = ["join", "-", `--file=${file("home")}`];
    const joined = await world.aggvpn("home", join, init.stdout);
    assertEquals(joined.stdout, "");
    assertEquals((Deno.statSync(file("home")).mode ?? 0) & 0o777, 0o600);
    for (const { stderr } of [init, joined]) assert(!/warning|error/.test(stderr), stderr);

    await world.up("server");
    await world.up("home");
    assert(await world.areUp("home", "eth1,eth2"));
    const server = await Deno.readTextFile(file("server"));
    const [, inner = ""] = /^address = "([\d.]+)\/24"$/m.exec(server)!;
    const [, inner6 = ""] = /^address6 = "([\da-f:]+)\/64"$/m.exec(server)!;
    assert(await world.reaches("home", inner, "server"));
    assert(await world.reaches("home", inner6, "server"));
    assert(await world.reaches("home", "203.0.113.80", "router"), "through nat");

    // A comment of the administrator's, which has to stay.
    await Deno.writeTextFile(file("server"), server.replace("[tunnel]", "# Mine.\n[tunnel]"));
    const added = await world.aggvpn("server", ["client", "add", "van", file("server")]);
    assertMatch(added.stdout, /^AGGJOIN1[0-9A-Z]+\n$/);
    assertStringIncludes(added.stderr, "The running server has taken it over.");
    const again = await Deno.readTextFile(file("server"));
    assertStringIncludes(again, "# Mine.\n[tunnel]");
    assertStringIncludes(again, "[client.van]");
    // As a terminal breaks it.
    const broken = added.stdout.replaceAll(/.{40}/g, "$&\n");
    const vanJoin = ["join", `--file=${file("van")}`, "--links=eth1", "--routes=none"];
    await world.aggvpn("van", vanJoin, broken);
    await world.up("van");
    assert(await world.areUp("van", "eth1"));
    assert(await world.reaches("van", inner, "server"));
    assert(await world.areUp("home", "eth1,eth2"));

    const list = await world.aggvpn("server", ["client", "list", file("server")]);
    assertMatch(list.stdout, /^home +10\.\S+\.2, fd\S+::2\nvan +10\.\S+\.3, fd\S+::3\n$/);
    const removed = await world.aggvpn("server", ["client", "remove", "van", file("server")]);
    assertStringIncludes(removed.stderr, "The running server has taken it over.");
    assert(await world.areUp("van", ""), "its key counts no longer");
    assert(await world.areUp("home", "eth1,eth2"));
    assert(!(await Deno.readTextFile(file("server"))).includes("van"));
  },
  "nft",
  "sysctl",
);
