/** `aggvpn status`: what running tunnels and their links are doing. */

import { ask } from "../../control/client.ts";
import { CONTROL_VERSION, type StatusDocument } from "../../control/protocol.ts";
import { AggvpnError, EXIT, UsageError } from "../../errors.ts";
import type { Arguments, Command, Shell } from "../command.ts";
import { findControl, findControls } from "../find_control.ts";
import type { RunningConfigDocument } from "../running_config_text.ts";
import { isSessionUp, statusText } from "../status_text.ts";
import { terminalColumns } from "../terminal.ts";

/** Shows the state of tunnels. */
export const status: Command = {
  name: "status",
  operands: "[FILE|NAME]",
  summary: "Show the state of a tunnel and its links",
  description:
    `Asks the running tunnel that belongs to the configuration FILE or has the name NAME; without
an operand, every one that runs.

FOR is since when a link has been in its state. RTT is the smoothed round-trip time. How much that
varies is ±. SKEW is how much later packets arrive than on the nearest link. LOSS is what the peer
misses of ours, then what we miss of the peer's, and LEFT what of ours is lost for good, although it
was sent again. SEND, RECV and a link's SHARE of both are measured over the last second; RATE is
what it is believed to carry. TIER is when it is used, MTU the largest packet that it carries. A
narrow terminal shows the columns that matter most, or a few lines for each link. Lines below the
table say why a link is not used, what it costs and where it leads.

Exit status: 0 when every tunnel that is shown has a session of which a link works, 4 when one has
none, 1 when no tunnel runs or one does not answer.`,
  flags: {
    json: { doc: "Print a JSON document for each tunnel, in which fields are only ever added" },
    config: { doc: "Print the configuration that runs, without its secrets, as a file" },
    watch: { doc: "Show it live, with graphs and events, until q is pressed", short: "w" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    if (flags.watch === true) return await watchOne(shell, operands[0], flags);
    if (flags.config === true) return await showConfig(shell, operands[0]);
    const columns = terminalColumns();
    const show = (document: StatusDocument, isFirst: boolean): void => {
      if (flags.json === true) shell.stdout(JSON.stringify(document, null, 2) + "\n");
      else shell.stdout((isFirst ? "" : "\n") + statusText(document, { ...shell, columns }));
    };
    const paths = await findControls(operands[0]);
    const codes: number[] = [];
    for (const path of paths) {
      try {
        const document = await askStatus(path);
        show(document, codes.length === 0);
        codes.push(isSessionUp(document) ? EXIT.ok : EXIT.noSession);
      } catch (error) {
        if (paths.length === 1 || !(error instanceof AggvpnError)) throw error;
        shell.stderr(`aggvpn: ${path}: ${error.message}\n`);
        codes.push(EXIT.failure);
      }
    }
    return codes.includes(EXIT.failure) ? EXIT.failure : Math.max(...codes);
  },
};

async function watchOne(
  shell: Shell,
  operand: string | undefined,
  flags: Arguments["flags"],
): Promise<number> {
  if (flags.json === true) {
    throw new UsageError("--watch and --json exclude each other", {
      hint: "`aggvpn monitor --json` prints what happens as it happens",
    });
  }
  const path = await findControl(operand);
  const { watchStatus } = await import("../watch.ts");
  return await watchStatus(shell, path);
}

async function showConfig(shell: Shell, operand: string | undefined): Promise<number> {
  const path = await findControl(operand);
  // What writes TOML is not needed by the others.
  const { runningConfigText } = await import("../running_config_text.ts");
  shell.stdout(runningConfigText(await ask(path, "config") as RunningConfigDocument));
  return EXIT.ok;
}

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
