/**
 * What is wrong with a file that was just written, or with this host for it.
 *
 * @module
 */

import type { Config } from "../../config/config.ts";
import type { Shell } from "../command.ts";
import { checkHost } from "../host_check.ts";
import { loadConfig } from "../load.ts";
import { hostText } from "../problem_text.ts";

/** Checks a file as `aggvpn check` does, and says what it finds. Throws AggvpnError. */
export async function reportOn(file: string, shell: Shell): Promise<Config> {
  const config = loadConfig(file, shell.stderr);
  for (const finding of await checkHost(config)) shell.stderr(hostText(finding, false));
  return config;
}
