/**
 * Which control socket the user means.
 *
 * @module
 */

import { CONTROL_DIRECTORY } from "../config/schema.ts";
import { isAlive } from "../control/server.ts";
import { AggvpnError } from "../errors.ts";
import { loadConfig } from "./load.ts";

/**
 * Returns the path of the control socket of a configuration file, of a tunnel's name, or of the
 * only running tunnel. Throws AggvpnError when that is unclear.
 */
export async function findControl(operand: string | undefined): Promise<string> {
  if (operand === undefined) return await onlyTunnel();
  const info = stat(operand);
  if (info?.isSocket) return operand;
  // A directory may be called like a tunnel.
  if (info && !info.isDirectory || /[/.]/.test(operand)) return loadConfig(operand).control;
  return pathOf(operand);
}

/** The same, or without an operand those of every running tunnel; at least one. */
export async function findControls(operand: string | undefined): Promise<readonly string[]> {
  if (operand !== undefined) return [await findControl(operand)];
  return (await someTunnels()).map(pathOf);
}

function pathOf(name: string): string {
  return `${CONTROL_DIRECTORY}/${name}.sock`;
}

async function onlyTunnel(): Promise<string> {
  const names = await someTunnels();
  if (names.length === 1) return pathOf(names[0]!);
  throw new AggvpnError(`Several tunnels are running: ${names.join(", ")}`, {
    hint: `Name one, as in \`aggvpn status ${names[0]}\``,
  });
}

/** The names of the running tunnels. Throws AggvpnError when there is none. */
async function someTunnels(): Promise<string[]> {
  const names = await runningTunnels();
  if (names.length > 0) return names;
  throw new AggvpnError(`No tunnel is running: ${CONTROL_DIRECTORY} has no live control socket`, {
    hint: "Start one with `aggvpn up FILE`, or name the file if it sets `control`",
  });
}

/** Names of the tunnels whose control sockets are in the usual directory and alive. */
export async function runningTunnels(): Promise<string[]> {
  const names: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(CONTROL_DIRECTORY)) {
      if (!name.endsWith(".sock")) continue;
      if (await isAlive(`${CONTROL_DIRECTORY}/${name}`)) names.push(name.slice(0, -5));
    }
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new AggvpnError(`Cannot read ${CONTROL_DIRECTORY}: Permission denied`, {
        hint: "Run as root, or as the user who runs the tunnel",
      });
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
