/**
 * Commands that messages tell users to type are in the grammar of the manual pages.
 *
 * @module
 */

import { assert, assertGreater } from "@std/assert";
import { parseCommand } from "./commands.ts";
import { checkQuery } from "./queries.ts";

const SOURCES = new URL("../../../src/platform/openbsd/", import.meta.url);

/** Placeholders for something of the user's, each with an example. */
const EXAMPLES: readonly (readonly [RegExp, string])[] = [
  [/\$\{(?:rdomain|table|own|table\.rdomain)\}/g, "1"],
  [/\$\{name\}/g, "tun0"],
  [/\$\{inet\}/g, "-inet"],
  [/\bGATEWAY\b/g, "198.51.100.1"],
  [/\bdefault\b/g, "0.0.0.0/0"],
];

/** Forms that the program itself does not need, and the beginning of one. */
const OTHERS: readonly RegExp[] = [
  /^pfctl -e$/,
  /^pfctl -f \/etc\/pf\.conf$/,
  /^route -T 1 exec$/,
];

/** Commands in quotation marks in a source text, as the reader of a message types them. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/"((?:ifconfig|route|pfctl|netstat|sysctl) [^"\n]+)"/g)]
    .map(([, line]) => EXAMPLES.reduce((line, [what, is]) => line.replace(what, is), line!));
}

function isInGrammar(line: string): boolean {
  return OTHERS.some((form) => form.test(line)) || [parseCommand, checkQuery].some((parse) => {
    try {
      parse(line.split(" "));
      return true;
    } catch {
      return false;
    }
  });
}

Deno.test("commands that messages tell to type are in the grammar", () => {
  const files = [...Deno.readDirSync(SOURCES)].map(({ name }) => name);
  const lines = files.flatMap((name) => commandsOf(Deno.readTextFileSync(new URL(name, SOURCES))));
  assertGreater(lines.length, 8);
  for (const line of lines) assert(isInGrammar(line), `no manual has "${line}"`);
});
