/**
 * Reads a configuration file and the files it names.
 *
 * @module
 */

import type { Config, Problem } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import type { PlainTable } from "../config/plain.ts";
import type { ReadSecretFile, SecretFile } from "../config/read_secret.ts";
import { AggvpnError, EXIT } from "../errors.ts";
import { isMlvpnFile } from "../setup/mlvpn/detect.ts";
import { countOf, problemText } from "./problem_text.ts";
import { isFailure, type ReadFile, readTextFile } from "./text_file.ts";

/** Largest configuration: 250 links need a tenth of it; parsing a full one takes a second. */
const MAX_CONFIG_BYTES = 256 * 1024;
/** Largest password file. */
const MAX_SECRET_BYTES = 4096;

/** A configuration that cannot be used: exit status 3. */
export class ConfigError extends AggvpnError {
  override readonly name = "ConfigError";
  override readonly exitCode = EXIT.config;
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === "error").length;
    super(`Cannot use ${file}: ${countOf(errors, "error")}`);
    this.file = file;
    this.problems = problems;
  }
}

/** A configuration when there is no error, and every problem. */
export interface LoadResult {
  readonly config?: Config;
  readonly problems: readonly Problem[];
  /** What the file says, without secrets; absent when there is an error. */
  readonly document?: PlainTable;
}

/**
 * Reads the configuration `path`, with `more` appended; relative paths in it start from its directory.
 * Never throws.
 */
export function readConfig(path: string, more = ""): LoadResult {
  const file = readTextFile(path, MAX_CONFIG_BYTES);
  if (isFailure(file)) return { problems: [{ severity: "error", column: 0, line: 0, ...file }] };
  const result = parseConfig(file.text + more, {
    file: path,
    readSecretFile: secretReader(path),
  });
  if (!result.config && isMlvpnFile(file.text)) return { problems: [ofMlvpn(path)] };
  const problems = [...accessProblems(path, file, result.holdsSecret), ...result.problems];
  const { config, document } = result;
  return { ...config && { config }, problems, ...document && { document } };
}

/**
 * Returns the configuration `path`; `warn` gets each warning, a line or two. Throws {@linkcode
 * ConfigError} with every problem when there is an error.
 */
export function loadConfig(path: string, warn?: (text: string) => void): Config {
  return loadFile(path, warn).config;
}

/** The same, with what the file says. */
export function loadFile(
  path: string,
  warn?: (text: string) => void,
): Required<Pick<LoadResult, "config" | "document">> {
  const { config, problems, document = {} } = readConfig(path);
  if (!config) throw new ConfigError(path, problems);
  for (const problem of problems) warn?.(problemText(path, problem, false));
  return { config, document };
}

/** Returns what reads the files that the configuration `path` names. */
export function secretReader(path: string): ReadSecretFile {
  return (name) => readSecret(resolve(path, name));
}

function ofMlvpn(path: string): Problem {
  const message = "this is a file of mlvpn, not of aggvpn";
  const hint = `(umask 077 && aggvpn import-mlvpn ${path} > FILE.toml) makes a configuration of it`;
  return { severity: "error", line: 0, column: 0, message, hint };
}

function readSecret(path: string): SecretFile {
  const file = readTextFile(path, MAX_SECRET_BYTES);
  if (isFailure(file)) {
    const hint = file.hint ??
      `copy it from the other end, or make it: aggvpn genkey ${path}`;
    return { error: `${path}: ${file.message}`, hint };
  }
  if (file.othersMayRead) {
    const warning = `${path} can be read by other users (mode ${file.mode})`;
    return { text: file.text, warning, hint: `run chmod 600 ${path}` };
  }
  return { text: file.text };
}

/** The file may name commands that run as root, and may hold a secret. */
function accessProblems(path: string, file: ReadFile, holdsSecret: boolean): Problem[] {
  const warning = (message: string): Problem => ({
    severity: "warning",
    line: 0,
    column: 0,
    message,
    hint: `run chmod 600 ${path}`,
  });
  if (file.othersMayWrite) {
    return [warning(`other users can change this file (mode ${file.mode})`)];
  }
  if (holdsSecret && file.othersMayRead) {
    return [warning(`contains a password and can be read by other users (mode ${file.mode})`)];
  }
  return [];
}

function resolve(from: string, name: string): string {
  return name.startsWith("/") ? name : from.slice(0, from.lastIndexOf("/") + 1) + name;
}
