/**
 * From TOML text to a checked configuration, or to everything that is wrong with it.
 *
 * @module
 */

import { autoLinks } from "./auto_links.ts";
import { checkOwnAddress, readClients } from "./clients.ts";
import { compact } from "./compact.ts";
import type { ClientModeConfig, Config, Problem } from "./config.ts";
import { readHttp } from "./http_keys.ts";
import { readLinks } from "./links.ts";
import { readListen } from "./listen.ts";
import { readServers, serverNames } from "./servers.ts";
import { readSecret, type ReadSecretFile } from "./read_secret.ts";
import { asTable, type Context, type Reading, readTable } from "./read_table.ts";
import { Report } from "./report.ts";
import { readRules } from "./rule_table.ts";
import {
  CONTROL_DIRECTORY,
  MAX_LINKS,
  type Mode,
  NEVER_LINKS,
  SECTIONS,
  TOP_KEYS,
  type TUNNEL_KEYS,
} from "./schema.ts";
import { type PlainTable, plainTable } from "./plain.ts";
import { parseDocument } from "./toml.ts";
import type { Entry, Position, Table } from "./tree.ts";
import { readTunnel, tunnelConfig } from "./tunnel_table.ts";

/** What {@linkcode parseConfig} needs besides the text. */
export interface ParseOptions {
  /** Path of the file, for the tunnel's name. */
  readonly file: string;
  /** Reads `password_file`; without it, one is an error. */
  readonly readSecretFile?: ReadSecretFile;
}

/** A configuration when there is no error, and the problems in the order of the text. */
export interface ParseResult {
  readonly config?: Config;
  readonly problems: readonly Problem[];
  /** What the text of a configuration says, without secrets. */
  readonly document?: PlainTable;
  /** Whether the text itself contains a secret, so that only its owner should read it. */
  readonly holdsSecret: boolean;
}

/** Parses a configuration. Never throws. */
export function parseConfig(text: string, options: ParseOptions): ParseResult {
  const document = parseDocument(text);
  const { root } = document;
  const report = new Report();
  report.addAll(document.problems);
  const config = readConfig(root, document.complete, options, report);
  return {
    ...config && !report.hasErrors && { config, document: plainTable(root) },
    problems: report.problems,
    holdsSecret: holdsSecret(root),
  };
}

/** A document on its way to a configuration. */
interface Draft {
  readonly root: Table;
  /** Whether absent keys are missing, not just unreadable. */
  readonly complete: boolean;
  readonly context: Context;
  readonly top: Reading<typeof TOP_KEYS>;
  readonly tunnel: Reading<typeof TUNNEL_KEYS>;
  readonly readFile: ReadSecretFile;
}

function readConfig(
  root: Table,
  complete: boolean,
  options: ParseOptions,
  report: Report,
): Config | undefined {
  const context = { report, mode: modeOf(root) };
  const top = readTable(root, TOP_KEYS, "", { ...context, sections: Object.keys(SECTIONS) });
  if (complete && !top.has("mode")) {
    report.error(undefined, "mode: missing", 'write mode = "client" or mode = "server"');
  }
  checkSections(root, context.mode, report);
  const tunnel = readTunnel(
    tableOf(root.entries.get("tunnel"), report),
    { hasScript: top.has("status_command"), complete },
    context,
  );
  const readFile = options.readSecretFile ?? noSecretFile;
  const draft = { root, complete, context, top, tunnel, readFile };
  const common = commonConfig(draft, options.file);
  if (context.mode === "client") return clientMode(draft, common);
  return context.mode === "server" ? serverMode(draft, common) : undefined;
}

type Common = Omit<ClientModeConfig, "mode" | "secret" | "servers" | "links" | "rules">;

function commonConfig({ top, tunnel, context, readFile }: Draft, file: string): Common {
  const name = top.values.name ?? nameOfFile(file);
  return compact({
    file,
    name,
    control: top.values.control ?? `${CONTROL_DIRECTORY}/${name}.sock`,
    logLevel: top.values.log_level,
    logFormat: top.values.log_format,
    statusCommand: top.values.status_command,
    sandbox: top.values.sandbox,
    ...readHttp(top, context.report, readFile),
    tunnel: tunnelConfig(tunnel),
  });
}

