/**
 * Shows a join string, and the picture of it that a phone can carry over.
 *
 * @module
 */

import { formatInvitation, type Invitation } from "../../setup/invitation.ts";
import type { Flag, Shell } from "../command.ts";
import { terminalColumns } from "../terminal.ts";

/** Light modules around a code: four by its standard; readers want one at least. */
const QUIET = { most: 4, least: 1 } as const;

/** The flag of commands that print one. */
export const QR_FLAG: Readonly<Record<string, Flag>> = {
  qr: { doc: "Show the join string as a QR code too" },
};

/** Prints a join string alone on standard output, what it is for on standard error. */
export async function printInvitation(
  invitation: Invitation,
  withCode: boolean,
  shell: Shell,
): Promise<void> {
  const text = formatInvitation(invitation);
  shell.stderr(`On the client run \`aggvpn join\` and paste this. It is secret: whoever has it
can join as ${invitation.name}.

`);
  shell.stdout(text + "\n");
  if (withCode) {
    const { encode, renderUnicodeCompact } = await import("uqr");
    const { size } = encode(text, { border: 0 });
    const room = Math.floor((terminalColumns() - size) / 2);
    const border = Math.max(QUIET.least, Math.min(QUIET.most, room));
    shell.stdout(renderUnicodeCompact(text, { border }) + "\n");
  }
  shell.stderr("\n");
}
