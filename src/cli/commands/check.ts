/** `aggvpn check`: what is wrong with a configuration file, and what this host lacks for it. */

import { EXIT } from "../../errors.ts";
import type { HostFinding } from "../../platform/platform.ts";
import type { Command, Shell } from "../command.ts";
import { type LoadResult, readConfig } from "../load.ts";
import { countOf, hostText, problemText } from "../problem_text.ts";

/** Version of the JSON document; fields are only ever added to one version. */
const JSON_VERSION = 1;

/** Checks a configuration file. */
export const check: Command = {
  name: "check",
  operands: "FILE",
  summary: "Check a configuration file, and this host for it",
  description:
    `Prints every problem of FILE as FILE:LINE:COLUMN: SEVERITY: MESSAGE, then what this host lacks
for it as host: SEVERITY: MESSAGE. Nothing is changed and nothing is sent.

Exit status: 0 when FILE can be used, also with warnings; 3 when it cannot. What the host
lacks does not count, since a file is often checked on another machine than it is for.`,
  flags: {
    json: { doc: "Print one JSON document, in which fields are only ever added" },
    "no-host": { doc: "Check the file only" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const file = operands[0]!;
    const result = readConfig(file);
    const host = result.config && flags["no-host"] !== true ? await lookAtHost(result.config) : [];
    if (flags.json === true) printJson(shell, file, result, host);
    else printText(shell, file, result, host);
    return result.config ? EXIT.ok : EXIT.config;
  },
};

async function lookAtHost(
  config: NonNullable<LoadResult["config"]>,
): Promise<readonly HostFinding[]> {
  // The platform layer is loaded only by commands that touch the system.
  const { checkHost } = await import("../host_check.ts");
  return await checkHost(config);
}

function printJson(
  shell: Shell,
  file: string,
  { config, problems }: LoadResult,
  host: readonly HostFinding[],
): void {
  const document = { version: JSON_VERSION, file, ok: config !== undefined, problems, host };
  shell.stdout(JSON.stringify(document, null, 2) + "\n");
}

function printText(
  shell: Shell,
  file: string,
  { config, problems }: LoadResult,
  host: readonly HostFinding[],
): void {
  for (const problem of problems) shell.stdout(problemText(file, problem, shell.color));
  for (const finding of host) shell.stdout(hostText(finding, shell.color));
  const errors = problems.filter((problem) => problem.severity === "error").length;
  shell.stdout(config ? "configuration OK\n" : `configuration has ${countOf(errors, "error")}\n`);
}
