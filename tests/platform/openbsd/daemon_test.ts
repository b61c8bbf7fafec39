/**
 * What the daemon does to a host from its start to its end, from the configuration that README and
 * examples/ show: every call and every command, in order.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hostNeeds } from "../../../src/cli/host_check.ts";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { openDaemon } from "../../../src/daemon/daemon.ts";
import { AggvpnError } from "../../../src/errors.ts";
import type { CommandOutput } from "../../../src/platform/command_output.ts";
import { openbsdPlatform } from "../../../src/platform/openbsd/platform.ts";
import type { Platform } from "../../../src/platform/platform.ts";
import { commandLine, type RunCommand } from "../../../src/platform/run_changes.ts";
import { KEY } from "../../config/samples.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway, goldenTest, publicHost } from "./golden.ts";

/** What commands print on a gateway with pf and the anchor. */
const OUTPUTS: Readonly<Record<string, string>> = {
  "pfctl -s info": "Status: Enabled for 0 days 00:00:00   Debug: err\n",
  "pfctl -s rules": 'pass all flags S/SA\nanchor "aggvpn/*" all\n',
  "sysctl -n net.inet.ip.forwarding": "1\n",
  "sysctl -n net.inet6.ip6.forwarding": "0\n",
  "route -n -T 1 show -inet":
    "default            198.51.100.1       UGS        5     1234     -     8 pppoe0\n",
  "ifconfig pppoe0":
    "pppoe0: flags=8851<UP,POINTOPOINT,RUNNING,SIMPLEX,MULTICAST> rdomain 1 mtu 1492\n",
  "route -T 1 exec getent hosts vpn.example.net": "192.0.2.1   vpn.example.net\n",
  "route -T 2 exec getent hosts vpn.example.net": "192.0.2.2   vpn.example.net\n",
};

/** A platform over `libc`; what it asks and changes is recorded between the calls. */
function makePlatform(libc: FakeLibc): { platform: Platform; run: RunCommand } {
  const read = (command: readonly string[]): CommandOutput => {
    const line = command.join(" ");
    libc.calls.push(`? ${line}`);
    return { success: line in OUTPUTS, output: OUTPUTS[line] ?? "" };
  };
  const platform = openbsdPlatform({
    calls: () => ({ way: "stubs", findings: [] }),
    libc: () => libc,
    libcrypto: () => undefined,
    read,
    await: (command) => Promise.resolve(read(command)),
    exists: () => true,
    executable: () => "/usr/local/bin/deno",
  });
  // Exists on the host that tests run on.
  Object.assign(platform, { stateDirectory: "/var/tmp" });
  const run: RunCommand = (command, input) => {
    libc.calls.push(`$ ${commandLine(command)}`, ...input?.trimEnd().split("\n") ?? []);
    return { success: true, message: "" };
  };
  return { platform, run };
}

function parse(text: string): Config {
  const { config, problems } = parseConfig(text, {
    file: "/etc/aggvpn/home.toml",
    readSecretFile: () => ({ text: `${KEY}\n` }),
  });
  assert(config, JSON.stringify(problems));
  return config;
}

const CLIENT = `mode = "client"
password = "${KEY}"
server = "vpn.example.net"
sandbox = false

[tunnel]
interface = "tun0"
address = "10.44.43.1/30"
gateway = "10.44.43.2"
routes = ["10.99.0.0/16"]

[link.dsl1]
port = 5080
rdomain = 1

[link.dsl2]
port = 5081
rdomain = 2
`;

const SERVER = `mode = "server"
password = "${KEY}"
listen = ["0.0.0.0:5080", "[::]:5080"]
sandbox = false

[tunnel]
address = "10.44.43.2/24"
nat = true
`;

for (
  const [name, text, makeHost] of [["client", CLIENT, gateway], [
    "server",
    SERVER,
    publicHost,
  ]] as const
) {
  goldenTest(
    `${name}_start`,
    `openDaemon() starts a ${name} and takes everything back`,
    async (record, make) => {
      const host = makeHost(new FakeWorld());
      const libc = make(host);
      const daemon = await openDaemon({
        config: parse(text),
        onChange: () => {},
        ...makePlatform(libc),
      });
      record.step("start", libc);
      await daemon[Symbol.asyncDispose]();
      record.step("shutdown", libc);
      assertEquals([libc.files.open, host.tuns.size, host.receivers.length], [[], 0, 0]);
    },
  );
}

/** Programs that exist on the host that tests run on, in place of OpenBSD's. */
const CHANGES = [{
  run: ["true"],
  undo: ["/bin/sh", "-c", "true"],
  atMtu: () => ({ run: ["/bin/echo"] }),
}];

goldenTest(
  "sandboxed_start",
  "openDaemon() enters the sandbox last, with what is run later",
  async (record, make) => {
    const libc = make(gateway(new FakeWorld()));
    const { platform, run } = makePlatform(libc);
    const text = CLIENT.replace(
      "sandbox = false",
      'status_command = "/bin/sh"\ncontrol = "/var/run/aggvpn/x.sock"',
    )
      .replace("routes", 'down = "true"\nroutes');
    const config = parse(text);
    const fewer = { ...platform, networkChanges: () => CHANGES };
    const daemon = await openDaemon({ config, platform: fewer, run, onChange: () => {} });
    const calls = libc.takeCalls();
    const from = calls.findIndex((call) => /unveil|pledge/.test(call));
    for (const call of calls.slice(from)) record.note(call);
    record.assertGolden("sandboxed_start");
    await daemon[Symbol.asyncDispose]();
    assertEquals(libc.files.open, []);
  },
);

Deno.test("check and up say in one line that C functions cannot be called, and do nothing", async () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  Object.assign(libc.symbols, { getpid: () => -1 });
  const { platform, run } = makePlatform(libc);
  const config = parse(CLIENT);
  const message = `Cannot call C functions here: getpid(2) says -1, this is process ${Deno.pid}`;
  assertThrows(() => platform.inspect(hostNeeds(config)), AggvpnError, message);
  await assertRejects(
    () => openDaemon({ config, platform, run, onChange: () => {} }),
    AggvpnError,
    message,
  );
  assertEquals(libc.calls, []);
});

Deno.test("openDaemon() takes everything back when the kernel refuses the sandbox", async () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  Object.assign(libc.symbols, { pledge: () => -1 });
  Object.assign(libc, { errno: (call: string) => call === "pledge" ? 22 : 9 });
  const { platform, run } = makePlatform(libc);
  const config = { ...parse(CLIENT), sandbox: true };
  const fewer = { ...platform, networkChanges: () => CHANGES };
  await assertRejects(
    () => openDaemon({ config, platform: fewer, run, onChange: () => {} }),
    AggvpnError,
    "Cannot pledge",
  );
  assertEquals(libc.files.open, []);
  assertEquals(libc.calls.filter((call) => call.startsWith("$")), [
    "$ true",
    "$ /bin/sh -c true",
  ]);
});
