/**
 * What commands may change of a running tunnel: each request's parameters, checked, as a
 * {@linkcode Change} of the configuration.
 *
 * @module
 */

import type { ClientModeConfig, Config, LinkConfig } from "../config/config.ts";
import type { PlainTable } from "../config/plain.ts";
import { LOG_LEVELS } from "../config/schema.ts";
import type { Parameters } from "../control/protocol.ts";
import { AggvpnError } from "../errors.ts";
import type { LinkOptions } from "../link_options.ts";
import { closest } from "../suggest.ts";
import { TIERS } from "../wire/handshake.ts";
import type { Change, RunningConfig } from "./running_config.ts";

/** Longest time that a change can be given, in microseconds: a timer's limit is 24.8 days. */
const MAX_TIME_US = 20 * 86_400e6;

/** What a request did, a line each. */
export interface Done {
  readonly words: readonly string[];
}

/** `link`: a link is switched off or on, or gets another tier, for a time or until a restart. */
export async function changeLink(
  running: RunningConfig,
  { name, state, forUs }: Parameters,
  nowMs: number,
): Promise<Done> {
  const found = foundLink(running, name);
  const link = found ?? linkOf(running.current, name);
  const about = `link ${link.name}`;
  if (state === "on") {
    if (await running.forget(about)) return done(`Link ${link.name} is on, as its file says`);
    return done(`Link ${link.name} is on already`);
  }
  const tier = TIERS.find((tier) => tier === state);
  if (state !== "off" && !tier) {
    throw new AggvpnError(`A link cannot be ${JSON.stringify(state)}`, {
      hint: `Write one of off, on, ${TIERS.join(", ")}`,
    });
  }
  if (tier && found) {
    throw new AggvpnError(`Link ${link.name} was found by itself and can only be off or on`, {
      hint: `Give it a table, [link.NAME] with interface = "${link.name}"`,
    });
  }
  const endsAtMs = endOf(forUs, nowMs);
  const until = endsAtMs === undefined ? "" : `, until ${clockTime(endsAtMs, nowMs)}`;
  const options = tier ? { tier } : { off: `switched off by aggvpn link${until}` };
  await running.change({
    about,
    words: `link ${link.name}: ${state}${until}`,
    ...endsAtMs !== undefined && { endsAtMs },
    apply: found ? without(link.name) : withOptions(link.name, options),
    ...tier && { write: (document) => void (tableAt(document, "link", link.name).tier = tier) },
  });
  const lasts = endsAtMs === undefined ? ", until a reload or restart" : until;
  return done(`Link ${link.name} is ${tier ? `of tier ${tier}` : "off"}${lasts}`);
}

/** `link_add`: one more link, as the table `toml` says. */
export async function addLink(running: RunningConfig, { name, toml }: Parameters): Promise<Done> {
  if (typeof name !== "string" || typeof toml !== "string") throw new AggvpnError("Not a link");
  clientOf(running.current);
  if (
    running.current.mode === "client" && running.current.links.some((link) => link.name === name)
  ) {
    throw new AggvpnError(`There is a link ${name} already`);
  }
  const { config, document } = running.readWith(`\n[link.${JSON.stringify(name)}]\n${toml}\n`);
  const link = clientOf(config).links.find((link) => link.name === name)!;
  const table = tableAt(document, "link", name);
  await running.change({
    about: `link ${name} added`,
    words: `link ${name} added`,
    apply: (config) => withLinks(config, (links) => [...links, link]),
    write: (document) => void (tableAt(document, "link")[name] = table),
  });
  return done(`Link ${name} was added, until a reload or restart`);
}

/** `link_remove`: one link less. */
export async function removeLink(running: RunningConfig, { name }: Parameters): Promise<Done> {
  const link = linkOf(running.current, name);
  if (clientOf(running.current).links.length === 1) {
    throw new AggvpnError(`Link ${link.name} is the only one`, {
      hint: `Switch it off instead: \`aggvpn link ${link.name} off\``,
    });
  }
  await running.forget(`link ${link.name}`);
  await running.forget(`limit ${link.name}`);
  if (await running.forget(`link ${link.name} added`)) return done(`Link ${link.name} was removed`);
  await running.change({
    about: `link ${link.name} removed`,
    words: `link ${link.name} removed`,
    apply: (config) => withLinks(config, (links) => links.filter(({ name }) => name !== link.name)),
    write: (document) => void (delete tableAt(document, "link")[link.name]),
  });
  return done(`Link ${link.name} was removed, until a reload or restart`);
}

