/** `aggvpn join`: the configuration of a client, from what its server has printed. */

import type { Config } from "../../config/config.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import { type Invitation, missingDigits, parseInvitation } from "../../setup/invitation.ts";
import { clientFile } from "../../setup/new_files.ts";
import type { Command, Shell } from "../command.ts";
import { type AnswerSource, Dialog, standardInput } from "../setup/dialog.ts";
import { finish, mayWrite, NEW_FILE_FLAGS, newFile } from "../setup/new_file.ts";
import { writeSecretFile } from "../setup/secret_file.ts";
import { SERVICE_FLAGS } from "../setup/service.ts";
import { askStatus } from "./status.ts";

const DEFAULT_FILE = "/etc/aggvpn/client.toml";
/** How long a tunnel that was started is waited for. */
const UP_MS = 20_000;
const LOOK_MS = 200;

/** Makes the command; its questions are answered by `source`. */
export function joinCommand(source: () => AnswerSource = standardInput): Command {
  return {
    name: "join",
    operands: "[STRING]",
    summary: "Set up a client by the server's join string",
    description:
      `Reads the join string that \`aggvpn init\` or \`aggvpn client add\` printed on the server,
and writes the configuration of a client. Without STRING, or with -, it is read from the
terminal or from standard input; so no other user sees it in the list of processes.

On Linux every interface with a default route becomes a link, for as long as it has one; --links
names those that are to be used. On OpenBSD each interface with a default route becomes one, in its
rdomain.`,
    flags: {
      links: { doc: "The only interfaces to use, such as eth1,wwan0", value: "INTERFACES" },
      routes: {
        doc: "Networks to reach through the tunnel, by default all (default); or none",
        value: "NETWORKS",
      },
      file: { doc: `File to write, by default ${DEFAULT_FILE}`, value: "FILE" },
      ...NEW_FILE_FLAGS,
      ...SERVICE_FLAGS,
    },

    async run(shell, args): Promise<number> {
      const { operands: [operand = "-"], flags } = args;
      const answers = source();
      const file = newFile(args, DEFAULT_FILE);
      const dialog = new Dialog(answers, shell.stderr, flags.yes !== true);
      const mayReplace = mayWrite(file, args, dialog);
      const invitation = invitationOf(operand === "-" ? read(dialog) : operand);
      const { detectPlatform } = await import("../../platform/detect.ts");
      const { planClient } = await import("../setup/client_plan.ts");
      const platform = detectPlatform();
      const host = { os: platform.os, survey: platform.survey() };
      const plan = planClient(invitation, host, args, dialog);
      writeSecretFile(file, clientFile(plan.file), mayReplace);
      shell.stderr(`Wrote ${file}\n`);
      for (const remark of plan.remarks) shell.stderr(`${remark}\n`);
      const { config, isStarted } = await finish(file, platform.os, args, dialog, shell);
      if (isStarted) await awaitTunnel(config, shell);
      return EXIT.ok;
    },
  };
}

/** Reads until the string is complete, or cannot become so; an empty line ends it too. */
function read(dialog: Dialog): string {
  return dialog.read("Paste the join string of the server:", (text) =>
    missingDigits(text) === 0 ||
    text.trim() !== "" && (text.endsWith("\n\n") || !/aggjoin/i.test(text)));
}

function invitationOf(text: string): Invitation {
  const result = parseInvitation(text);
  if ("invitation" in result) return result.invitation;
  throw new AggvpnError(`Cannot join: ${result.error}`, { hint: sentence(result.hint) });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Says whether the server answers, as soon as it does. */
async function awaitTunnel({ control, file }: Config, shell: Shell): Promise<void> {
  const until = performance.now() + UP_MS;
  while (performance.now() < until) {
    const links = await linksUp(control);
    if (links.length > 0) {
      shell.stderr(`The tunnel is up, by ${links.join(", ")}\n`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  shell.stderr(`The server has not answered yet: \`aggvpn status ${file}\` says why\n`);
}

async function linksUp(control: string): Promise<string[]> {
  try {
    const { peers } = (await askStatus(control)).tunnel;
    return peers.flatMap(({ links }) =>
      links.filter(({ state }) => state === "up").map(({ name }) => name)
    );
  } catch (error) {
    if (error instanceof AggvpnError) return [];
    throw error;
  }
}
