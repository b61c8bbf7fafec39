/**
 * Other tunnels in the same namespaces, where they are installed: their figures on this machine
 * tell more than those from elsewhere.
 *
 * @module
 */

import { x25519 } from "@noble/curves/ed25519.js";
import type { Lab } from "../../lab/namespaces.ts";
import { type Child, run } from "../../lab/process.ts";
import type { Side } from "../../lab/program.ts";
import { eventually } from "../../lab/require.ts";
import { SERVER_ADDRESS, type Topology } from "../../lab/topology.ts";
import { rawEnds, type Running, type Subject } from "./subject.ts";

const ENDS = { client: "10.44.45.1", server: "10.44.45.2" } as const;
const SIDES = ["server", "client"] as const;
const OTHER = { client: "server", server: "client" } as const;
const START_MS = 10_000;
const OPENVPN_PORT = 1194;
const WIREGUARD_PORT = 51820;

/** How to get the missing ones, for `--peers`. */
export const HOW_TO_GET = "On Debian: apt-get install --no-install-recommends openvpn wireguard-go";

/** Where a peer's other end is, outside. */
function outerAddress(net: Topology, side: Side): string {
  return side === "server" ? SERVER_ADDRESS : rawEnds(net).client;
}

async function isInstalled(program: string): Promise<string | undefined> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const file = await Deno.stat(`${directory}/${program}`).catch(() => undefined);
    if (file?.isFile) return undefined;
  }
  return `${program} is not installed`;
}

/** Static key, since that needs no certificates; such a tunnel cannot use AES-GCM. */
const OPENVPN: Subject = {
  name: "openvpn",
  title: "openvpn, static key, AES-256-CBC",
  cables: 1,
  small: true,
  missing: () => isInstalled("openvpn"),
  async start(lab: Lab, net: Topology): Promise<Running> {
    const directory = await Deno.makeTempDir({ prefix: "agg-openvpn-" });
    lab.onClose(() => Deno.remove(directory, { recursive: true }));
    const key = `${directory}/static.key`;
    await run(["openvpn", "--genkey", "secret", key]);
    const children = SIDES.map((side) => lab.spawn(net[side], openvpnCommand(net, side, key)));
    for (const child of children) {
      if (await child.says("Initialization Sequence Completed", START_MS)) continue;
      throw new Error(`openvpn did not start: ${[...child.stdout, ...child.stderr].join("\n")}`);
    }
    return { ends: ENDS, pids: pidsOf(children) };
  },
};

function openvpnCommand(net: Topology, side: Side, key: string): string[] {
  const port = String(OPENVPN_PORT);
  const options: Readonly<Record<string, readonly string[]>> = {
    "dev": ["tun0"],
    "dev-type": ["tun"],
    "proto": ["udp"],
    "ifconfig": [ENDS[side], ENDS[OTHER[side]]],
    "local": [outerAddress(net, side)],
    "lport": [port],
    "remote": [outerAddress(net, OTHER[side]), port],
    "secret": [key],
    "cipher": ["AES-256-CBC"],
    "ping": ["1"],
  };
  return [
    "openvpn",
    ...Object.entries(options).flatMap(([name, values]) => [`--${name}`, ...values]),
  ];
}

/** Configured over its own socket, so that `wg` is not needed. */
const WIREGUARD_GO: Subject = {
  name: "wireguard-go",
  title: "wireguard-go",
  cables: 1,
  small: true,
  missing: () => isInstalled("wireguard-go"),
  async start(lab: Lab, net: Topology): Promise<Running> {
    const keys = { client: x25519.keygen(), server: x25519.keygen() };
    const children: Child[] = [];
    for (const side of SIDES) {
      const name = `aggw${Deno.pid}${side[0]}`;
      children.push(lab.spawn(net[side], ["wireguard-go", "--foreground", name]));
      const { secretKey } = keys[side];
      const { publicKey } = keys[OTHER[side]];
      await configureWireguard(name, [
        `private_key=${secretKey.toHex()}`,
        `listen_port=${WIREGUARD_PORT}`,
        `public_key=${publicKey.toHex()}`,
        `endpoint=${outerAddress(net, OTHER[side])}:${WIREGUARD_PORT}`,
        "allowed_ip=0.0.0.0/0",
      ]);
      await lab.ip(net[side], `addr add ${ENDS[side]}/30 dev ${name}`, `link set dev ${name} up`);
    }
    return { ends: ENDS, pids: pidsOf(children) };
  },
};

/** Cross-platform userspace interface of WireGuard (www.wireguard.com/xplatform). */
async function configureWireguard(name: string, lines: readonly string[]): Promise<void> {
  const path = `/var/run/wireguard/${name}.sock`;
  const connect = (): Promise<Deno.UnixConn> => Deno.connect({ transport: "unix", path });
  const listens = (): Promise<boolean> =>
    connect().then((connection) => (connection.close(), true), () => false);
  if (!await eventually(listens, START_MS)) throw new Error("wireguard-go did not start");
  using connection = await connect();
  await connection.write(new TextEncoder().encode(`set=1\n${lines.join("\n")}\n\n`));
  const answer = new Uint8Array(64);
  const length = await connection.read(answer) ?? 0;
  const text = new TextDecoder().decode(answer.subarray(0, length));
  if (!text.startsWith("errno=0")) throw new Error(`wireguard-go answered ${text}`);
}

function pidsOf([server, client]: readonly Child[]): Readonly<Record<Side, number>> {
  if (server === undefined || client === undefined) throw new Error("An end is missing");
  return { client: client.pid, server: server.pid };
}

/** All of them, installed or not. */
export const PEERS: readonly Subject[] = [OPENVPN, WIREGUARD_GO];
