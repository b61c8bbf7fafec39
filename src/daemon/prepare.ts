/**
 * What has to be found out before anything is opened: keys from pass phrases,
 * addresses from names, MTUs of links, the inner MTU.
 *
 * @module
 */

import type {
  ClientModeConfig,
  Config,
  LinkConfig,
  Secret,
  ServerModeConfig,
} from "../config/config.ts";
import type { Scrypt } from "../crypto/aead.ts";
import { stretchPassword } from "../crypto/psk.ts";
import { systemClock } from "../io/clock.ts";
import { AggvpnError } from "../errors.ts";
import type { Platform, SocketOptions, WatchedLink } from "../platform/platform.ts";
import type { ClientEndpointOptions, EndpointOptions } from "../tunnel/options.ts";
import { type LinkTables, linkTables, remoteLink, socketOf } from "./client_links.ts";
import {
  isOpenLink,
  type LinkInterfaces,
  linkInterfacesOf,
  NO_AUTO_LINKS_HINT,
  noAutoLinks,
} from "./link_interfaces.ts";
import { clientLink, listenSocket, policyOptions, tunnelMtu } from "./plan.ts";
import { Remotes } from "./remotes.ts";

/** What is asked of the system. */
export type PreparePlatform = Pick<Platform, "os" | "lookup" | "interfaceMtu" | "uplinks">;

/** The options of an endpoint that do not depend on its role. */
export type CommonOptions = Pick<EndpointOptions, "pool" | "aead" | "random" | "mtu">;

/** A configuration with everything looked up. */
export interface Prepared {
  /** By socket index. */
  readonly sockets: readonly SocketOptions[];
  /** What a client's links leave by, and where they send. */
  readonly tables?: LinkTables;
  /** The sockets, with where they send to. */
  readonly watched: WatchedLink[];
  /** Largest inner packet in bytes. */
  readonly mtu: number;
  /** `stampUs` is called for a client only. */
  readonly endpointOptions: (
    common: CommonOptions,
    stampUs: ClientEndpointOptions["stampUs"],
  ) => EndpointOptions;
}

/**
 * Looks everything up. What cannot be found out yet waits; only when the tunnel's routes could hide
 * every resolver, this does, until a server is found or `stopping` is aborted.
 */
export async function prepare(
  config: Config,
  scrypt: Scrypt | undefined,
  platform: PreparePlatform,
  stopping?: AbortSignal,
): Promise<Prepared> {
  return config.mode === "client"
    ? await prepareClient(config, scrypt, platform, stopping)
    : prepareServer(config, scrypt);
}

async function prepareClient(
  config: ClientModeConfig,
  scrypt: Scrypt | undefined,
  platform: PreparePlatform,
  stopping: AbortSignal | undefined,
): Promise<Prepared> {
  const firstSpare = config.links.findIndex(({ options }) => options.spare);
  const remotes = new Remotes({
    links: config.links.map((link, i) => remoteLink(link, i === firstSpare)),
    lookup: (host, link) => platform.lookup(host, link),
    clock: systemClock,
  });
  await remotes.start(mayHideResolvers(config), stopping);
  const found = remotes.current;
  const families = config.links.map((_, i) => remotes.familyOf(i) ?? 4);
  // The rule for a routing table is made once, for one family.
  config.links.forEach(({ table }, i) => {
    if (table !== undefined) remotes.fixFamily(i, families[i]!);
  });
  const interfaces = chooseInterfaces(config, platform);
  const tables = linkTables(config, remotes, interfaces);
  const sockets = config.links.map((_, i) => socketOf(tables, i));
  const interfaceMtus = sockets.map((socket) => platform.interfaceMtu(socket));
  const psk = keyOf(config.secret, scrypt);
  return {
    sockets,
    tables,
    watched: tables.watched,
    mtu: tunnelMtu(config, families, interfaceMtus),
    endpointOptions: (common, stampUs) => ({
      ...common,
      ...policyOptions(config),
      role: "client",
      psk,
      servers: config.servers,
      stampUs,
      links: config.links.map((link, i) =>
        clientLink(link, found[i]!, startMtuOf(link, interfaceMtus[i]))
      ),
    }),
  };
}

/** The interface that a spare link has at the start says nothing of those that it will have. */
function startMtuOf({ options }: LinkConfig, interfaceMtu: number | undefined): number | undefined {
  return options.spare ? undefined : interfaceMtu;
}

/** Throws AggvpnError where links do not follow interfaces. */
function chooseInterfaces(
  config: ClientModeConfig,
  platform: Pick<Platform, "os" | "uplinks">,
): LinkInterfaces {
  const { links, linksExclude } = config;
  const { uplinks, os } = platform;
  if (linksExclude && !uplinks) {
    throw new AggvpnError(noAutoLinks(os), { hint: NO_AUTO_LINKS_HINT });
  }
  const interfaces = linkInterfacesOf(config);
  if (uplinks && links.some(isOpenLink)) interfaces.update(uplinks.list());
  return interfaces;
}

/** Whether this host's own questions would go into the tunnel. */
function mayHideResolvers({ tunnel, links }: ClientModeConfig): boolean {
  return tunnel.routes.some(({ isDefault }) => isDefault) &&
    links.every(({ rdomain }) => rdomain === undefined);
}

function prepareServer(config: ServerModeConfig, scrypt: Scrypt | undefined): Prepared {
  const sockets = config.listen.map(listenSocket);
  const clients = config.clients.map(({ name, secret, allowed }) => ({
    name,
    psk: keyOf(secret, scrypt),
    allowed,
  }));
  return {
    sockets,
    watched: sockets.map((socket) => ({ socket })),
    mtu: tunnelMtu(config, sockets.map(({ family }) => family)),
    endpointOptions: (common) => ({
      ...common,
      ...policyOptions(config),
      role: "server",
      clients,
    }),
  };
}

/** Returns the 32 bytes of a secret; a pass phrase costs up to a third of a second. */
function keyOf(secret: Secret, scrypt: Scrypt | undefined): Uint8Array {
  return secret.key ?? stretchPassword(secret.password ?? "", scrypt);
}
