/**
 * `[filters]` of mlvpn as rules.
 *
 * @module
 */

import { MAX_RULES } from "../../config/schema.ts";
import { formatValue, type Writable } from "../toml_text.ts";
import type { Draft } from "./draft.ts";
import { GENERAL, type Option } from "./file.ts";
import { type Conditions, translateFilter } from "./pcap.ts";

/** A filter with the links that mlvpn tries for its packets, in their order. */
interface Filter {
  readonly links: string[];
  readonly option: Option;
}

/** Writes a rule for each filter, or says why there is none. */
export function writeFilters(draft: Draft): void {
  const { settings, out, names } = draft;
  const filters = filtersOf(draft);
  if (filters.length === 0) return;
  out.gap().comment(
    "Filters. mlvpn sends such packets by other links while theirs is down; a rule drops them " +
      "then, unless links names others too. What must not wait is found out without rules.",
  );
  if (settings.isServer) {
    out.comment("The links are the client's: the names here have to be those of its file.");
  }
  const isDual = settings.get(GENERAL, "ip6") !== undefined;
  let count = 0;
  for (const { links, option: { value, written } } of filters) {
    out.gap();
    const result = translateFilter(value);
    // Spaces outside quotes are gone, so mlvpn cannot have understood it.
    const meant = "why" in result && written !== value ? translateFilter(written) : result;
    const shown = `${links.join(", ")} = ${JSON.stringify(meant === result ? value : written)}`;
    if ("why" in meant || count + meant.rules.length > MAX_RULES) {
      out.comment(`${shown}: no rule, since ${"why" in meant ? meant.why : "there are too many"}.`);
      continue;
    }
    count += meant.rules.length;
    const notes = meant.inexact.map((note) => ` Not quite: ${note}.`).join("");
    const off = meant === result
      ? ""
      : " mlvpn refuses it, since spaces count in quotes only: remove the # to have the rule.";
    out.comment(`${shown}:${notes}${off}${notes + off === "" ? " the same." : ""}`);
    const named = links.map((link) => names.get(link) ?? link);
    for (const rule of meant.rules) {
      writeRule(rule, named, isDual, meant === result ? "" : "# ", out);
    }
  }
}

/** Filters with the same text are one, whose links mlvpn prefers in their order. */
function filtersOf({ settings, out }: Draft): Filter[] {
  const filters = new Map<string, Filter>();
  const links = new Set(settings.links);
  for (const option of settings.filters) {
    const { key, value } = option;
    if (!links.has(key)) {
      out.gap().comment(`${key} = ${JSON.stringify(value)}: mlvpn has no link of this name.`);
      continue;
    }
    const same = filters.get(value);
    if (same) same.links.push(key);
    else filters.set(value, { links: [key], option });
  }
  return [...filters.values()];
}

function writeRule(
  { protocol, ports, source, destination, family }: Conditions,
  links: readonly string[],
  isDual: boolean,
  prefix: string,
  out: Draft["out"],
): void {
  const isSaid = source !== undefined || destination !== undefined || !isDual;
  const all = family === 4 ? "0.0.0.0/0" : "::/0";
  const pair = (key: string, value: Writable | undefined): void => {
    if (value !== undefined) out.raw(`${prefix}${key} = ${formatValue(value)}`);
  };
  out.raw(`${prefix}[[rule]]`);
  pair("protocol", protocol);
  if (ports) out.raw(`${prefix}ports = [${ports.join(", ")}]`);
  pair("source", source ? `${source}` : family === undefined || isSaid ? undefined : all);
  pair("destination", destination && `${destination}`);
  pair("links", links);
}