/** `limit`: what a link may send and receive; without rates as its file says. */
export async function limitLink(
  running: RunningConfig,
  { name, uploadBps, downloadBps }: Parameters,
): Promise<Done> {
  const link = linkOf(running.current, name);
  const about = `limit ${link.name}`;
  const rates = { ...rateOf("uploadBps", uploadBps), ...rateOf("downloadBps", downloadBps) };
  if (Object.keys(rates).length === 0) {
    const had = await running.forget(about);
    return done(`Link ${link.name} ${had ? "is limited as its file says" : "had no other limit"}`);
  }
  const words = [
    ...rates.uploadBps === undefined ? [] : [`${rateText(rates.uploadBps)} up`],
    ...rates.downloadBps === undefined ? [] : [`${rateText(rates.downloadBps)} down`],
  ].join(", ");
  await running.change({
    about,
    words: `link ${link.name}: limited to ${words}`,
    apply: withOptions(link.name, rates),
    write: (document) => {
      const table = tableAt(document, "link", link.name);
      if (rates.uploadBps) table.bandwidth_upload = rateText(rates.uploadBps);
      if (rates.downloadBps) table.bandwidth_download = rateText(rates.downloadBps);
    },
  });
  return done(`Link ${link.name} is limited to ${words}, until a reload or restart`);
}

/** `log`: how much is logged. */
export async function changeLog(running: RunningConfig, { level }: Parameters): Promise<Done> {
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (!logLevel) {
    throw new AggvpnError(`There is no log level ${JSON.stringify(level)}`, {
      hint: `Write one of ${LOG_LEVELS.join(", ")}`,
    });
  }
  const change: Change = {
    about: "log",
    words: `log level: ${logLevel}`,
    apply: (config) => ({ ...config, logLevel }),
    write: (document) => void (document.log_level = logLevel),
  };
  await running.change(change);
  return done(`The log level is ${logLevel}, until a reload or restart`);
}

function done(...words: string[]): Done {
  return { words };
}

function clientOf(config: Config): ClientModeConfig {
  if (config.mode === "client") return config;
  throw new AggvpnError("A server has no links of its own", {
    hint: "Run the command at the client, which tells the server",
  });
}

function linkOf(config: Config, name: unknown): LinkConfig {
  const named = clientOf(config).links.filter(({ name }) => name !== "");
  const link = named.find((link) => link.name === name);
  if (link) return link;
  const names = named.map(({ name }) => name);
  const near = closest(String(name), names);
  throw new AggvpnError(`There is no link ${JSON.stringify(name)} in the configuration`, {
    hint: near === undefined ? `There are ${names.join(", ")}` : `Did you mean ${near}?`,
  });
}

/** A link of `links = "auto"` that is there or was switched off; undefined: it is none. */
function foundLink(running: RunningConfig, name: unknown): { readonly name: string } | undefined {
  const { current, changes, linkNames } = running;
  if (current.mode !== "client" || !current.linksExclude || typeof name !== "string") {
    return undefined;
  }
  if (current.links.some((link) => link.name === name)) return undefined;
  const isKnown = linkNames.includes(name) || changes.some(({ about }) => about === `link ${name}`);
  return isKnown ? { name } : undefined;
}

/** An interface is no link by itself. */
function without(name: string): Change["apply"] {
  return (config) =>
    config.mode === "client"
      ? { ...config, linksExclude: [...config.linksExclude ?? [], name] }
      : config;
}

function withLinks(
  config: Config,
  make: (links: readonly LinkConfig[]) => readonly LinkConfig[],
): Config {
  return config.mode === "client" ? { ...config, links: make(config.links) } : config;
}

function withOptions(name: string, options: Partial<LinkOptions>): Change["apply"] {
  const change = (link: LinkConfig): LinkConfig =>
    link.name === name ? { ...link, options: { ...link.options, ...options } } : link;
  return (config) => withLinks(config, (links) => links.map(change));
}

function rateOf<Key extends string>(key: Key, value: unknown): { [K in Key]?: number } {
  if (value === undefined) return {};
  if (Number.isSafeInteger(value) && (value as number) >= 8000 && (value as number) <= 1e12) {
    return { [key]: value } as { [K in Key]?: number };
  }
  throw new AggvpnError("A limit is a rate from 8 kbit/s to 1000 Gbit/s");
}

function endOf(forUs: unknown, nowMs: number): number | undefined {
  if (forUs === undefined) return undefined;
  if (typeof forUs !== "number" || !(forUs >= 1e6 && forUs <= MAX_TIME_US)) {
    throw new AggvpnError("A time is from 1 s to 480 h");
  }
  return nowMs + forUs / 1000;
}

/** The time of day, with the date unless that is today; both of this host. */
function clockTime(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

function rateText(bps: number): string {
  return bps % 1e6 === 0 ? `${bps / 1e6} Mbit/s` : `${bps / 1e3} kbit/s`;
}

/** The table of these names, made if there is none. */
function tableAt(document: PlainTable, ...names: readonly string[]): PlainTable {
  return names.reduce((table, name) => (table[name] ??= {}) as PlainTable, document);
}
