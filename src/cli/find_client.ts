/**
 * Which client's configuration the user means.
 *
 * @module
 */

import type { ClientModeConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { askStatus } from "./commands/status.ts";
import { findControl } from "./find_control.ts";
import { loadConfig } from "./load.ts";

/** Where configurations are by name. */
const CONFIG_DIRECTORY = "/etc/aggvpn";

/**
 * Returns the configuration of a file, of a tunnel's name, or of the only running tunnel. Throws
 * AggvpnError when that is unclear, or no client's.
 */
export async function findClient(
  operand: string | undefined,
  command: string,
): Promise<ClientModeConfig> {
  const config = loadConfig(await findFile(operand));
  if (config.mode === "client") return config;
  throw new AggvpnError(`${config.file} is of a server, which has no links of its own`, {
    hint: `Run \`aggvpn ${command}\` at a client; here, \`aggvpn check ${config.file}\` looks at ` +
      "this host",
  });
}

async function findFile(operand: string | undefined): Promise<string> {
  if (operand !== undefined && (isFile(operand) || /[/.]/.test(operand))) return operand;
  const { daemon } = operand === undefined || !isFile(pathOf(operand))
    ? await askStatus(await findControl(operand))
    : { daemon: { file: pathOf(operand), name: operand } };
  return daemon.file ?? pathOf(daemon.name);
}

function pathOf(name: string): string {
  return `${CONFIG_DIRECTORY}/${name}.toml`;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
