/**
 * What runs, as a configuration file: for `aggvpn status --config`.
 *
 * @module
 */

import { stringify } from "@std/toml";
import { type PlainTable, SECRET_MARK } from "../config/plain.ts";

/** What a tunnel says of its configuration. */
export interface RunningConfigDocument {
  readonly file: string;
  /** Without secrets. */
  readonly document: PlainTable;
  /** What commands have changed, in words. */
  readonly changes: readonly string[];
}

/** Writes it as TOML, in which a comment stands for each secret. */
export function runningConfigText({ file, document, changes }: RunningConfigDocument): string {
  const lines = [
    `What runs, of ${file}`,
    ...changes.map((words) => `changed by a command: ${words}`),
  ];
  const secret = new RegExp(`^password = "${SECRET_MARK}"$`, "gm");
  const text = stringify(document).replace(secret, `# password = (as in ${file})`);
  return `${lines.map((line) => `# ${line}\n`).join("")}${text}`;
}
