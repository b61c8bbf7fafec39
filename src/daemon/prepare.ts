/**
 * What has to be found out before anything is opened: keys from pass phrases,
 * addresses from names, MTUs of links, the inner MTU.
 *
 * @module
 */

import type { ClientModeConfig, Config, Secret, ServerModeConfig } from "../config/config.ts";
import type { Scrypt } from "../crypto/aead.ts";
import { stretchPassword } from "../crypto/psk.ts";
import type { Platform, SocketOptions, WatchedLink } from "../platform/platform.ts";
import { resolveRemote } from "../platform/resolve.ts";
import type { EndpointOptions } from "../tunnel/options.ts";
import { linkOptions, linkSocket, listenSocket, policyOptions, tunnelMtu } from "./plan.ts";

/** The options of an endpoint that do not depend on its role. */
export type CommonOptions = Pick<EndpointOptions, "pool" | "aead" | "random" | "epochUs" | "mtu">;

/** A configuration with everything looked up. */
export interface Prepared {
  /** By socket index. */
  readonly sockets: readonly SocketOptions[];
  /** The same, with where they send to. */
  readonly watched: readonly WatchedLink[];
  /** Largest inner packet in bytes. */
  readonly mtu: number;
  readonly endpointOptions: (common: CommonOptions) => EndpointOptions;
}

/** Looks everything up. Throws AggvpnError when a name cannot be resolved. */
export async function prepare(
  config: Config,
  scrypt: Scrypt | undefined,
  platform: Pick<Platform, "lookup" | "interfaceMtu">,
): Promise<Prepared> {
  return config.mode === "client"
    ? await prepareClient(config, scrypt, platform)
    : prepareServer(config, scrypt);
}

async function prepareClient(
  config: ClientModeConfig,
  scrypt: Scrypt | undefined,
  platform: Pick<Platform, "lookup" | "interfaceMtu">,
): Promise<Prepared> {
  const remotes = await Promise.all(config.links.map((link) => {
    const rdomain = link.rdomain === undefined ? {} : { rdomain: link.rdomain };
    const lookup = (host: string): ReturnType<Platform["lookup"]> => platform.lookup(host, rdomain);
    return resolveRemote(link.remote.host, link.remote.port, link.bind?.family, undefined, lookup);
  }));
  const families = remotes.map(({ family }) => family);
  const sockets = config.links.map((link, i) => linkSocket(link, families[i]!));
  const interfaceMtus = sockets.map((socket) => platform.interfaceMtu(socket));
  const psk = keyOf(config.secret, scrypt);
  return {
    sockets,
    watched: sockets.map((socket, i) => ({ socket, remote: remotes[i]!.address })),
    mtu: tunnelMtu(config, families, interfaceMtus),
    endpointOptions: (common) => ({
      ...common,
      ...policyOptions(config),
      role: "client",
      psk,
      links: config.links.map((link, i) => linkOptions(link, remotes[i]!, interfaceMtus[i])),
    }),
  };
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
