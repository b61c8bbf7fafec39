/**
 * From a file of mlvpn to a configuration that says the same, with a comment for everything that
 * has another place, or none.
 *
 * @module
 */

import type { Problem } from "../../config/config.ts";
import { parseConfig } from "../../config/parse.ts";
import { commentLines } from "../toml_text.ts";
import { convert } from "./convert.ts";
import { readMlvpn } from "./file.ts";
import { Settings } from "./settings.ts";

/** What was made of a file. */
export interface Imported {
  /** The configuration, as far as it could be made. */
  readonly text: string;
  /** What the user has to mend before it can be used, with lines of `text`. */
  readonly problems: readonly Problem[];
}

/** A file of mlvpn without a usable password gets one that does not exist yet. */
const NO_SECRET = {
  error: "mlvpn's password cannot be used, so a key has to be made",
  hint: "(umask 077 && aggvpn genkey > secret) beside it, and copy the file to the other end",
};

/** Translates `text`. Never throws for what a file can be. */
export function importMlvpn(text: string): Imported {
  const strict = readMlvpn(text);
  const refused = new Settings(strict).whyRefused();
  return settle(convert(refused === undefined ? strict : readMlvpn(text, true), refused));
}

/** Makes comments of the lines that are wrong: mlvpn checks no value. */
function settle(text: string): Imported {
  let lines = text.split("\n");
  for (;;) {
    const problems = errorsOf(lines.join("\n"));
    const wrong = new Map(problems.map(({ line, message }) => [line - 1, message]));
    const isWrong = (line: string, i: number): boolean => wrong.has(i) && isPair(line);
    if (!lines.some(isWrong)) return { text: lines.join("\n"), problems };
    // What is left may be wrong without these.
    lines = lines.flatMap((line, i) =>
      isWrong(line, i) ? commentLines(`${line} -- not taken over: ${wrong.get(i)}`) : [line]
    );
  }
}

/** Tells whether the configuration can do without a line. */
function isPair(line: string): boolean {
  return /^(?!password)\w+ = /.test(line);
}

function errorsOf(text: string): readonly Problem[] {
  const options = { file: "import.toml", readSecretFile: () => NO_SECRET };
  return parseConfig(text, options).problems.filter(({ severity }) => severity === "error");
}
