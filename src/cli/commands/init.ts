/** `aggvpn init`: the configuration of a new server, and what its first client has to know. */

import { AggvpnError, EXIT } from "../../errors.ts";
import type { Platform } from "../../platform/platform.ts";
import { serverFile } from "../../setup/new_files.ts";
import type { Command } from "../command.ts";
import { type AnswerSource, Dialog, standardInput } from "../setup/dialog.ts";
import { finish, mayWrite, NEW_FILE_FLAGS, newFile } from "../setup/new_file.ts";
import { printInvitation, QR_FLAG } from "../setup/print_invitation.ts";
import { writeSecretFile } from "../setup/secret_file.ts";
import { SERVICE_FLAGS } from "../setup/service.ts";

const DEFAULT_FILE = "/etc/aggvpn/server.toml";

/** Makes the command; its questions are answered by `source`. */
export function initCommand(source: () => AnswerSource = standardInput): Command {
  return {
    name: "init",
    operands: "",
    completes: { NAME: [] },
    summary: "Set up a server and invite its first client",
    description:
      `Writes the configuration of a server for one client: with addresses in the tunnel that no
network of this host has, a new key, and a UDP port that is free. On a terminal it asks what flags
do not say. Then it prints a join string, which \`aggvpn join\` reads on the client.

Clients are told the public address of the interface with the default route. Behind NAT give that
of the router by --address, and have it forward the port. Clients reach the internet with the
address of this host, unless --no-nat is given.`,
    flags: {
      address: {
        doc: "Where clients reach this server, with :PORT if that differs",
        value: "HOST",
      },
      port: { doc: "UDP port to listen on, by default 5080 or the next one", value: "PORT" },
      client: { doc: "Name of the first client, by default home", value: "NAME" },
      network: { doc: "IPv4 network of the tunnel", value: "NETWORK" },
      network6: { doc: "IPv6 network of the tunnel", value: "NETWORK" },
      "no-nat": { doc: "Leave the addresses of clients as they are" },
      file: { doc: `File to write, by default ${DEFAULT_FILE}`, value: "FILE" },
      ...NEW_FILE_FLAGS,
      ...SERVICE_FLAGS,
      ...QR_FLAG,
    },

    async run(shell, args): Promise<number> {
      const dialog = new Dialog(source(), shell.stderr, args.flags.yes !== true);
      const file = newFile(args, DEFAULT_FILE);
      const mayReplace = mayWrite(file, args, dialog);
      const { detectPlatform } = await import("../../platform/detect.ts");
      const { planServer } = await import("../setup/server_plan.ts");
      const platform = detectPlatform();
      const host = { os: platform.os, survey: platform.survey(), isFree: portTest(platform) };
      const plan = planServer(host, args, dialog);
      writeSecretFile(file, serverFile(plan.file), mayReplace);
      shell.stderr(`Wrote ${file}\n\n`);
      await printInvitation(plan.invitation, args.flags.qr === true, shell);
      const { port } = plan.file.listen[0]!;
      shell.stderr(
        plan.isBehindNat
          ? `Have the router forward UDP port ${port} to this host, and let it in here.\n`
          : `Let UDP port ${port} in, where a firewall is in the way.\n`,
      );
      await finish(file, platform.os, args, dialog, shell);
      return EXIT.ok;
    },
  };
}

/** Tells whether a port is free by taking it for a moment. */
function portTest(platform: Platform): (port: number) => boolean {
  return (port) => {
    try {
      platform.openSocket({ name: "test", family: 4, port }).close();
      return true;
    } catch (error) {
      if (error instanceof AggvpnError) return false;
      throw error;
    }
  };
}
