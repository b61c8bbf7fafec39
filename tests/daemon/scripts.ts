/**
 * Scripts of the user, for tests: they write what they see into a file.
 *
 * @module
 */

import type { ScriptHost } from "../../src/daemon/script.ts";

/** The system that scripts run on. */
export const HOST: ScriptHost = {
  killGroup: (leader: number): void => Deno.kill(-leader, "SIGKILL"),
};

/** Runs `body` with a script that appends to a log, and returns the log. */
export async function withScript(
  script: string,
  body: (path: string) => Promise<void>,
): Promise<string> {
  const directory = Deno.makeTempDirSync();
  try {
    const log = `${directory}/log`;
    Deno.writeTextFileSync(log, "");
    const path = `${directory}/status`;
    Deno.writeTextFileSync(path, `#!/bin/sh\nexec >>${log}\n${script}\n`, { mode: 0o700 });
    await body(path);
    return Deno.readTextFileSync(log);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
