/**
 * Help about the configuration file, rendered from the schema.
 *
 * @module
 */

import { type Key, type Os, type Section, SECTIONS, TOP_KEYS } from "../config/schema.ts";
import { wrap, wrapHanging } from "./wrap.ts";

const INDENT = 6;

const OS_NAMES: Readonly<Record<Os, string>> = { linux: "Linux", openbsd: "OpenBSD" };

/** What is common to all keys. */
export const INTRODUCTION: string =
  `A configuration is a TOML file. Rates have units (bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s,
MB/s, KiB/s, MiB/s), as have sizes (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB) and times (ms, s, min, h).
A list of one value may be that value alone. \`aggvpn check FILE\` tells what is wrong with a file.`;

/**
 * Returns every key with its values, its default and what it is for, in lines of at most `columns`.
 */
export function configHelp(columns: number): string {
  const sections: readonly Section[] = Object.values(SECTIONS);
  return [
    `${wrap(INTRODUCTION, columns)}\n`,
    `Before the first table:\n${keysText(TOP_KEYS, columns)}`,
    ...sections.map((section) =>
      `${headingOf(section, columns)}\n${keysText(section.keys, columns)}`
    ),
  ].join("\n");
}

function headingOf({ header, doc, mode }: Section, columns: number): string {
  const only = mode === undefined ? "" : ` Only at a ${mode}.`;
  return wrap(`${header}: ${doc}${only}`, columns);
}

function keysText(keys: Readonly<Record<string, Key>>, columns: number): string {
  const margin = " ".repeat(INDENT);
  return Object.entries(keys).map(([name, key]) => {
    const lines = wrap(notesOf(key), columns - INDENT).split("\n").map((line) =>
      `${margin}${line}\n`
    );
    const synopsis = wrapHanging(`${name} = ${key.kind.metavar}`, columns - 2, INDENT + 2);
    return `  ${synopsis}\n${lines.join("")}`;
  }).join("");
}

/** Returns what a key is for, its default, and where it may be. */
export function notesOf(key: Key): string {
  return [
    docOf(key),
    key.default === undefined ? "" : `Default: ${key.default}.`,
    key.mode === undefined ? "" : `Only at a ${key.mode}.`,
  ].filter(Boolean).join(" ");
}

/** The first sentence, with the system that the key is for before its period. */
function docOf({ doc, os }: Key): string {
  return os === undefined ? doc : doc.replace(/\.$/, ` (${OS_NAMES[os]}).`);
}