function clientMode(draft: Draft, common: Common): Config | undefined {
  const { root, complete, context, top, tunnel } = draft;
  const secret = readSecret(top, complete, context.report, draft.readFile);
  const written = readServers(top, context.report);
  const { links: isAuto, links_exclude: exclude = [] } = top.values;
  const around = {
    servers: written,
    hasServer: top.has("server") || !complete,
    isAuto: isAuto !== undefined,
    tunnel,
  };
  const tables = root.entries.get("link");
  const links = readLinks(tables, around, complete, context);
  const names = tables?.value.kind === "table" ? [...tables.value.entries.keys()] : [];
  const rules = readRules(root.entries.get("rule"), isAuto ? undefined : names, context);
  if (!secret) return undefined;
  const servers = serverNames(written, links);
  const config = { ...common, mode: "client", secret, servers, links, rules } as const;
  if (!isAuto) {
    if (exclude.length > 0) {
      const message = 'links_exclude: has no effect without links = "auto"';
      context.report.warn(top.placeOf("links_exclude"), message, "remove it");
    }
    return config;
  }
  const ruled = new Set(rules.flatMap((rule) => rule.links)).difference(new Set(names));
  const room = MAX_LINKS - links.length;
  const found = autoLinks([...ruled], room, written, top, context.report);
  const linksExclude = [...NEVER_LINKS, ...exclude];
  return { ...config, links: [...links, ...found], linksExclude };
}

function serverMode(draft: Draft, common: Common): Config {
  const { root, complete, context, top } = draft;
  const listen = readListen(top, complete, context.report);
  const clients = readClients(top, root.entries.get("client"), complete, context, draft.readFile);
  const rules = readRules(root.entries.get("rule"), undefined, context);
  checkOwnAddress(common.tunnel, clients, context.report);
  const publicAddress = top.values.public_address;
  return { ...common, mode: "server", listen, clients, rules, ...compact({ publicAddress }) };
}

function tableOf(entry: Entry | undefined, report: Report): Table {
  const table = entry && asTable(entry.value, "tunnel", "[tunnel]", report);
  return table ?? { kind: "table", entries: new Map(), at: { line: 0, column: 0 } };
}

/** The mode as written, else the one that the keys suggest. */
function modeOf(root: Table): Mode | undefined {
  const mode = root.entries.get("mode")?.value;
  if (mode?.kind === "string" && (mode.value === "client" || mode.value === "server")) {
    return mode.value;
  }
  const has = (name: string): boolean => root.entries.has(name);
  const isClient = has("server") || has("link") || has("links");
  const isServer = has("listen") || has("client");
  if (isClient === isServer) return undefined;
  return isClient ? "client" : "server";
}

function checkSections(root: Table, mode: Mode | undefined, report: Report): void {
  const wrong = (name: string, at: Position, of: Mode, hint: string): void =>
    report.error(at, `${name}: belongs to mode = "${of}", this is a ${mode}`, hint);
  const link = root.entries.get("link");
  const client = root.entries.get("client");
  if (mode === "server" && link) {
    wrong("link", link.at, "client", "remove it: a server is told the links by its clients");
  }
  if (mode === "client" && client) {
    wrong("client", client.at, "server", "remove it: the clients are listed at the server");
  }
}

function nameOfFile(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
  return base.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 32) || "aggvpn";
}

function noSecretFile(path: string): { error: string } {
  return { error: `${path} cannot be read here` };
}

function holdsSecret(root: Table): boolean {
  if (root.entries.has("password")) return true;
  const clients = root.entries.get("client")?.value;
  if (clients?.kind !== "table") return false;
  return [...clients.entries.values()].some((client) =>
    client.value.kind === "table" && client.value.entries.has("password")
  );
}
