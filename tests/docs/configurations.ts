/**
 * The configurations of a guide, read as `aggvpn check` reads them.
 *
 * @module
 */

import type { Config, Problem } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { readDocument } from "./markdown.ts";

/** Reads a configuration; every key file holds a key. */
export function read(text: string): { config?: Config; problems: readonly Problem[] } {
  return parseConfig(text, {
    file: "/etc/aggvpn/test.toml",
    readSecretFile: () => ({ text: "not a real password, only long enough" }),
  });
}

/** What a configuration says; that of an example of the repository when given its path. */
export function meaningOf(source: { text: string } | { example: string }): unknown {
  const text = "text" in source ? source.text : readDocument(`examples/${source.example}`);
  return read(text).config;
}
