/**
 * A client of two links and two servers, of which the first dies and comes back.
 *
 *     client [agg0 10.44.43.1] == line1 == router == [agg0 10.44.43.2] first 203.0.113.1
 *                              == line2 ==        == [agg0 10.44.43.2] second 203.0.113.2
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import type { Child } from "../../lab/process.ts";
import { run } from "../../lab/process.ts";
import { askStatus, INNER } from "../../lab/program.ts";
import { BINARY, delay, eventually, programTest } from "../../lab/require.ts";
import { freshPort, pingFrom, startEcho } from "../../lab/traffic.ts";

const SERVERS = ["first", "second"] as const;
type Server = typeof SERVERS[number];

const PASSWORD = "not a secret, only a test";
const PORT = 5080;
const PATIENCE_MS = 30_000;
/** Between pings. */
const INTERVAL_MS = 20;

/** What everything runs in. */
class Site {
  readonly lab: Lab;
  readonly directory: string;
  readonly client: string;
  readonly servers: Readonly<Record<Server, string>>;

  private constructor(
    lab: Lab,
    directory: string,
    client: string,
    servers: Readonly<Record<Server, string>>,
  ) {
    this.lab = lab;
    this.directory = directory;
    this.client = client;
    this.servers = servers;
  }

  static async build(lab: Lab): Promise<Site> {
    const directory = await Deno.makeTempDir({ prefix: "agg-lab-" });
    lab.onClose(() => Deno.remove(directory, { recursive: true }));
    const client = await lab.namespace("client");
    const router = await lab.namespace("router");
    for (const i of [0, 1]) {
      const name = `line${i + 1}`;
      const [near, far] = [2, 1].map((host) => `198.51.100.${4 * i + host}`);
      await cable(client, name, router, name);
      await lab.ip(client, `addr add ${near}/30 dev ${name}`, `link set dev ${name} up`);
      await lab.ip(router, `addr add ${far}/30 dev ${name}`, `link set dev ${name} up`);
      await lab.ip(client, `route add 203.0.113.0/24 via ${far} dev ${name} metric ${100 + i}`);
    }
    const servers = { first: "", second: "" };
    for (const [i, server] of SERVERS.entries()) {
      const namespace = servers[server] = await lab.namespace(server);
      await cable(namespace, "eth0", router, server);
      const [near, far] = [2, 1].map((host) => `192.0.2.${4 * i + host}`);
      const address = `203.0.113.${i + 1}`;
      await lab.ip(
        namespace,
        `addr add ${address}/32 dev lo`,
        `addr add ${near}/30 dev eth0`,
        "link set dev eth0 up",
        `route add default via ${far}`,
      );
      await lab.ip(
        router,
        `addr add ${far}/30 dev ${server}`,
        `link set dev ${server} up`,
        `route add ${address} via ${near}`,
      );
    }
    return new Site(lab, directory, client, servers);
  }

  /** Starts a server. */
  async serve(server: Server): Promise<Child> {
    const listen = `203.0.113.${SERVERS.indexOf(server) + 1}`;
    const file = await this.#write(server, [
      'mode = "server"',
      `listen = "${listen}:${PORT}"`,
      ...this.#common(server, INNER.server),
    ]);
    return this.#up(this.servers[server], file);
  }

  async connect(): Promise<Child> {
    const file = await this.#write("client", [
      'mode = "client"',
      'server = ["203.0.113.1", "203.0.113.2"]',
      ...this.#common("client", INNER.client),
      `gateway = "${INNER.server}"`,
      ...[1, 2].flatMap((i) => [
        `[link.line${i}]`,
        `port = ${PORT}`,
        `interface = "line${i}"`,
      ]),
    ]);
    this.lab.onClose(() =>
      Deno.remove(`/var/lib/aggvpn/${this.#name("client")}.clock`).catch(() => {})
    );
    return this.#up(this.client, file);
  }

  /** The server that the client uses, and why, as `status` says. */
  async used(): Promise<string> {
    const peer = (await askStatus(this.#control("client")))?.tunnel.peers[0];
    if (peer?.state !== "up") return "";
    const reason = peer.serverReason === undefined ? "" : `, ${peer.serverReason}`;
    return `${peer.name}${reason}`;
  }

  #name(end: string): string {
    return `${end}-${this.directory.slice(this.directory.lastIndexOf("-") + 1)}`;
  }

  #control(end: string): string {
    return `${this.directory}/${end}.sock`;
  }

  #common(end: string, address: string): string[] {
    return [
      `password = "${PASSWORD}"`,
      `control = "${this.#control(end)}"`,
      "[tunnel]",
      'interface = "agg0"',
      "mss_clamp = false",
      `address = "${address}/30"`,
    ];
  }

  async #write(end: string, lines: readonly string[]): Promise<string> {
    const file = `${this.directory}/${this.#name(end)}.toml`;
    await Deno.writeTextFile(file, lines.join("\n") + "\n", { mode: 0o600 });
    return file;
  }

  async #up(namespace: string, file: string): Promise<Child> {
    const child = this.lab.spawn(namespace, [BINARY, "up", file]);
    assert(await child.says("is ready", 60_000), child.stderr.join("\n"));
    return child;
  }
}

async function cable(from: string, name: string, to: string, peer: string): Promise<void> {
  await run(`ip -n ${from} link add ${name} type veth peer name ${peer} netns ${to}`.split(" "));
}

programTest(
  "aggvpn up goes on with the second server within 5 s of the death of the first, and returns",
  async (lab) => {
    const site = await Site.build(lab);
    const echo = freshPort();
    for (const server of SERVERS) {
      await startEcho(lab, site.servers[server], "0.0.0.0", echo, 120);
    }
    const first = await site.serve("first");
    const second = await site.serve("second");
    const client = await site.connect();
    const isUsed = (name: string): Promise<boolean> =>
      eventually(async () => await site.used() === name, PATIENCE_MS);
    assert(await isUsed("203.0.113.1"), client.stderr.join("\n"));
    const ping = (seconds: number): ReturnType<typeof pingFrom> => {
      const flow = { from: site.client, address: INNER.server, port: echo };
      return pingFrom(lab, flow, {
        count: seconds * 1000 / INTERVAL_MS,
        intervalMs: INTERVAL_MS,
      });
    };

    const failing = ping(10);
    await delay(2000);
    await first.stop("SIGKILL");
    const { longestGapUs } = await failing;
    assert(longestGapUs > 1e6, `${longestGapUs} us: what answered?`);
    assert(longestGapUs < 5e6, `${longestGapUs} us`);
    assertEquals(await site.used(), "203.0.113.2, 203.0.113.1 does not answer");
    assert(await client.says("Server 203.0.113.1 does not answer: using 203.0.113.2", 5000));

    await site.serve("first");
    const returning = ping(45);
    assert(await isUsed("203.0.113.1"), client.stderr.join("\n"));
    assert(await client.says("Server 203.0.113.1 answers again: using 203.0.113.1", 5000));
    const report = await returning;
    assertEquals(report.received, report.sent, "nothing is lost");
    assert(await second.says("Session with client is down", 5000), second.stderr.join("\n"));
  },
);
