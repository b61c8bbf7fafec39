/**
 * The program as one file that any host with `deno` can run, above all OpenBSD, for which there is
 * no `deno compile`.
 *
 * The first lines (script.sh) are a shell script and a JavaScript comment at once. They look for
 * `deno`, say what is missing, and replace themselves with it.
 *
 * @module
 */

import { RUN_FLAGS } from "./bundle.ts";
import { render } from "./template.ts";

/** The oldest supported Deno, OpenBSD's. tools/deno/oldest has it for the tests. */
export const OLDEST_DENO = { major: 2, minor: 7 } as const;

const TEMPLATE = new URL("./script.sh", import.meta.url);

/** What goes into the file. */
export interface Script {
  readonly name: string;
  readonly version: string;
  /** JavaScript of the program: one module without imports. */
  readonly program: string;
}

/** Text of the file; it has to be made executable. */
export async function asScript({ name, version, program }: Script): Promise<string> {
  const head = render(await Deno.readTextFile(TEMPLATE), {
    NAME: name,
    VERSION: version,
    MAJOR: String(OLDEST_DENO.major),
    MINOR: String(OLDEST_DENO.minor),
    FLAGS: RUN_FLAGS.join(" "),
  });
  return head + program;
}
