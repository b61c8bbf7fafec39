/** Needs permission to write below the directory for temporary files. */

import { assertEquals, assertRejects } from "@std/assert";
import { dashboard } from "../../src/cli/commands/dashboard.ts";
import { openControl, type Requests } from "../../src/control/server.ts";
import { controlRequests } from "../../src/daemon/requests.ts";
import { AggvpnError } from "../../src/errors.ts";

async function run(requests: Requests): Promise<string> {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/home.sock`;
  const server = await openControl(path, requests);
  let out = "";
  try {
    const shell = {
      stdout: (text: string) => void (out += text),
      stderr: () => {},
      color: false,
      columns: 80,
    };
    assertEquals(await dashboard.run(shell, { operands: [path], flags: {} }), 0);
    return out;
  } finally {
    server.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("dashboard prints an address that a browser can open, with the token in its fragment", async () => {
  const at = (at: string): Promise<string> => run({ dashboard: () => ({ at, token: "secret" }) });
  assertEquals(await at("127.0.0.1:9181"), "http://127.0.0.1:9181/#secret\n");
  assertEquals(await at("0.0.0.0:9181"), "http://127.0.0.1:9181/#secret\n");
  assertEquals(await at("[::]:9181"), "http://[::1]:9181/#secret\n");
});

Deno.test("dashboard says which key a tunnel without one needs", async () => {
  const { requests } = controlRequests(() => undefined);
  const error = await assertRejects(() => run(requests), AggvpnError);
  assertEquals([error.message, error.hint], [
    "The tunnel refused: This tunnel has no dashboard",
    "Write dashboard = 9181 before the first table of its file, and start it again",
  ]);
});
