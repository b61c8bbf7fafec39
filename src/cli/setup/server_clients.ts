/**
 * A server's file with one client more or less. The text is changed, read again, and only written
 * when it says what it said before but for that client.
 *
 * @module
 */

import type { ClientConfig, Config, Secret } from "../../config/config.ts";
import { parseConfig } from "../../config/parse.ts";
import { formatKey, KEY_BYTES } from "../../config/secret.ts";
import { AggvpnError } from "../../errors.ts";
import { addClient, removeClient } from "../../setup/client_tables.ts";
import type { InvitedFamily } from "../../setup/invitation.ts";
import { freeHost, hostOf } from "../../setup/networks.ts";
import { loadConfig, secretReader } from "../load.ts";
import { isFailure, readTextFile } from "../text_file.ts";

type ServerConfig = Extract<Config, { mode: "server" }>;

/** Largest file, as of every configuration. */
const MAX_BYTES = 256 * 1024;

/** A server's file that can be changed. */
export interface ServerText {
  readonly path: string;
  readonly text: string;
  readonly config: ServerConfig;
}

/** What changed. */
export interface Change {
  readonly text: string;
  readonly config: ServerConfig;
}

/** A client that was added. */
export interface AddedClient extends Change {
  readonly key: Uint8Array;
  readonly families: readonly InvitedFamily[];
}

/** Reads a server's file; `warn` gets each warning. Throws AggvpnError. */
export function openServer(path: string, warn: (text: string) => void): ServerText {
  const config = loadConfig(path, warn);
  if (config.mode !== "server") {
    throw new AggvpnError(`${path} is the file of a client`, {
      hint: "Clients are listed in the file of the server: name it as last operand",
    });
  }
  const read = readTextFile(path, MAX_BYTES);
  if (isFailure(read)) throw new AggvpnError(`Cannot read ${path}: ${read.message}`);
  return { path, text: read.text, config };
}

/** Gives a new client a key and the next addresses. Throws AggvpnError; writes nothing. */
export function withClient(server: ServerText, name: string): AddedClient {
  const { path, text, config } = server;
  if (config.clients.some((client) => client.name === name)) {
    throw new AggvpnError(`${path} has a client ${name} already`, {
      hint: `\`aggvpn client remove ${name}\` removes it`,
    });
  }
  if (!hasTables(text)) throw new AggvpnError(...withoutTable(config));
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const families = nextAddresses(config, path);
  const added = addClient(text, { name, password: formatKey(key), families });
  return {
    ...confirmed(server, added, [...config.clients.map(({ name }) => name), name]),
    key,
    families,
  };
}

/** Leaves a client out. Throws AggvpnError; writes nothing. */
export function withoutClient(server: ServerText, name: string): Change {
  const { path, text, config: { clients } } = server;
  const names = clients.map((client) => client.name);
  if (!hasTables(text) || !names.includes(name)) {
    const known = hasTables(text) ? `Its clients are ${names.join(", ")}` : "It has no such tables";
    throw new AggvpnError(`${path} has no client ${name}`, { hint: known });
  }
  if (clients.length === 1) {
    throw new AggvpnError(`${name} is the only client in ${path}`, {
      hint: "A server needs one: add another first, or stop the server",
    });
  }
  return confirmed(server, removeClient(text, name), names.filter((other) => other !== name));
}

/** Returns the new text if only the client is different. */
function confirmed(
  { path, config: before }: ServerText,
  text: string | undefined,
  names: readonly string[],
): Change {
  const { config } = parseConfig(text ?? "", {
    file: path,
    readSecretFile: secretReader(path),
  });
  const isSame = text !== undefined && config?.mode === "server" &&
    JSON.stringify(rest(config, names, before)) === JSON.stringify(rest(before, names, before)) &&
    config.clients.map(({ name }) => name).join() === names.join();
  if (isSame) return { text, config };
  throw new AggvpnError(
    `The clients in ${path} are not written in a way that can be changed here`,
    {
      hint: "Each needs a table of its own, as [client.NAME]; edit the file by hand",
    },
  );
}

/** Everything but a client that only one of the two configurations has. */
function rest(config: ServerConfig, names: readonly string[], before: ServerConfig): unknown {
  const kept = before.clients.map(({ name }) => name).filter((name) => names.includes(name));
  const clients = config.clients.filter(({ name }) => kept.includes(name));
  return { ...config, clients: clients.map(comparable) };
}

function comparable({ name, secret, allowed }: ClientConfig): unknown {
  return { name, secret: secretText(secret), allowed: allowed.map(String) };
}

function secretText({ key, password }: Secret): string {
  return password ?? key!.join();
}

function hasTables(text: string): boolean {
  return /^\s*\[\s*["']?client\b|^\s*client\s*[.=]/m.test(text);
}

/** With one client there need not be a table, nor an address. */
function withoutTable({ tunnel }: ServerConfig): [message: string, options: { hint: string }] {
  const address = tunnel.gateway ?? "10.44.43.2";
  return ["The only client of this server has no table of its own yet", {
    hint: `Write [client.NAME] at the end of the file, move password or password_file there, and ` +
      `add address = "${address}", as in its own file`,
  }];
}

function nextAddresses({ tunnel, clients }: ServerConfig, path: string): InvitedFamily[] {
  const own = [tunnel.address, tunnel.address6].filter((address) => address !== undefined);
  if (own.length === 0) {
    throw new AggvpnError(`${path} has no tunnel.address, so a client can have none`, {
      hint: 'Write address = "10.87.12.1/24" into [tunnel]',
    });
  }
  const taken = [
    ...own.map((address) => address.toAddress().toPrefix()),
    ...clients.flatMap(({ allowed }) => allowed),
  ];
  const host = freeHost(own, taken);
  if (host === undefined) {
    throw new AggvpnError(`There is no free address left in ${own.map(String).join(", ")}`, {
      hint: "Give the tunnel a larger network, at every end, such as a /24",
    });
  }
  return own.map((address) => ({
    address: hostOf(address, host),
    gateway: address.toAddress(),
  }));
}
