/** `aggvpn genkey`: a new key. */

import { formatKey, KEY_BYTES } from "../../config/secret.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";

/** Prints a new key, or writes it into a new file. */
export const genkey: Command = {
  name: "genkey",
  operands: "[FILE]",
  summary: "Make a new key for both ends of a tunnel",
  description:
    `Writes a random key of 32 bytes, one line, into the new FILE that only its owner may read, or
prints it. Both ends of a tunnel need the same key, as password = "..." or in the file of
password_file. Nobody else may read it.

A FILE that exists already is left alone: whoever has its key could no longer connect.`,
  flags: {},

  run(shell, { operands: [file] }): Promise<number> {
    const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    const line = formatKey(key) + "\n";
    key.fill(0);
    if (file === undefined) shell.stdout(line);
    else writeNew(file, line);
    return Promise.resolve(EXIT.ok);
  },
};

/** Writes all of `text` or leaves no file. Throws AggvpnError. */
function writeNew(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text, { createNew: true, mode: 0o600 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      const hint = "Use the key that it has, or remove it first";
      throw new AggvpnError(`${path} exists already`, { hint });
    }
    // A disk that is full leaves an empty file, which would be taken for a key.
    removeEmpty(path);
    throw new AggvpnError(`Cannot write ${path}`, { cause: error });
  }
}

function removeEmpty(path: string): void {
  try {
    const { isFile, size } = Deno.lstatSync(path);
    if (isFile && size === 0) Deno.removeSync(path);
  } catch {
    // There is none.
  }
}
