/**
 * A client's whole life after pledge(2) and unveil(2), Deno's own operations included: a session,
 * the status command, a quota that is kept, somebody who asks for the status, and the end.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { openControl } from "../../../src/control/server.ts";
import { type Daemon, openDaemon } from "../../../src/io/daemon.ts";
import { openbsdPlatform } from "../../../src/platform/openbsd/platform.ts";
import type { Platform, SystemChange } from "../../../src/platform/platform.ts";
import { KEY } from "../../config/samples.ts";
import { eventually } from "../../../lab/require.ts";
import { askStatus } from "../../../lab/program.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeSandbox } from "./fake_sandbox.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway, publicHost } from "./golden.ts";
import { PledgedDeno } from "./pledged_deno.ts";

const SERVER = `mode = "server"
password = "${KEY}"
listen = ["192.0.2.1:5080"]
sandbox = false
[tunnel]
address = "10.44.43.2/30"
`;

function client(directory: string): string {
  return `mode = "client"
password = "${KEY}"
server = "192.0.2.1"
status_command = "${directory}/status"
control = "${directory}/run/home.sock"
[tunnel]
interface = "tun0"
address = "10.44.43.1/30"
gateway = "10.44.43.2"
down = "echo down >>${directory}/log"
[link.dsl1]
port = 5080
rdomain = 1
quota = "1 GB"
`;
}

function parse(text: string): Config {
  const { config, problems } = parseConfig(text, {
    file: "/etc/aggvpn/home.toml",
    readSecretFile: () => ({ text: `${KEY}\n` }),
  });
  assert(config, JSON.stringify(problems));
  return config;
}

/** Changes by programs of the host that tests run on, in place of those of OpenBSD. */
const CHANGES: readonly SystemChange[] = [{ run: ["true"], undo: ["/bin/sh", "-c", "true"] }];

function platformOf(libc: FakeLibc, stateDirectory: string): Platform {
  const read = (): { success: boolean; output: string } => ({ success: false, output: "" });
  const platform = openbsdPlatform({
    calls: () => ({ way: "stubs", findings: [] }),
    libc: () => libc,
    libcrypto: () => undefined,
    read,
    await: () => Promise.resolve(read()),
    exists: () => true,
    executable: () => "/usr/local/bin/deno",
  });
  return {
    ...platform,
    stateDirectory,
    networkChanges: () => CHANGES,
    awaitAddresses: () => Promise.resolve([]),
    killProcess: (pid) => Deno.kill(pid, "SIGKILL"),
  };
}

Deno.test({
  name: "a tunnel under pledge and unveil does all it has to, and is refused nothing",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(): Promise<void> {
    const directory = await Deno.makeTempDir({ prefix: "agg-pledged-" });
    const log = `${directory}/log`;
    const read = (): string => Deno.readTextFileSync(log);
    try {
      Deno.writeTextFileSync(log, "");
      const script = `#!/bin/sh\necho "$2 $3" >>${log}\n`;
      Deno.writeTextFileSync(`${directory}/status`, script, { mode: 0o700 });
      const world = new FakeWorld();
      const server = new FakeLibc(publicHost(world));
      const libc = new FakeLibc(gateway(world));
      using deno = new PledgedDeno(libc.sandbox);
      const open = (text: string, libc: FakeLibc): Promise<Daemon> =>
        openDaemon({
          config: parse(text),
          platform: platformOf(libc, `${directory}/db`),
          onChange: () => {},
        });
      const far = await open(SERVER, server);
      const serving = far.run();
      const config = parse(client(directory));
      const control = await openControl(config.control, { status: () => null });
      const near = await open(client(directory), libc);
      assert(libc.sandbox.promises, "the sandbox is entered");
      const running = near.run();
      const isLogged = async (line: string): Promise<boolean> =>
        await eventually(() => read().includes(line), 20_000);
      assert(await isLogged("rtun_up dsl1"), read());
      assertEquals(await askStatus(config.control), undefined);
      near.stop();
      await running;
      await near[Symbol.asyncDispose]();
      await control.close();
      assert(await isLogged("down"), read());
      assertEquals(read(), "rtun_up dsl1\ntuntap_up \nrtun_down dsl1\ntuntap_down \ndown\n");
      far.stop();
      await serving;
      await far[Symbol.asyncDispose]();
      assertEquals(deno.refused, []);
      assertEquals(libc.refused, []);
      for (const name of ["Command", "open", "rename", "removeSync", "statSync", "mkdir"]) {
        assert(deno.seen.has(name), `${name} was never used: ${[...deno.seen]}`);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("PledgedDeno refuses what was not promised, and what is not unveiled", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const sandbox = new FakeSandbox();
    using deno = new PledgedDeno(sandbox);
    sandbox.unveil(directory, "r");
    sandbox.pledge("stdio error rpath cpath");
    const file = `${directory}/file`;
    assertThrows(() => Deno.openSync(file, { write: true, create: true }), Error, "os error 78");
    assertThrows(() => Deno.chmodSync(file, 0o600), Error, "os error 78");
    assertThrows(() => new Deno.Command("/bin/sh"), Error, "os error 78");
    assertThrows(() => Deno.removeSync(file), Deno.errors.NotFound);
    assertThrows(() => Deno.statSync("/etc/passwd"), Deno.errors.NotFound);
    assertEquals(deno.refused, [
      `openSync ${file}: wpath`,
      `chmodSync ${file}: fattr`,
      "Command /bin/sh: proc exec",
      `removeSync ${file}: unveil`,
      "statSync /etc/passwd: unveil",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
