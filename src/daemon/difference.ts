/**
 * What has to be done to a running tunnel so that it is as another configuration says: a pure
 * function of the two.
 *
 * A configuration is applied whole or not at all. What a running tunnel cannot change is named by
 * its key; everything that is not known here to be changeable counts as that.
 *
 * @module
 */

import { Address, Prefix } from "../address.ts";
import type {
  ClientConfig,
  ClientModeConfig,
  Config,
  LinkConfig,
  ListenConfig,
  ServerModeConfig,
  TunnelConfig,
} from "../config/config.ts";
import { formatHostPort } from "../config/host_port.ts";
import { LINK_OPTION_KEYS } from "../config/schema.ts";

/** What is to become of the members of a list; they are told apart by their names. */
export interface ListDifference<Item> {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
  /** As they are to be; what is the same is not among them. */
  readonly changed: readonly { readonly before: Item; readonly after: Item }[];
}

/** What is different. */
export interface Difference {
  /** Keys of the file that only a restart can change; then nothing else may be applied. */
  readonly restart: readonly string[];
  /** What else is different, in words: `client bob added`. Empty: nothing. */
  readonly words: readonly string[];
  /** A link that leaves by another way, or to another remote, is removed and added. */
  readonly links: ListDifference<LinkConfig>;
  readonly clients: ListDifference<ClientConfig>;
  readonly listen: ListDifference<ListenConfig>;
  /** Whether `links_exclude` is. */
  readonly exclude: boolean;
  /** Whether rules, `schedule` or `duplicate` are. */
  readonly policy: boolean;
}

/** Keys of the configuration that a running tunnel can change, or that mean nothing to it. */
const CHANGEABLE: ReadonlySet<string> = new Set(
  [
    "clients",
    "file",
    "links",
    "listen",
    "logLevel",
    "publicAddress",
    "rules",
    "statusCommand",
    "tunnel",
  ] satisfies (keyof ClientModeConfig | keyof ServerModeConfig)[],
);
const CHANGEABLE_OF_TUNNEL: ReadonlySet<string> = new Set(
  ["dns", "down", "duplicate", "routes", "schedule", "up"] satisfies (keyof TunnelConfig)[],
);
/** What keys are called in a file, where that does not follow from the name. */
const KEY_NAMES: Readonly<Record<string, string>> = {
  secret: "password",
  servers: "server",
};

/** Compares what runs with what is to run. */
export function differenceOf(before: Config, after: Config): Difference {
  const links = linksOf(before, after);
  const clients = compare(clientsOf(before), clientsOf(after), ({ name }) => name);
  const listen = compare(listenOf(before), listenOf(after), formatHostPort);
  const sending = ["schedule", "duplicate"] as const;
  const policy = !isSame(before.rules, after.rules) ||
    sending.some((key) => before.tunnel[key] !== after.tunnel[key]);
  const keys = [
    ...differentKeys(before, after).filter((key) => !isListOrTable(key)),
    ...differentKeys(before.tunnel, after.tunnel).map((key) => `tunnel.${key}`),
  ];
  const isChangeable = (key: string): boolean =>
    key.startsWith("tunnel.")
      ? CHANGEABLE_OF_TUNNEL.has(key.slice("tunnel.".length))
      : CHANGEABLE.has(key) || key === "linksExclude" && isFound(before) && isFound(after);
  const restart = before.mode === after.mode
    ? [...keys.filter((key) => !isChangeable(key)), ...autoLinks(before, after)]
    : ["mode"];
  const words = [
    ...wordsOf("client", clients, ({ name }) => name, clientWords),
    ...wordsOf("link", links, ({ name }) => name, linkWords),
    ...wordsOf("listen address", listen, formatHostPort, () => ""),
    ...keys.filter((key) => isChangeable(key) && key !== "file").map(nameOfKey),
  ];
  return {
    restart: [...new Set(restart.map(nameOfKey))],
    words,
    links,
    clients,
    listen,
    exclude: keys.includes("linksExclude"),
    policy,
  };
}

/** Whether links are those interfaces that nobody has excluded. */
function isFound(config: Config): boolean {
  return config.mode === "client" && config.linksExclude !== undefined;
}

/** Whether two values of a configuration mean the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b);
}

/** Whether a link is the same line, whatever its options. */
export function hasSameWay(a: LinkConfig, b: LinkConfig): boolean {
  return isSame({ ...a, options: undefined }, { ...b, options: undefined });
}

function isListOrTable(key: string): boolean {
  return ["tunnel", "links", "clients", "listen"].includes(key);
}

function differentKeys(before: object, after: object): string[] {
  const [a, b] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => !isSame(a.get(key), b.get(key)));
}

/** Links of interfaces that the file does not name come and go by themselves. */
function autoLinks(before: Config, after: Config): string[] {
  const auto = (config: Config): LinkConfig[] =>
    config.mode === "client" ? config.links.filter((link) => link.auto) : [];
  return isSame(auto(before), auto(after)) ? [] : ["links"];
}

function linksOf(before: Config, after: Config): ListDifference<LinkConfig> {
  const named = (config: Config): LinkConfig[] =>
    config.mode === "client" ? config.links.filter((link) => !link.auto) : [];
  return compare(named(before), named(after), ({ name }) => name);
}

function clientsOf(config: Config): readonly ClientConfig[] {
  return config.mode === "server" ? config.clients : [];
}

function listenOf(config: Config): readonly ListenConfig[] {
  return config.mode === "server" ? config.listen : [];
}

function compare<Item>(
  before: readonly Item[],
  after: readonly Item[],
  nameOf: (item: Item) => string,
): ListDifference<Item> {
  const [a, b] = [before, after].map((items) => new Map(items.map((one) => [nameOf(one), one])));
  return {
    added: after.filter((item) => !a!.has(nameOf(item))),
    removed: before.filter((item) => !b!.has(nameOf(item))),
    changed: after.flatMap((item) => {
      const old = a!.get(nameOf(item));
      return old === undefined || isSame(old, item) ? [] : [{ before: old, after: item }];
    }),
  };
}

function wordsOf<Item>(
  what: string,
  { added, removed, changed }: ListDifference<Item>,
  nameOf: (item: Item) => string,
  details: (before: Item, after: Item) => string,
): string[] {
  return [
    ...removed.map((item) => `${what} ${nameOf(item)} removed`),
    ...added.map((item) => `${what} ${nameOf(item)} added`),
    ...changed.map(({ before, after }) => `${what} ${nameOf(after)}: ${details(before, after)}`),
  ];
}

function clientWords(before: ClientConfig, after: ClientConfig): string {
  const names: Record<string, string> = { secret: "password", allowed: "addresses" };
  return differentKeys(before, after).map((key) => names[key] ?? key).join(", ");
}

function linkWords(before: LinkConfig, after: LinkConfig): string {
  if (!hasSameWay(before, after)) return "replaced, since its way is another";
  return differentKeys(before.options, after.options).map(optionKey).join(", ");
}

/** What an option of a link is called in a file. */
function optionKey(field: string): string {
  const keys = Object.entries<{ readonly field: string }>(LINK_OPTION_KEYS);
  return keys.find(([, key]) => key.field === field)?.[0] ?? field;
}

function nameOfKey(key: string): string {
  return KEY_NAMES[key] ?? snakeCase(key);
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (inner instanceof Address || inner instanceof Prefix) return `${inner}`;
    if (inner instanceof Uint8Array) return [...inner];
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    // The order of keys means nothing.
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1));
  }) ?? "";
}
