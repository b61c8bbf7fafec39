/** `aggvpn log`: sets how much a running tunnel logs. */

import { LOG_LEVELS } from "../../config/schema.ts";
import { change, LASTS, TUNNEL_FLAG } from "../change.ts";
import type { Command } from "../command.ts";

/** Sets the log level. */
export const logLevel: Command = {
  name: "log",
  operands: "LEVEL",
  completes: { LEVEL: LOG_LEVELS },
  summary: "Set how much a running tunnel logs",
  description: `Has the running tunnel log at this LEVEL from now on: error, warning, info, debug
or trace.

${LASTS}`,
  flags: TUNNEL_FLAG,

  run(shell, args): Promise<number> {
    return change(shell, args, "log", { level: args.operands[0] });
  },
};
