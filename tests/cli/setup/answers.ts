/**
 * Somebody at a terminal, or nobody.
 *
 * @module
 */

import { type AnswerSource, Dialog } from "../../../src/cli/setup/dialog.ts";

/** Lines that are read; `isTerminal`: somebody types them. */
export function answering(lines: readonly string[], isTerminal = true): AnswerSource {
  const left = [...lines];
  return { isTerminal, readLine: () => left.shift() };
}

/** A dialog and what it has said. */
export function dialogWith(
  lines: readonly string[],
  isTerminal = true,
): { readonly dialog: Dialog; readonly said: () => string } {
  let said = "";
  const dialog = new Dialog(answering(lines, isTerminal), (text) => void (said += text));
  return { dialog, said: () => said };
}

/** Nobody: every answer is the default. */
export function nobody(): Dialog {
  return dialogWith([], false).dialog;
}
