/**
 * The network that demo, benches and end-to-end tests run in.
 *
 *      client namespace                                       server namespace
 *     +----------------------+                               +----------------------+
 *     | line1 198.51.100.2/30|=======[ emulated line 1 ]=====|198.51.100.1/30 line1 |
 *     | line2 198.51.100.6/30|=======[ emulated line 2 ]=====|198.51.100.5/30 line2 |
 *     |  ...                 |                               |  ...                 |
 *     +----------------------+                               |203.0.113.1/32 lo     |
 *                                                            |192.0.2.1/30 wild     |
 *                                                            +----------|-----------+
 *                                              stranger namespace: 192.0.2.2/30 wild
 *
 * 203.0.113.1 is the server's public address; the client reaches it over every line, preferably
 * line 1, and each line's server end only over that line. The stranger exists only when asked for.
 * With `veth`, a bare cable takes the place of the emulator, for measurements that the CPU limits.
 *
 * @module
 */

import { Emulator } from "./emulator.ts";
import type { LinePlan } from "./emulator/protocol.ts";
import { type Shape, WIRE } from "./emulator/shape.ts";
import type { Lab } from "./namespaces.ts";
import { run } from "./process.ts";

/** A line as a scenario describes it. */
export interface LineSpec {
  readonly up: Partial<Shape>;
  readonly down: Partial<Shape>;
}

/** One end-to-end line with its addresses. */
export interface LineAddresses {
  /** Interface name in both namespaces. */
  readonly interface: string;
  readonly client: string;
  readonly server: string;
}

/** The network of a run. */
export interface Topology {
  readonly client: string;
  readonly server: string;
  readonly stranger: string | undefined;
  readonly lines: readonly LineAddresses[];
  /** Absent with bare cables. */
  readonly emulator: Emulator | undefined;
}

/** The server's public address. */
export const SERVER_ADDRESS = "203.0.113.1";
/** The stranger's address. */
const STRANGER_ADDRESS = "192.0.2.2";

/** A line of `megabits` per second and `rttMs` in both directions, with a queue of 100 ms. */
export function symmetric(megabits: number, rttMs: number, extra: Partial<Shape> = {}): LineSpec {
  const shape = { ...WIRE, rateBps: megabits * 1e6, delayUs: rttMs * 500, ...extra };
  return { up: shape, down: shape };
}

/** Addresses of line number `index` (from 0). */
function lineAddresses(index: number): LineAddresses {
  return {
    interface: `line${index + 1}`,
    client: `198.51.100.${index * 4 + 2}`,
    server: `198.51.100.${index * 4 + 1}`,
  };
}

/** Builds the network with emulated lines. */
export async function buildEmulated(
  lab: Lab,
  specs: readonly LineSpec[],
  options: { stranger?: boolean; seed?: number } = {},
): Promise<Topology> {
  const [client, server] = [await lab.namespace("client"), await lab.namespace("server")];
  const lines = specs.map((_, i) => lineAddresses(i));
  const plans = specs.map((spec, i): LinePlan => {
    const name = lines[i]?.interface ?? "";
    return {
      name,
      client: { namespace: client, interface: name },
      server: { namespace: server, interface: name },
      up: spec.up,
      down: spec.down,
    };
  });
  const emulator = await Emulator.start({ lines: plans, seed: options.seed ?? 1 });
  lab.onClose(() => emulator.stop());
  return await finish(lab, client, server, lines, emulator, options.stranger ?? false);
}

/** Builds the network with `count` bare cables. */
export async function buildVeth(lab: Lab, count: number): Promise<Topology> {
  const [client, server] = [await lab.namespace("client"), await lab.namespace("server")];
  const lines = Array.from({ length: count }, (_, i) => lineAddresses(i));
  for (const { interface: name } of lines) await cable(client, name, server, name);
  return await finish(lab, client, server, lines, undefined, false);
}

async function finish(
  lab: Lab,
  client: string,
  server: string,
  lines: readonly LineAddresses[],
  emulator: Emulator | undefined,
  withStranger: boolean,
): Promise<Topology> {
  await lab.ip(
    client,
    ...lines.flatMap((line) => [
      ...upLines(line.interface, `${line.client}/30`),
    ]),
  );
  await lab.ip(
    server,
    `addr add ${SERVER_ADDRESS}/32 dev lo`,
    ...lines.flatMap((line) => upLines(line.interface, `${line.server}/30`)),
  );
  await lab.ip(
    client,
    ...lines.map((line, i) =>
      `route add ${SERVER_ADDRESS} via ${line.server} dev ${line.interface} metric ${100 + i}`
    ),
  );
  const stranger = withStranger ? await addStranger(lab, server) : undefined;
  return { client, server, stranger, lines, emulator };
}

function upLines(name: string, address: string): string[] {
  return [
    `addr add ${address} dev ${name}`,
    `link set dev ${name} addrgenmode none`,
    `link set dev ${name} txqueuelen 2000 up`,
  ];
}

async function addStranger(lab: Lab, server: string): Promise<string> {
  const stranger = await lab.namespace("stranger");
  await cable(stranger, "wild", server, "wild");
  await lab.ip(server, ...upLines("wild", "192.0.2.1/30"));
  await lab.ip(stranger, ...upLines("wild", `${STRANGER_ADDRESS}/30`));
  await lab.ip(stranger, `route add ${SERVER_ADDRESS} via 192.0.2.1`);
  return stranger;
}

async function cable(from: string, name: string, to: string, peer: string): Promise<void> {
  await run(
    `ip -n ${from} link add ${name} type veth peer name ${peer} netns ${to}`.split(" "),
  );
}
