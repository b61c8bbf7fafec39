/**
 * The built program at both ends of a topology, with configurations like a user's.
 *
 * @module
 */

import type { StatusDocument } from "../src/control/protocol.ts";
import type { Lab } from "./namespaces.ts";
import { attempt, type Child } from "./process.ts";
import { BINARY, eventually } from "./require.ts";
import { SERVER_ADDRESS, type Topology } from "./topology.ts";

/** First UDP port of the server; link number i uses this plus i. */
export const FIRST_PORT = 5080;

/** Inner addresses. */
export const INNER = {
  client: "10.44.43.1",
  server: "10.44.43.2",
  client6: "2001:db8:44::1",
  server6: "2001:db8:44::2",
} as const;

/** Either end. */
export type Side = "client" | "server";

/** What a run changes in the plain configuration. */
export interface ProgramOptions {
  /** Megabits per second of each line, up and down, to be written as known rates. */
  readonly rates?: readonly { readonly up: number; readonly down: number }[];
  /** More lines at the top of a side's file. */
  readonly top?: Partial<Record<Side, string>>;
  /** More lines of a side's `[tunnel]` table. */
  readonly tunnel?: Partial<Record<Side, string>>;
  /** More lines of each link's table. */
  readonly link?: readonly string[];
  /** Whether the tunnel has no IPv6, which needs packets of at least 1280 bytes. */
  readonly ipv4Only?: boolean;
  readonly password?: Partial<Record<Side, string>>;
  /** Command that runs the program, which is appended to it with its arguments. */
  readonly runner?: readonly string[];
  /** Path of the program instead of the built one. */
  readonly binary?: string;
}

/** Where a client keeps the time of its last handshake. */
const STATE = "/var/lib/aggvpn";
/** Nothing is forwarded in the lab, and it must not need nft. */
const NO_FIREWALL = "mss_clamp = false";
const PASSWORD = "not a secret, only a test";

/** The client's configuration for `net`; `control` is the path of its socket. */
function clientConfig(net: Topology, options: ProgramOptions, control: string): string {
  const links = net.lines.map((line, i) => {
    const rates = options.rates?.[i];
    return [
      `[link.${line.interface}]`,
      `port = ${FIRST_PORT + i}`,
      `interface = "${line.interface}"`,
      `bind = "${line.client}"`,
      ...rates ? [`bandwidth_upload = "${rates.up} Mbit/s"`] : [],
      ...rates ? [`bandwidth_download = "${rates.down} Mbit/s"`] : [],
      options.link?.[i] ?? "",
    ].join("\n");
  });
  return [
    'mode = "client"',
    `password = "${options.password?.client ?? PASSWORD}"`,
    `server = "${SERVER_ADDRESS}"`,
    `control = "${control}"`,
    options.top?.client ?? "",
    "[tunnel]",
    'interface = "agg0"',
    NO_FIREWALL,
    `address = "${INNER.client}/30"`,
    ...options.ipv4Only ? [] : [`address6 = "${INNER.client6}/64"`],
    `gateway = "${INNER.server}"`,
    options.tunnel?.client ?? "",
    ...links,
  ].join("\n") + "\n";
}

/** The server's configuration for `net`. */
function serverConfig(net: Topology, options: ProgramOptions, control: string): string {
  const listen = net.lines.map((_, i) => `"${SERVER_ADDRESS}:${FIRST_PORT + i}"`);
  return [
    'mode = "server"',
    `password = "${options.password?.server ?? PASSWORD}"`,
    `listen = [${listen.join(", ")}]`,
    `control = "${control}"`,
    options.top?.server ?? "",
    "[tunnel]",
    'interface = "agg0"',
    NO_FIREWALL,
    `address = "${INNER.server}/30"`,
    ...options.ipv4Only ? [] : [`address6 = "${INNER.server6}/64"`],
    options.tunnel?.server ?? "",
  ].join("\n") + "\n";
}

/** Asks a running program for its status over its control socket; undefined when it does not answer. */
export async function askStatus(control: string): Promise<StatusDocument | undefined> {
  try {
    using connection = await Deno.connect({ transport: "unix", path: control });
    const request = JSON.stringify({ version: 1, request: "status" }) + "\n";
    await connection.write(new TextEncoder().encode(request));
    let text = "";
    const chunks = connection.readable.pipeThrough(new TextDecoderStream());
    for await (const chunk of chunks) {
      text += chunk;
      if (text.includes("\n")) break;
    }
    const answer = JSON.parse(text) as { status?: StatusDocument | null };
    return answer.status ?? undefined;
  } catch {
    return undefined;
  }
}

