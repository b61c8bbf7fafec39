/**
 * The answer to a shell that asks what can be typed next: a line for each candidate, its value and,
 * behind a tab, what it is; `:files` when the shell is to add names of files.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { complete, type Sources } from "./complete.ts";

/** Returns the lines for `words`, of which the last one is being typed. */
export async function answerCompletion(
  words: readonly string[],
  commands: readonly Command[],
  sources: Sources,
): Promise<string> {
  const { candidates, files } = await complete(words, commands, sources);
  const lines = candidates.map(({ value, doc }) => doc === "" ? value : `${value}\t${doc}`);
  return [...lines, ...files ? [":files"] : []].map((line) => `${line}\n`).join("");
}
