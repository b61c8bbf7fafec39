/** `aggvpn monitor`: what happens to a tunnel, as it happens. */

import { follow } from "../../control/client.ts";
import { CONTROL_VERSION } from "../../control/protocol.ts";
import type { TunnelEvent } from "../../daemon/event_hub.ts";
import { eventWords } from "../../daemon/event_words.ts";
import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { findControl } from "../find_control.ts";
import { watchReader } from "../reader.ts";
import { askStatus } from "./status.ts";

/** Follows the events of a tunnel. */
export const monitor: Command = {
  name: "monitor",
  operands: "[FILE|NAME]",
  summary: "Print what happens to a tunnel as it happens",
  description:
    `Prints a line for each event of the running tunnel that belongs to the configuration FILE or
has the name NAME; without an operand, of the only one that runs: sessions and links that come and
go, with the cause and what became of the packets, addresses, quotas, changes by command.

It ends when the tunnel does, which the last line says, when nobody reads its output any more, and
with Ctrl-C.

Exit status: 0, or 1 when the tunnel cannot be asked.`,
  flags: {
    json: { doc: "Print one JSON object a line, in which fields are only ever added" },
    history: { doc: "Begin with what has happened lately" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const path = await findControl(operands[0]);
    const isServer = (await askStatus(path)).tunnel.role === "server";
    const line = (event: TunnelEvent | EndEvent): string =>
      flags.json === true
        ? JSON.stringify({ version: CONTROL_VERSION, ...event })
        : `${timeOf(event.atMs)} ${wordsOf(event, isServer)}`;
    await using reader = await watchReader(shell.gone);
    const history = flags.history === true;
    for await (const event of follow(path, "events", { history }, reader.gone)) {
      shell.stdout(line(event as TunnelEvent) + "\n");
    }
    if (!reader.gone.aborted) shell.stdout(line({ type: "ended", atMs: Date.now() }) + "\n");
    return EXIT.ok;
  },
};

/** The tunnel has ended, which it cannot say itself. */
interface EndEvent {
  readonly type: "ended";
  readonly atMs: number;
}

function wordsOf(event: TunnelEvent | EndEvent, isServer: boolean): string {
  return event.type === "ended" ? "the tunnel has ended" : eventWords(event, isServer);
}

/** An instant in local time, such as `2026-11-28 18:07:03.250`. */
export function timeOf(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