/** Memory and CPU time of a process. */
export function usage(pid: number): { rssBytes: number; cpuSeconds: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

/** Both ends of a tunnel; either can be stopped and started again. */
export class Program {
  readonly directory: string;
  readonly #lab: Lab;
  readonly #net: Topology;
  readonly #running: Partial<Record<Side, Child>> = {};
  #runner: readonly string[] = [];
  #binary = BINARY;

  private constructor(lab: Lab, net: Topology, directory: string) {
    this.#lab = lab;
    this.#net = net;
    this.directory = directory;
  }

  /** Writes both configurations; starts nothing. */
  static async prepare(
    lab: Lab,
    net: Topology,
    options: ProgramOptions = {},
  ): Promise<Program> {
    const directory = await Deno.makeTempDir({ prefix: "agg-lab-" });
    lab.onClose(() => Deno.remove(directory, { recursive: true }));
    const program = new Program(lab, net, directory);
    // The client writes it when it ends.
    lab.onClose(() => Deno.remove(`${STATE}/${program.name("client")}.clock`).catch(() => {}));
    await program.configure(options);
    return program;
  }

  /** Both ends, started and connected over every link. */
  static async start(lab: Lab, net: Topology, options: ProgramOptions = {}): Promise<Program> {
    const program = await Program.prepare(lab, net, options);
    await Promise.all([program.up("server"), program.up("client")]);
    await program.connected();
    return program;
  }

  /** Rewrites both configurations, for the next start. */
  async configure(options: ProgramOptions): Promise<void> {
    this.#runner = options.runner ?? [];
    this.#binary = options.binary ?? BINARY;
    await this.write("client", clientConfig(this.#net, options, this.control("client")));
    await this.write("server", serverConfig(this.#net, options, this.control("server")));
  }

  /** Replaces a side's configuration. */
  async write(side: Side, text: string): Promise<void> {
    await Deno.writeTextFile(this.file(side), text, { mode: 0o600 });
  }

  /** Name of a side's tunnel, that no other program has: what is kept is named after it. */
  name(side: Side): string {
    return `${side}-${this.directory.slice(this.directory.lastIndexOf("-") + 1)}`;
  }

  /** Path of a side's configuration. */
  file(side: Side): string {
    return `${this.directory}/${this.name(side)}.toml`;
  }

  /** Path of a side's control socket. */
  control(side: Side): string {
    return `${this.directory}/${side}.sock`;
  }

  /** The process of a side that runs. */
  child(side: Side): Child {
    const child = this.#running[side];
    if (child === undefined) throw new Error(`The ${side} does not run`);
    return child;
  }

  /** Starts a side and returns it without waiting. */
  launch(side: Side, ...flags: readonly string[]): Child {
    const command = [...this.#runner, this.#binary, "up", ...flags, this.file(side)];
    const child = this.#lab.spawn(this.#net[side], command);
    this.#running[side] = child;
    return child;
  }

  /** Starts a side and waits until it says that it is ready. */
  async up(side: Side, ...flags: readonly string[]): Promise<Child> {
    const child = this.launch(side, ...flags);
    if (await child.says("is ready", 60_000)) return child;
    await child.stop();
    throw new Error(`The ${side} did not start: ${child.stderr.join("\n")}`);
  }

  /** Stops a side. */
  async down(side: Side, signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    const status = await this.child(side).stop(signal);
    delete this.#running[side];
    return status;
  }

  /** Runs the program in a side's namespace to its end. */
  run(
    side: Side,
    ...args: readonly string[]
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.#lab.attempt(this.#net[side], [...this.#runner, this.#binary, ...args]);
  }

  /** A side's status; undefined when it does not answer. */
  status(side: Side): Promise<StatusDocument | undefined> {
    return askStatus(this.control(side));
  }

  /** Waits until both sides have a session and every link of it is up; throws when that takes too long. */
  async connected(timeoutMs = 30_000): Promise<void> {
    const isUp = await eventually(
      async () => await this.#isUp("client") && await this.#isUp("server"),
      timeoutMs,
    );
    if (isUp) return;
    const said = (["server", "client"] as const).map((side) =>
      `${side}: ${this.#running[side]?.stderr.join("\n")}\n`
    );
    const status = JSON.stringify((await this.status("client"))?.tunnel.peers);
    throw new Error(`The tunnel did not come up\n${said.join("")}${status}`);
  }

  /** The links of a side that are up. */
  async linksUp(side: Side): Promise<string[]> {
    const peers = (await this.status(side))?.tunnel.peers ?? [];
    return peers.flatMap((peer) =>
      peer.links.filter((link) => link.state === "up").map((link) => link.name)
    );
  }

  async #isUp(side: Side): Promise<boolean> {
    return (await this.linksUp(side)).length === this.#net.lines.length;
  }
}

/** The kernel's interfaces, addresses, routes and rules of a namespace, as text. */
export async function systemState(namespace: string): Promise<string> {
  const parts = await Promise.all([
    ["-o", "link", "show"],
    ["-o", "addr", "show"],
    ["route", "show", "table", "all"],
    ["-6", "route", "show", "table", "all"],
    ["rule", "show"],
    ["-6", "rule", "show"],
  ].map((args) => attempt(["ip", "-n", namespace, ...args])));
  return parts.map((part) => part.stdout.trimEnd()).join("\n");
}
