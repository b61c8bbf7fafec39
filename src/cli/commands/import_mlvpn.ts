/** `aggvpn import-mlvpn`: a configuration from one of mlvpn. */

import { AggvpnError, EXIT } from "../../errors.ts";
import { isMlvpnFile } from "../../setup/mlvpn/detect.ts";
import { importMlvpn } from "../../setup/mlvpn/import.ts";
import type { Command } from "../command.ts";
import { ConfigError } from "../load.ts";
import { problemText } from "../problem_text.ts";
import { isFailure, readTextFile } from "../text_file.ts";

/** Largest file: mlvpn's own lists of routes are at most 12 KiB. */
const MAX_BYTES = 256 * 1024;

/** Prints what a file of mlvpn says, as a configuration. */
export const importMlvpnCommand: Command = {
  name: "import-mlvpn",
  operands: "FILE",
  summary: "Turn a configuration of mlvpn into one of aggvpn",
  description:
    `Reads FILE as mlvpn does and prints a configuration on standard output. Comments in it say
what became of options that have another place or none, and which lines mlvpn ignores. FILE
stays as it is. The password is part of the result, so nobody else may read it:

(umask 077 && aggvpn import-mlvpn mlvpn.conf > client.toml)

Exit status: 0 when the result can be used; 3 when something is missing in it, which is said on
standard error.`,
  flags: {},

  run(shell, { operands }): Promise<number> {
    const file = operands[0]!;
    const read = readTextFile(file, MAX_BYTES, "latin1");
    if (isFailure(read)) {
      throw new ConfigError(file, [{ severity: "error", line: 0, column: 0, ...read }]);
    }
    if (!isMlvpnFile(read.text)) {
      throw new AggvpnError(`${file} is no file of mlvpn`, {
        hint: "`aggvpn check FILE` tells what is wrong with one of aggvpn",
      });
    }
    const { text, problems } = importMlvpn(read.text);
    shell.stdout(text);
    for (const problem of problems) shell.stderr(problemText("result", problem, false));
    return Promise.resolve(problems.length === 0 ? EXIT.ok : EXIT.config);
  },
};
