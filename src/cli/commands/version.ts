/** `aggvpn version`. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { versionText } from "../version.ts";

/** Prints the version. */
export const version: Command = {
  name: "version",
  operands: "",
  summary: "Show the version",
  description: "Prints the version, the commit it was built of when that is known, and the host.",
  flags: {},

  run(shell): Promise<number> {
    shell.stdout(versionText());
    return Promise.resolve(EXIT.ok);
  },
};
