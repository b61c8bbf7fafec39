/**
 * The secret of a table: `password` or `password_file`.
 *
 * @module
 */

import type { Secret } from "./config.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import type { CLIENT_KEYS, TOP_KEYS } from "./schema.ts";
import { GENKEY_HINT, parseSecret } from "./secret.ts";
import { type Position, quote } from "./tree.ts";

/** What reading a password file gives; neither message contains the secret. */
export type SecretFile =
  | { readonly text: string; readonly warning?: string; readonly hint?: string }
  | { readonly error: string; readonly hint?: string };

/** Reads a password file; the path is as it is written in the configuration. */
export type ReadSecretFile = (path: string) => SecretFile;

type SecretTable = Reading<typeof TOP_KEYS | typeof CLIENT_KEYS>;

/** Returns the secret of `table`, or reports why there is none. `required`: absence is an error. */
export function readSecret(
  table: SecretTable,
  required: boolean,
  report: Report,
  readFile: ReadSecretFile,
): Secret | undefined {
  const dot = table.path === "" ? "" : `${table.path}.`;
  if (table.has("password") && table.has("password_file")) {
    const message = `${dot}password_file: expected either this or ${dot}password, found both`;
    report.error(table.placeOf("password_file"), message, "remove one of the two");
    return undefined;
  }
  const { password, password_file } = table.values;
  if (password !== undefined) return check(password, table.placeOf("password"), `${dot}password`);
  if (password_file !== undefined) return checkFile(password_file);
  if (required && !table.has("password") && !table.has("password_file")) {
    const where = table.path === "" ? undefined : table.at;
    report.error(where, `${dot}password: missing, and no ${dot}password_file either`, GENKEY_HINT);
  }
  return undefined;

  function check(text: string, at: Position, path: string): Secret | undefined {
    const result = parseSecret(text);
    if ("error" in result) return void report.error(at, `${path}: ${result.error}`, result.hint);
    if (result.warning !== undefined) report.warn(at, `${path}: ${result.warning}`, GENKEY_HINT);
    return result.secret;
  }

  function checkFile(path: string): Secret | undefined {
    const at = table.placeOf("password_file");
    const file = readFile(path);
    if ("error" in file) {
      return void report.error(at, `${dot}password_file: ${file.error}`, file.hint);
    }
    if (file.warning !== undefined) {
      report.warn(at, `${dot}password_file: ${file.warning}`, file.hint);
    }
    const lines = file.text.replace(/\r?\n$/, "").split(/\r?\n/);
    if (lines.length === 1) return check(lines[0]!, at, `${dot}password_file`);
    const message = `${dot}password_file: expected one line in ${
      quote(path)
    }, found ${lines.length}`;
    return void report.error(at, message);
  }
}

/** Tells whether two secrets are the same. */
export function sameSecret(a: Secret, b: Secret): boolean {
  const key = (secret: Secret): string => secret.key?.join() ?? `:${secret.password}`;
  return key(a) === key(b);
}
