/**
 * The clients of a server, and the rules they must obey together.
 *
 * @module
 */

import { compact } from "./compact.ts";
import type { ClientConfig, Secret, TunnelConfig } from "./config.ts";
import { readSecret, type ReadSecretFile, sameSecret } from "./read_secret.ts";
import { asTable, type Context, type Reading, readTable } from "./read_table.ts";
import type { Report } from "./report.ts";
import { CLIENT_KEYS, type TOP_KEYS } from "./schema.ts";
import { isName, NAME_RULE } from "./text_kinds.ts";
import { type Entry, quote, type Table } from "./tree.ts";

/** What the only client of a server without `[client.NAME]` is called. */
const ONLY_CLIENT = "client";

type Top = Reading<typeof TOP_KEYS>;

/** A client that was read. */
interface Client {
  readonly reading: Reading<typeof CLIENT_KEYS>;
  readonly config: ClientConfig | undefined;
}

/** Returns the clients of a server; unusable ones are reported and left out. */
export function readClients(
  top: Top,
  clients: Entry | undefined,
  complete: boolean,
  context: Context,
  readFile: ReadSecretFile,
): readonly ClientConfig[] {
  const { report } = context;
  const table = clients && asTable(clients.value, "client", "such as [client.home]", report);
  if (!table) {
    const secret = readSecret(top, complete && !clients, report, readFile);
    return secret ? [{ name: ONLY_CLIENT, secret, allowed: [] }] : [];
  }
  for (const key of ["password", "password_file"] as const) {
    if (!top.has(key)) continue;
    const message =
      `${key}: expected in [client.NAME] since there are such tables, found at the top`;
    report.error(top.placeOf(key), message, "give each client a secret of its own");
  }
  const all = readAll(table, complete, context, readFile);
  if (all.length > 1) checkApart(all, report);
  return all.flatMap((client) => client.config ?? []);
}

/** Reports clients that have the address of this end: then nothing that is sent to it leaves. */
export function checkOwnAddress(
  { address, address6 }: TunnelConfig,
  clients: readonly ClientConfig[],
  report: Report,
): void {
  const own = [address, address6].flatMap((address) => address?.toAddress().toPrefix() ?? []);
  for (const { name, allowed } of clients) {
    const shared = allowed.find((one) => own.some((mine) => mine.equals(one)));
    if (!shared) continue;
    const message = `client.${name}: ${shared.toAddress()} is the address of this end`;
    report.error(undefined, message, "the two ends need different addresses of one network");
  }
}

function readAll(
  table: Table,
  complete: boolean,
  context: Context,
  readFile: ReadSecretFile,
): Client[] {
  const { report } = context;
  const all: Client[] = [];
  for (const [name, entry] of table.entries) {
    const client = asTable(entry.value, `client.${name}`, "such as [client.home]", report);
    if (!client) continue;
    if (!isName(name)) {
      report.error(entry.at, `client: expected ${NAME_RULE}, found ${quote(name)}`);
    }
    const reading = readTable(client, CLIENT_KEYS, `client.${name}`, context);
    const secret = readSecret(reading, complete, report, readFile);
    all.push({ reading, config: secret && clientConfig(name, reading, secret) });
  }
  return all;
}

function clientConfig(name: string, { values }: Client["reading"], secret: Secret): ClientConfig {
  const routes = (values.routes ?? []).map((route) => route.value);
  const addresses = [values.address, values.address6].filter((address) => address !== undefined);
  return compact({
    name,
    secret,
    allowed: [...addresses, ...routes],
  });
}

/** Several clients are told apart by their secrets, their packets by inner addresses. */
function checkApart(clients: readonly Client[], report: Report): void {
  for (const [i, { reading, config }] of clients.entries()) {
    if (!config) continue;
    const hasAddress = reading.has("address") || reading.has("address6") || reading.has("routes");
    if (!hasAddress) {
      const message = `${reading.path}.address: missing, so no packet is known to be this client's`;
      report.error(reading.at, message, 'write address = "10.44.43.1", as in its own file');
    }
    for (const other of clients.slice(0, i)) checkPair(reading, config, other, report);
  }
}

function checkPair(
  reading: Client["reading"],
  config: ClientConfig,
  other: Client,
  report: Report,
): void {
  if (!other.config) return;
  if (sameSecret(config.secret, other.config.secret)) {
    const key = reading.has("password") ? "password" : "password_file";
    const message = `${reading.path}.${key}: is the same as that of ${other.reading.path}`;
    report.error(reading.placeOf(key), message, "make a key for each client with `aggvpn genkey`");
  }
  const taken = other.config.allowed;
  const shared = config.allowed.find((mine) => taken.some((net) => mine.overlaps(net)));
  if (shared === undefined) return;
  report.error(reading.at, `${reading.path}: ${shared} belongs to ${other.reading.path} too`);
}
