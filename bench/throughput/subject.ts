/**
 * What is measured: aggvpn in several shapes, and no tunnel at all.
 *
 * @module
 */

import type { Lab } from "../../lab/namespaces.ts";
import { attempt } from "../../lab/process.ts";
import { INNER, Program, type ProgramOptions, type Side } from "../../lab/program.ts";
import type { Topology } from "../../lab/topology.ts";

/** Something between two namespaces that carries packets. */
export interface Running {
  /** Inner address of each end. */
  readonly ends: Readonly<Record<Side, string>>;
  /** The process of each end; undefined where there is none. */
  readonly pids: Readonly<Record<Side, number>> | undefined;
  /** Asks an end for its status; absent where there is no way to ask. */
  readonly ask?: (side: Side) => Promise<unknown>;
}

/** A way to get packets from one namespace to the other. */
export interface Subject {
  /** Short and unique, for `--case`. */
  readonly name: string;
  readonly title: string;
  /** Bare veth cables between the namespaces. */
  readonly cables: number;
  /** Whether small packets are measured too. */
  readonly small: boolean;
  /** Why it cannot be measured here, in words; undefined when it can. */
  missing(): Promise<string | undefined>;
  /** Everything started ends with the lab. */
  start(lab: Lab, net: Topology): Promise<Running>;
}

/** The cables alone. */
export const RAW: Subject = {
  name: "raw",
  title: "raw veth, no tunnel",
  cables: 1,
  small: true,
  missing: () => Promise.resolve(undefined),
  start: (_lab, net) => Promise.resolve({ ends: rawEnds(net), pids: undefined }),
};

/** Addresses of the first cable. */
export function rawEnds({ lines }: Topology): Readonly<Record<Side, string>> {
  const [line] = lines;
  if (line === undefined) throw new Error("There is no cable");
  return { client: line.client, server: line.server };
}

async function startAggvpn(
  lab: Lab,
  net: Topology,
  aead: string,
  options: ProgramOptions = {},
): Promise<Running> {
  const program = await Program.start(lab, net, options);
  for (const side of ["client", "server"] as const) {
    const used = (await program.status(side))?.tunnel.aead;
    if (used !== aead) throw new Error(`The ${side} encrypts with ${used}, not ${aead}`);
  }
  const pids = { client: program.child("client").pid, server: program.child("server").pid };
  return { ends: INNER, pids, ask: (side) => program.status(side) };
}

function aggvpn(name: string, title: string, cables: number): Subject {
  return {
    name,
    title,
    cables,
    small: true,
    missing: async () => await libcryptoPath() ? undefined : "there is no libcrypto.so.3 here",
    start: (lab, net) => startAggvpn(lab, net, "libcrypto"),
  };
}

/** One link. */
export const ONE_LINK: Subject = aggvpn("one", "aggvpn, one link", 1);
/** Two links. */
export const TWO_LINKS: Subject = aggvpn("two", "aggvpn, two links", 2);

/**
 * One link on a host without libcrypto: the library is hidden in the mount namespace
 * that `ip netns exec` makes for each program.
 */
export const FALLBACK: Subject = {
  name: "fallback",
  title: "aggvpn, one link, without libcrypto",
  cables: 1,
  small: false,
  missing: () => Promise.resolve(undefined),
  async start(lab: Lab, net: Topology): Promise<Running> {
    const path = await libcryptoPath();
    const hide = 'mount --bind /dev/null "$0" && exec "$@"';
    return await startAggvpn(lab, net, "noble", path ? { runner: ["sh", "-c", hide, path] } : {});
  },
};

/** Where the dynamic linker finds libcrypto; undefined when it does not. */
async function libcryptoPath(): Promise<string | undefined> {
  const { stdout } = await attempt(["/sbin/ldconfig", "-p"]);
  return /^\s*libcrypto\.so\.3 .*=> (\S+)$/m.exec(stdout)?.[1];
}
