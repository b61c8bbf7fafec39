/**
 * Help about the configuration file, rendered from the schema.
 *
 * @module
 */

import { type Key, type Os, type Section, SECTIONS, TOP_KEYS } from "../config/schema.ts";
import { COLUMNS, wrap } from "./wrap.ts";

const INDENT = "      ";

const OS_NAMES: Readonly<Record<Os, string>> = { linux: "Linux", openbsd: "OpenBSD" };

const INTRODUCTION =
  `A configuration is a TOML file. Rates have units (bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s,
MB/s, KiB/s, MiB/s), as have sizes (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB) and times (ms, s, min, h).
A list of one value may be that value alone. \`aggvpn check FILE\` tells what is wrong with a file.`;

/** Returns every key with its values, its default and what it is for. */
export function configHelp(): string {
  const sections: readonly Section[] = Object.values(SECTIONS);
  return [
    `${wrap(INTRODUCTION)}\n`,
    `Before the first table:\n${keysText(TOP_KEYS)}`,
    ...sections.map((section) => `${headingOf(section)}\n${keysText(section.keys)}`),
  ].join("\n");
}

function headingOf({ header, doc, mode }: Section): string {
  const only = mode === undefined ? "" : ` Only at a ${mode}.`;
  return wrap(`${header}: ${doc}${only}`);
}

function keysText(keys: Readonly<Record<string, Key>>): string {
  return Object.entries(keys).map(([name, key]) => {
    const notes = [
      docOf(key),
      key.default === undefined ? "" : `Default: ${key.default}.`,
      key.mode === undefined ? "" : `Only at a ${key.mode}.`,
    ].filter(Boolean).join(" ");
    const lines = wrap(notes, COLUMNS - INDENT.length).split("\n");
    return `  ${name} = ${key.kind.metavar}\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`;
  }).join("");
}

/** The first sentence, with the system that the key is for before its period. */
function docOf({ doc, os }: Key): string {
  return os === undefined ? doc : doc.replace(/\.$/, ` (${OS_NAMES[os]}).`);
}
