/**
 * The list of hashes of published files, and its signature.
 *
 * Its lines are those of BSD, which `sha256sum -c` reads as well, and signify(1) as the only ones:
 * `signify -C -p KEY.pub -x SHA256SUMS.sig` checks signature and files at once.
 *
 * @module
 */

import { sha256 } from "../build/selfextract.ts";
import { runTool } from "./tree.ts";

/** Name of the list. */
export const SUMS = "SHA256SUMS";

/** Names of signify(1): OpenBSD's, and Debian's. */
const SIGNIFY = ["signify-openbsd", "signify"] as const;

/** Writes the list of all files in `directory`. */
export async function writeSums(directory: string): Promise<void> {
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name)
    .filter((name) => !name.startsWith(SUMS)).sort();
  let text = "";
  for (const name of names) {
    text += `SHA256 (${name}) = ${await sha256(await Deno.readFile(`${directory}/${name}`))}\n`;
  }
  await Deno.writeTextFile(`${directory}/${SUMS}`, text);
}

/** Signs the list with a secret key, which may ask for its pass phrase on the terminal. */
export async function signSums(directory: string, key: string): Promise<void> {
  const list = `${directory}/${SUMS}`;
  const args = ["-S", "-e", "-s", key, "-m", list, "-x", `${list}.sig`];
  await runTool(await signify(), args, { stdin: "inherit" });
}

/** Returns the name of signify(1) here. Throws when there is none. */
async function signify(): Promise<string> {
  for (const name of SIGNIFY) {
    try {
      // Another program of Debian is called signify, which does not answer like this.
      const { stderr } = await new Deno.Command(name, { stdin: "null" }).output();
      if (new TextDecoder().decode(stderr).includes("-C ")) return name;
    } catch {
      // It is not installed.
    }
  }
  throw new Error("signify is missing; install it (Debian: apt-get install signify-openbsd)");
}
