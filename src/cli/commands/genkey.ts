/** `aggvpn genkey`: a new key. */

import { formatKey, KEY_BYTES } from "../../config/secret.ts";
import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";

/** Prints a new key. */
export const genkey: Command = {
  name: "genkey",
  operands: "",
  summary: "Print a new key for both ends of a tunnel",
  description:
    `Prints a random key of 32 bytes on one line and nothing else. Both ends of a tunnel need the
same key, as password = "..." or in the file of password_file. Nobody else may read it:

(umask 077 && aggvpn genkey > /etc/aggvpn/secret)`,
  flags: {},

  run(shell): Promise<number> {
    const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    shell.stdout(formatKey(key) + "\n");
    key.fill(0);
    return Promise.resolve(EXIT.ok);
  },
};
