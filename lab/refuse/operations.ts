/**
 * Makes the kernel refuse Deno's operations of a running tunnel, each twice, and prints what the
 * log says: `deno run -A operations.ts DIRECTORY`.
 *
 * @module
 */

import { configure, type LogRecord } from "@logtape/logtape";
import { openControl } from "../../src/control/server.ts";
import { runScript } from "../../src/daemon/script.ts";
import { stateFile } from "../../src/daemon/state_file.ts";
import { runCommand } from "../../src/platform/run_changes.ts";
import { watchRefusals } from "../../src/refusals.ts";
import { refuseCalls } from "./filter.ts";

const directory = Deno.args[0]!;

/** Asserts that a promise rejects with ENOSYS. */
async function fails(operation: Promise<unknown>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (String(error).includes("Function not implemented")) return;
    throw error;
  }
  throw new Error("The kernel has refused nothing");
}

/** What is not logged by then never will be. */
const LIMIT_MS = 30_000;
Deno.unrefTimer(setTimeout(() => {
  throw new Error(`Not all of it is logged after ${LIMIT_MS / 1000} s`);
}, LIMIT_MS));

const waiting = new Map<string, () => void>();

/** Resolves when a line of the log has `words` in it. */
function isLogged(words: string): Promise<void> {
  return new Promise((resolve) => waiting.set(words, resolve));
}

await configure({
  sinks: {
    stdout: ({ message }: LogRecord) => {
      const line = message.join("");
      Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
      for (const [words, resolve] of waiting) if (line.includes(words)) resolve();
    },
  },
  loggers: [
    { category: "aggvpn", sinks: ["stdout"], lowestLevel: "warning" },
    { category: ["logtape", "meta"], lowestLevel: "fatal" },
  ],
});

const path = `${directory}/home.sock`;
const control = await openControl(path, {});
const state = stateFile(`${directory}/home.quota.json`);
await state.write("before");
watchRefusals("pledge(2)");
refuseCalls(["fsync", "execve", "accept4"]);
for (let i = 0; i < 2; i++) {
  await fails(state.write("after"));
  const host = { killGroup: (): void => {} };
  await fails(runScript("/bin/true", [], {}, host));
  const { message } = runCommand(["env"]);
  if (!message.includes("Function not implemented")) throw new Error(message);
}
const refused = isLogged("connection");
using _client = await Deno.connect({ transport: "unix", path });
await refused;
refuseCalls(["unlink", "unlinkat"]);
const again = isLogged("removal of /");
await state.write("after").catch(() => {});
await again;
control.close();
