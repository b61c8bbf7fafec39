/** `aggvpn down`: ends a running tunnel, and undoes what one left that was killed. */

import { isAlive } from "../../control/server.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import type { Command, Shell } from "../command.ts";
import { findControl } from "../find_control.ts";
import { askStatus } from "./status.ts";

/** A tunnel whose scripts take longer is left to end by itself. */
const END_MS = 30_000;
const LOOK_MS = 100;

/** Makes sure that a tunnel is gone, and all of its changes with it. */
export const down: Command = {
  name: "down",
  operands: "FILE|NAME",
  summary: "End a tunnel and undo what it has changed",
  description:
    `Ends the running tunnel that belongs to the configuration FILE or has the name NAME, as
SIGTERM does, and waits for its end. If it was killed, so that nothing runs any more, every change
of the system that it has left is undone, as the next start would do; each command is printed.

Exit status: 0 when nothing of the tunnel is left, also if nothing was there.`,
  flags: {},

  async run(shell, { operands }): Promise<number> {
    const control = await findControl(operands[0]);
    if (await isAlive(control)) await end(shell, control);
    // Only up and down need the layer that changes the system.
    const { isLeft, journalPath, undoLeftOvers } = await import("../../daemon/change_journal.ts");
    for (const line of undoLeftOvers(control)) shell.stdout(`- ${line}\n`);
    if (!isLeft(control)) return EXIT.ok;
    throw new AggvpnError(`Cannot undo what ${journalPath(control)} lists`, {
      hint: "Its process may still run; else run as its user, in its network namespace",
    });
  },
};

async function end(shell: Shell, control: string): Promise<void> {
  const { name, pid } = (await askStatus(control)).daemon;
  const { detectPlatform } = await import("../../platform/detect.ts");
  detectPlatform().endProcess(pid);
  const until = performance.now() + END_MS;
  while (await isAlive(control)) {
    if (performance.now() > until) {
      throw new AggvpnError(`Tunnel ${name} has not ended after ${END_MS / 1000} s`, {
        hint: `Its scripts may hang; "kill ${pid}" once more ends it at once, then run this again`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  shell.stdout(`Tunnel ${name} has ended\n`);
}
