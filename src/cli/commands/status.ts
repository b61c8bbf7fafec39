/** `aggvpn status`: what a running tunnel and its links are doing. */

import { ask } from "../../control/client.ts";
import { CONTROL_VERSION, type StatusDocument } from "../../control/protocol.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { findControl } from "../find_control.ts";
import type { RunningConfigDocument } from "../running_config_text.ts";
import { statusText } from "../status_table.ts";

/** Shows the state of a tunnel. */
export const status: Command = {
  name: "status",
  operands: "[FILE|NAME]",
  summary: "Show the state of a tunnel and its links",
  description:
    `Asks the running tunnel that belongs to the configuration FILE or has the name NAME; without
an operand, the only one that runs.

RTT and ± are the smoothed round-trip time and its deviation. LOSS is what the peer misses of
ours, then what we miss of the peer's. SEND and RECV are measured over the last second, RATE is
what the link is believed to carry. Lines below the table say why a link is not used, and whether
it is metered and what is used of its quota.`,
  flags: {
    json: { doc: "Print one JSON document, in which fields are only ever added" },
    config: { doc: "Print the configuration that runs, without its secrets, as a file" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const path = await findControl(operands[0]);
    if (flags.config === true) {
      // What writes TOML is not needed by the others.
      const { runningConfigText } = await import("../running_config_text.ts");
      shell.stdout(runningConfigText(await ask(path, "config") as RunningConfigDocument));
      return EXIT.ok;
    }
    const document = await askStatus(path);
    shell.stdout(
      flags.json === true
        ? JSON.stringify(document, null, 2) + "\n"
        : statusText(document, shell.color),
    );
    return EXIT.ok;
  },
};

/** Asks the tunnel with the control socket `path`. Throws AggvpnError when it does not tell. */
export async function askStatus(path: string): Promise<StatusDocument> {
  const answer = await ask(path, "status") as StatusDocument | null;
  if (answer === null) {
    throw new AggvpnError("The tunnel is still being set up", { hint: "Try again in a second" });
  }
  if (answer?.version !== CONTROL_VERSION) {
    throw new AggvpnError("The tunnel runs another version of aggvpn", {
      hint: "Restart it, so that both run the installed version",
    });
  }
  return answer;
}
