/** `aggvpn enable`: a tunnel as a service. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { loadConfig } from "../load.ts";

/** Hands a tunnel to the service manager. */
export const enable: Command = {
  name: "enable",
  operands: "FILE",
  summary: "Run a tunnel as a service, now and at boot",
  description:
    `Has systemd, or rc.d on OpenBSD, run the tunnel of FILE now and at every boot, and installs
what they need for that if it is not there yet; each file and command is printed. With systemd FILE
is in /etc/aggvpn and ends in .toml.

To end that: systemctl disable --now aggvpn@NAME, or rcctl stop aggvpn and rcctl disable aggvpn.`,
  flags: {},

  async run(shell, { operands: [operand = ""] }): Promise<number> {
    const { tunnel: { nat } } = loadConfig(operand, shell.stderr);
    const { detectPlatform } = await import("../../platform/detect.ts");
    const { makeService } = await import("../setup/service.ts");
    const file = Deno.realPathSync(operand);
    const wish = { start: true, enable: true };
    makeService({ os: detectPlatform().os, file, nat }, wish, shell);
    return EXIT.ok;
  },
};
