/**
 * What commands that change a running tunnel share.
 *
 * @module
 */

import { parseQuantity, suggestQuantity, type Units } from "../config/units.ts";
import { ask } from "../control/client.ts";
import type { Parameters } from "../control/protocol.ts";
import { EXIT, UsageError } from "../errors.ts";
import type { Arguments, Flag, Shell } from "./command.ts";
import { findControl } from "./find_control.ts";

/** Commands of the tunnel may take a while to make a change: a name server, a pass phrase. */
const ANSWER_MS = 30_000;

/** The flag that names the tunnel. */
export const TUNNEL_FLAG: Readonly<Record<string, Flag>> = {
  tunnel: { doc: "Name the tunnel, where several run", value: "FILE|NAME" },
};

/** What the help says of how long a change lasts. */
export const LASTS =
  `A reload or a restart of the tunnel forgets the change: what is to last belongs into the
configuration file.`;

/** Asks for a change, and prints what was done. */
export async function change(
  shell: Shell,
  { flags }: Arguments,
  request: string,
  parameters: Parameters,
): Promise<number> {
  const { words } = await askTunnel(flags, request, parameters) as { words: readonly string[] };
  for (const line of words) shell.stdout(`${line}\n`);
  return EXIT.ok;
}

/** Asks the tunnel that the flags name. Throws AggvpnError. */
export async function askTunnel(
  flags: Arguments["flags"],
  request: string,
  parameters: Parameters = {},
): Promise<unknown> {
  const { tunnel } = flags;
  const control = await findControl(typeof tunnel === "string" ? tunnel : undefined);
  return await ask(control, request, parameters, ANSWER_MS);
}

/** Reads a number with its unit, such as `5Mbit/s`. Throws UsageError. */
export function quantityOf(text: string, units: Units, example: string): number {
  const value = parseQuantity(text, units);
  if (value !== undefined) return value;
  const meant = suggestQuantity(text, units);
  throw new UsageError(`Expected a number with its unit, found "${text}"`, {
    hint: meant === undefined ? `Write it as in ${example}` : `Did you mean "${meant}"?`,
  });
}
