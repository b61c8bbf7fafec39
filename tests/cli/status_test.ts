/** Needs permission to write below the directory for temporary files. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { status } from "../../src/cli/commands/status.ts";
import { openControl } from "../../src/control/server.ts";
import { AggvpnError, EXIT } from "../../src/errors.ts";

const DOCUMENT = {
  version: 1,
  daemon: {
    name: "home",
    pid: 1,
    uptimeUs: 1e6,
    rssBytes: 60e6,
    interface: "agg0",
    offload: "checksum, TSO",
    tunDrops: 0,
    tunOversize: 0,
    tunMalformed: 0,
    sockets: [],
  },
  tunnel: { role: "server", mtu: 1434, aead: "libcrypto", peers: [], drops: {} },
};

/** Runs `aggvpn status SOCKET` against a daemon that answers `document`. */
async function run(
  document: unknown,
  flags: Record<string, true> = {},
  code = EXIT.noSession as number,
): Promise<string> {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/home.sock`;
  const server = await openControl(path, { status: () => document });
  let out = "";
  try {
    const shell = {
      stdout: (text: string) => void (out += text),
      stderr: () => {},
      color: false,
      columns: 80,
    };
    assertEquals(await status.run(shell, { operands: [path], flags }), code);
    return out;
  } finally {
    server.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("status prints the state of the tunnel whose control socket is named", async () => {
  assertStringIncludes(await run(DOCUMENT), "home: server on agg0, MTU 1434, up 1 s");
});

Deno.test("status tells by its exit status whether a session is up", async () => {
  const peer = { state: "up", links: [] };
  const up = { ...DOCUMENT, tunnel: { ...DOCUMENT.tunnel, peers: [peer, { state: "down" }] } };
  await run(up, { json: true }, EXIT.ok);
});

Deno.test("status --json prints the document of the daemon and nothing else", async () => {
  assertEquals(JSON.parse(await run(DOCUMENT, { json: true })), DOCUMENT);
});

Deno.test("status fails while the tunnel is being set up, and with another version", async () => {
  await assertRejects(() => run(null), AggvpnError, "still being set up");
  await assertRejects(() => run({ ...DOCUMENT, version: 2 }), AggvpnError, "another version");
});

Deno.test("status fails when no tunnel of that name runs", async () => {
  const shell = { stdout: () => {}, stderr: () => {}, color: false, columns: 80 };
  const asking = (): Promise<number> => status.run(shell, { operands: ["nosuch"], flags: {} });
  await assertRejects(asking, AggvpnError, "No tunnel is running");
});
