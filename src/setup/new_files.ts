/**
 * The files that `aggvpn init` and `aggvpn join` write.
 *
 * @module
 */

import type { Address, Prefix } from "../address.ts";
import type { HostPort } from "../config/config.ts";
import { formatHostPort } from "../config/host_port.ts";
import { formatKey } from "../config/secret.ts";
import { clientTable, type NewClient } from "./client_tables.ts";
import type { Invitation } from "./invitation.ts";
import { TomlText } from "./toml_text.ts";

/** What a server's file says. */
export interface ServerFile {
  /** Where clients find it. */
  readonly publicAddress: HostPort;
  /** Where it listens. */
  readonly listen: readonly { readonly host: Address; readonly port: number }[];
  readonly interface: string;
  /** Its addresses in the tunnel. */
  readonly addresses: readonly Prefix[];
  readonly nat: boolean;
  readonly client: NewClient;
}

/** Writes the file of a server. */
export function serverFile(server: ServerFile): string {
  const out = new TomlText()
    .comment(
      "Made by `aggvpn init`; `aggvpn help config` explains every key. The keys of clients " +
        "are in it, so nobody but root may read it.",
    )
    .gap()
    .pair("mode", "server")
    .comment("What `aggvpn client add` tells clients.")
    .pair("public_address", formatHostPort(server.publicAddress))
    .pair("listen", server.listen.map(formatHostPort))
    .header("[tunnel]")
    .pair("interface", server.interface);
  writeAddresses(server.addresses, out);
  if (server.nat) {
    out.comment("Clients reach the internet, with this host's address.").pair("nat", true);
  }
  return `${
    out.gap()
      .comment("`aggvpn client add NAME` and `aggvpn client remove NAME` edit what follows.")
      .gap()
      .raw(clientTable(server.client))
  }`;
}

/** A link with a table of its own. */
export interface WrittenLink {
  readonly name: string;
  readonly interface?: string;
  readonly rdomain?: number;
}

/** What a client's file says besides its invitation. */
export interface ClientFile {
  readonly invitation: Invitation;
  readonly interface: string;
  /** Undefined: every interface with a default route. */
  readonly links: readonly WrittenLink[] | undefined;
  readonly routes: readonly string[];
}

/** Writes the file of a client. */
export function clientFile({ invitation, interface: name, links, routes }: ClientFile): string {
  const { key, servers, families } = invitation;
  const hosts = servers.map(formatHostPort);
  const out = new TomlText()
    .comment(
      "Made by `aggvpn join`; `aggvpn help config` explains every key. The key is in it, so " +
        "nobody but root may read it.",
    )
    .gap()
    .pair("mode", "client")
    .pair("password", formatKey(key))
    .pair("server", hosts.length === 1 ? hosts[0] : hosts);
  if (!links) {
    out.comment("Every interface with a default route is a link, while it has one.")
      .pair("links", "auto");
  }
  out.header("[tunnel]").pair("interface", name);
  writeAddresses(families.map(({ address }) => address), out);
  for (const { gateway } of families) {
    out.pair(gateway.family === 4 ? "gateway" : "gateway6", `${gateway}`);
  }
  if (routes.includes("default")) out.comment("Everything goes through the tunnel.");
  if (routes.length > 0) out.pair("routes", routes);
  for (const link of links ?? []) {
    out.header(`[link.${link.name}]`)
      .pair("interface", link.interface)
      .pair("rdomain", link.rdomain);
  }
  return `${out}`;
}

function writeAddresses(addresses: readonly Prefix[], out: TomlText): void {
  for (const address of addresses) {
    out.pair(address.family === 4 ? "address" : "address6", `${address}`);
  }
}
