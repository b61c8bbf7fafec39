/** `aggvpn dashboard`: where the dashboard of a running tunnel is. */

import { ask } from "../../control/client.ts";
import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { findControl } from "../find_control.ts";

/** Prints the address of a dashboard. */
export const dashboard: Command = {
  name: "dashboard",
  operands: "[FILE|NAME]",
  summary: "Print the address of a tunnel's page for browsers",
  description:
    `Asks the running tunnel that belongs to the configuration FILE or has the name NAME; without
an operand, the only one that runs. Its file needs \`dashboard = PORT\`.

The address ends with a token, without which the page shows nothing. Browsers do not send that
part of an address to anybody, and it is another one after each start unless
\`dashboard_token_file\` names one.

The page is for browsers on the same host. From another one, forward the port first:
ssh -L 9181:127.0.0.1:9181 HOST`,
  flags: {},

  async run(shell, { operands }): Promise<number> {
    const path = await findControl(operands[0]);
    const { at, token } = await ask(path, "dashboard") as { at: string; token: string };
    shell.stdout(`http://${reachable(at)}/#${token}\n`);
    return EXIT.ok;
  },
};

/** No browser connects to the address that stands for all. */
function reachable(at: string): string {
  return at.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
}
