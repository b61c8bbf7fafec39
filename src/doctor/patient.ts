/**
 * A link that is examined: what this host says of it before anything is sent.
 *
 * @module
 */

import { Address, parseAddress } from "../address.ts";
import { compact } from "../config/compact.ts";
import type { LinkConfig } from "../config/config.ts";
import { wayOf } from "../config/ways.ts";
import { linkSocket } from "../daemon/plan.ts";
import { AggvpnError } from "../errors.ts";
import type { LinkWay, Platform, SocketOptions } from "../platform/platform.ts";
import { type Remote, remoteOf } from "../remote.ts";
import type { LinkFacts, NameFacts } from "./facts.ts";

/** What is known of one link so far. */
export interface Patient {
  readonly config: LinkConfig;
  readonly socket: SocketOptions;
  /** Where it sends to its first server with an address that can be used. */
  readonly remote: Remote | undefined;
  facts: LinkFacts;
}

/** Looks at what this host says of a link, before anything is sent. */
export async function admit(config: LinkConfig, platform: Platform): Promise<Patient> {
  const names = await Promise.all(
    config.remotes.flatMap(({ host }) =>
      host instanceof Address ? [] : [lookUp(host, config, platform)]
    ),
  );
  const remote = remoteFor(config, names);
  const socket = linkSocket(config, config.bind?.family ?? remote?.family ?? 4);
  const way = lookAtWay(platform, socket, remote);
  const { name, options } = config;
  const filter = platform.answerFilter(socket);
  return {
    config,
    socket,
    remote,
    facts: compact({
      name,
      isCostly: options.metered || options.quotaBytes !== undefined,
      way: wordsOf(config, socket),
      interface: socket.interface,
      names,
      obstacle: way?.obstacle,
      filter,
      isUp: false,
      unused: options.off,
      server: remote?.toString(),
    }),
  };
}

async function lookUp(
  host: string,
  link: LinkConfig,
  platform: Platform,
): Promise<NameFacts> {
  const begin = performance.now();
  const tookUs = (): number => Math.round((performance.now() - begin) * 1000);
  try {
    const found = await platform.lookup(host, compact({ rdomain: link.rdomain }));
    return { host, addresses: found.map(String), tookUs: tookUs() };
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    return { host, addresses: [], tookUs: tookUs(), problem: error.message };
  }
}

/** Whether the server answers by it. */
export function isUp({ facts }: Patient): boolean {
  return facts.isUp;
}

/** Whether nothing that this link sends can leave. */
export function isHopeless({ facts }: Patient): boolean {
  return facts.obstacle !== undefined || facts.socketProblem !== undefined ||
    facts.server === undefined || facts.unused !== undefined;
}

/** Where a link sends, of a family that it has. */
function remoteFor({ remotes, bind }: LinkConfig, names: readonly NameFacts[]): Remote | undefined {
  for (const { host, port } of remotes) {
    const found = names.find((name) => name.host === host)?.addresses ?? [];
    const addresses = host instanceof Address ? [host] : found.flatMap(parseFound);
    const usable = addresses.find(({ family }) => bind === undefined || family === bind.family);
    if (usable) return remoteOf(usable.bytes, port);
  }
  return undefined;
}

function parseFound(text: string): Address[] {
  const address = parseAddress(text);
  return address ? [address] : [];
}

/** Asks the system what the datagrams of a link meet; undefined where it does not tell. */
function lookAtWay(
  platform: Platform,
  socket: SocketOptions,
  remote: Remote | undefined,
): LinkWay | undefined {
  const watch = platform.watchNetwork([{ socket, remote: remote?.address }]);
  try {
    return watch?.look(0);
  } finally {
    watch?.close();
  }
}

/** How a link leaves this host, in words. */
function wordsOf(
  link: LinkConfig,
  { interface: name, address, rdomain, mark }: SocketOptions,
): string {
  const table = wayOf(link, "table");
  const words = [
    ...name === undefined ? [] : [`by ${name}`],
    ...rdomain === undefined ? [] : [`in rdomain ${rdomain}`],
    ...table === undefined ? [] : [`by table ${table}`],
    ...mark === undefined ? [] : [`with mark ${mark}`],
    ...address === undefined ? [] : [`from ${address}`],
  ];
  return words.length === 0 ? "by the default route" : words.join(" ");
}
