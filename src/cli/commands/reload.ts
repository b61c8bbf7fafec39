/** `aggvpn reload`: has a running tunnel take on its configuration file as it is now. */

import type { Problem } from "../../config/config.ts";
import { ask } from "../../control/client.ts";
import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { findControl } from "../find_control.ts";
import { ConfigError } from "../load.ts";
import { problemText } from "../problem_text.ts";

/** Names are looked up, and pass phrases stretched. */
const ANSWER_MS = 60_000;

/** What a tunnel has done. */
interface Reloaded {
  readonly file: string;
  readonly words: readonly string[];
  readonly forgotten: readonly string[];
  readonly warnings: readonly Problem[];
}

/** ... or why it has not. */
interface Refused {
  readonly file: string;
  readonly problems: readonly Problem[];
}

/** Reloads a tunnel. */
export const reload: Command = {
  name: "reload",
  operands: "[FILE|NAME]",
  summary: "Apply a changed file without a restart",
  description:
    `Has the running tunnel that belongs to the configuration FILE or has the name NAME read its
file again; without an operand, the only one that runs. What is different is applied, and printed;
what is the same goes on undisturbed: clients, links and their traffic. SIGHUP does the same.

Clients, links with all their options, listen addresses, rules, routes, name servers, schedule,
hooks and the log level can change. Everything else, such as the mode, the tunnel's addresses or a
client's own password, needs a restart.

The file is applied whole or not at all: if anything in it is wrong or needs a restart, nothing
changes. What commands have changed (link, limit, log) is forgotten.

Exit status: 0 when the file was applied, also if nothing was different; 3 when it is wrong.`,
  flags: {},

  async run(shell, { operands }): Promise<number> {
    const control = await findControl(operands[0]);
    const { file, words, forgotten, warnings } = await askReload(control);
    for (const problem of warnings) shell.stderr(problemText(file, problem, false));
    for (const line of words) shell.stdout(`${line}\n`);
    for (const line of forgotten) shell.stdout(`forgotten: ${line}\n`);
    if (words.length === 0) shell.stdout("Nothing is different\n");
    return EXIT.ok;
  },
};

/**
 * Has the tunnel with this control socket read its file again. Throws ConfigError or AggvpnError when
 * nothing was applied.
 */
export async function askReload(control: string): Promise<Reloaded> {
  const answer = await ask(control, "reload", {}, ANSWER_MS) as Reloaded | Refused;
  if ("problems" in answer) throw new ConfigError(answer.file, answer.problems);
  return answer;
}
