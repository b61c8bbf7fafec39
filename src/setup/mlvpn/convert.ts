/**
 * The text of the configuration that a file of mlvpn becomes.
 *
 * @module
 */

import { parseSecret } from "../../config/secret.ts";
import { isName } from "../../config/text_kinds.ts";
import { TomlText } from "../toml_text.ts";
import type { Draft } from "./draft.ts";
import { GENERAL, type MlvpnFile } from "./file.ts";
import { writeFilters } from "./filters.ts";
import { writeHomeless } from "./homes.ts";
import { writeLinks } from "./links.ts";
import { writeListen } from "./listen.ts";
import { Settings } from "./settings.ts";
import { writeTunnel } from "./tunnel.ts";

/** Writes the configuration; `refused`: why mlvpn does not start with the file. */
export function convert(file: MlvpnFile, refused: string | undefined): string {
  const settings = new Settings(file);
  const out = new TomlText();
  const draft = { settings, out, names: namesOf(settings.links) };
  out.comment(
    "Made from a file of mlvpn by `aggvpn import-mlvpn`. Comments say what became of the options " +
      "that are not here. Both ends have to change at the same time.",
  );
  if (refused !== undefined) {
    out.raw("#").comment(
      `mlvpn does not start with that file: ${refused}. It is read as it was probably meant.`,
    );
  }
  writeIgnored(file, out);
  writeTop(draft);
  writeTunnel(draft);
  if (!settings.isServer) writeLinks(draft);
  writeFilters(draft);
  return `${out}`;
}

function writeIgnored({ ignored }: MlvpnFile, out: TomlText): void {
  for (const { line, text, why } of ignored) {
    const shown = /passw/i.test(text) ? text.replace(/=.*/, "= ...") : text;
    out.raw("#").comment(`mlvpn ignores line ${line}, since ${why}: ${shown}`);
  }
}

function writeTop({ settings, out }: Draft): void {
  const { isServer } = settings;
  out.gap().pair("mode", isServer ? "server" : "client");
  const mode = settings.get(GENERAL, "mode");
  if (mode === undefined) out.comment("mode: missing there, and guessed from the links.");
  else if (mode !== "server" && mode !== "client") {
    out.comment(`mode = "${mode}": mlvpn takes every word but "server" for a client.`);
  }
  writePassword(settings.get(GENERAL, "password"), out);
  if (isServer) writeListen({ settings, out });
  else out.pair("server", settings.commonServer);
  writeCommand(settings, out);
  writeHomeless(settings, GENERAL, out);
}

function writePassword(password: string | undefined, out: TomlText): void {
  const result = password === undefined ? undefined : parseSecret(password);
  if (password !== undefined && result && "secret" in result) {
    out.pair("password", password);
    return;
  }
  const why = result && "error" in result ? result.error : "the file has none";
  out.comment(`password: ${why}. Make a key, and copy it to the other end:`);
  out.comment("(umask 077 && aggvpn genkey > secret)");
  out.pair("password_file", "secret");
}

function writeCommand(settings: Settings, out: TomlText): void {
  const command = settings.get(GENERAL, "statuscommand");
  if (command === undefined) return;
  out.comment(
    "Called with mlvpn's arguments and variables. Addresses and routes are set without it: leave " +
      "it out if it does nothing else.",
  );
  out.pair("status_command", command);
}

/** Gives each link a name that a configuration can have. */
function namesOf(links: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const link of links) {
    const base = isName(link) ? link : link.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, 26);
    let name = base.replace(/^-+$/, "") || "link";
    for (let i = 2; taken.has(name); i++) name = `${base.slice(0, 26) || "link"}-${i}`;
    taken.add(name);
    names.set(link, name);
  }
  return names;
}
