/**
 * aggvpn.toml(5), made from the tables of keys.
 *
 * @module
 */

import { INTRODUCTION, notesOf } from "../../src/cli/config_help.ts";
import { type Keys, type Section, SECTIONS, TOP_KEYS } from "../../src/config/schema.ts";
import { argument, display, head, paragraph, paragraphs, subsection, tagged } from "./mdoc.ts";

const EXAMPLES: readonly (readonly [what: string, file: string])[] = [
  ["A gateway with two uplinks on Linux:", "linux/client.toml"],
  ["Its server:", "linux/server.toml"],
];

/** Returns the page as mdoc(7); `readExample` returns a file of examples/. */
export function aggvpnToml5(date: Date, readExample: (name: string) => string): string {
  const sections: readonly Section[] = Object.values(SECTIONS);
  return [
    head({
      name: "aggvpn.toml",
      section: 5,
      summary: "configuration of an aggvpn tunnel",
      date,
    }),
    `.Sh DESCRIPTION\n${paragraphs(INTRODUCTION)}`,
    `.Ss Before the first table\n${keyList(TOP_KEYS)}`,
    ...sections.map(({ header, doc, mode, keys }) => {
      const only = mode === undefined ? "" : ` Only at a ${mode}.`;
      return `${subsection(header)}${paragraph(doc + only)}${keyList(keys)}`;
    }),
    `.Sh FILES\n${
      tagged([["Pa /etc/aggvpn/NAME.toml", "The tunnel\n.Ar NAME ,\nby convention.\n"]])
    }`,
    `.Sh EXAMPLES\n${
      EXAMPLES.map(([what, file]) => `${what}\n${display(readExample(file))}`).join(".Pp\n")
    }`,
    ".Sh SEE ALSO\n.Xr aggvpn 8\n",
  ].join("");
}

function keyList(keys: Keys): string {
  return tagged(
    Object.entries(keys).map(([name, key]) => [
      `Ic ${argument(name)} = ${argument(key.kind.metavar)}`,
      paragraph(notesOf(key)),
    ]),
  );
}
