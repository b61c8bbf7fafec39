/**
 * A daemon's life after pledge(2): everything it does from there to its end goes through the
 * sandbox of the fake, system calls and Deno's functions alike, and nothing is refused.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readConfig } from "../../../src/cli/load.ts";
import { AbsentError, AggvpnError } from "../../../src/errors.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { openControl } from "../../../src/control/server.ts";
import { openDaemon } from "../../../src/daemon/daemon.ts";
import { RunningConfig } from "../../../src/daemon/running_config.ts";
import { stateFile } from "../../../src/daemon/state_file.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { openbsdPlatform } from "../../../src/platform/openbsd/platform.ts";
import { sandbox } from "../../../src/platform/openbsd/sandbox.ts";
import type { Platform } from "../../../src/platform/platform.ts";
import type { LinkStatus } from "../../../src/tunnel/options.ts";
import { KEY } from "../../config/samples.ts";
import { knownClient, serverEnd } from "../../pair/endpoints.ts";
import { range, udp4 } from "../../tunnel/packets.ts";
import { address } from "../../addresses.ts";
import { coreSays } from "../../daemon/core_says.ts";
import { End, until } from "./ends.ts";
import { KNOWN, pledgeDeno } from "./fake_deno.ts";
import { FakeLibc } from "./fake_libc.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { gateway, publicHost } from "./golden.ts";

/** Deno's originals, which no sandbox checks. */
const { connect, readTextFileSync, statSync } = Deno;

function read(path: string): string {
  try {
    return readTextFileSync(path);
  } catch {
    return "";
  }
}

function exists(path: string): boolean {
  try {
    return Boolean(statSync(path));
  } catch {
    return false;
  }
}

function inDirectory(run: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync({ prefix: "aggvpn-pledged-" });
    try {
      await run(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

/** Scripts write down here that they ran. */
function configText(directory: string): string {
  return `mode = "client"
password = "${KEY}"
server = "192.0.2.1"
status_command = "${directory}/status"
control = "${directory}/home.sock"

[tunnel]
interface = "tun0"
address = "10.44.43.1/30"
down = "echo down >> ${directory}/events"

[link.dsl1]
port = 5080
rdomain = 1
quota = "50 GB"

[link.dsl2]
port = 5080
rdomain = 2
`;
}

function makePlatform(libc: FakeLibc, directory: string): Platform {
  const failed = { success: false, output: "" };
  const platform = openbsdPlatform({
    calls: () => ({ way: "stubs", findings: [] }),
    libc: () => libc,
    libcrypto: () => undefined,
    read: () => failed,
    await: () => Promise.resolve(failed),
    exists: () => true,
    executable: () => "/usr/local/bin/deno",
  });
  const undo = ["sh", "-c", `echo undone >> ${directory}/events`];
  return {
    ...platform,
    stateDirectory: `${directory}/state`,
    // Programs that exist on the host that tests run on, in place of OpenBSD's.
    networkChanges: () => [{
      run: ["true"],
      undo,
      // As pfctl(8) reads rules.
      atMtu: (mtu) => ({ run: ["tee", "-a", `${directory}/events`], input: `mtu ${mtu}\n` }),
    }],
    awaitAddresses: () => Promise.resolve([]),
  };
}

/** The other end, whose sandbox does not matter. */
function makeServer(host: FakeHost): End {
  const listen = { name: "server", address: address("0.0.0.0"), port: 5080, family: 4 } as const;
  const home = knownClient("home", { psk: new Uint8Array(32) });
  return new End(host, [listen], (shared, pool) => serverEnd(shared, pool, [home]), 1, {});
}

/** Asks on the control socket, as `aggvpn status` does from its own process. */
async function ask(path: string): Promise<string> {
  using client = await connect({ transport: "unix", path });
  await client.write(new TextEncoder().encode('{"version":1,"request":"status"}\n'));
  const bytes = new Uint8Array(100);
  return new TextDecoder().decode(bytes.subarray(0, await client.read(bytes) ?? 0));
}

Deno.test(
  "nothing a daemon does in its life and at its end is refused after pledge(2)",
  inDirectory(async (directory) => {
    Deno.writeTextFileSync(
      `${directory}/status`,
      `#!/bin/sh\necho "$@" >> ${directory}/events\n`,
      { mode: 0o700 },
    );
    const { config } = parseConfig(configText(directory), {
      file: "/etc/aggvpn/home.toml",
      readSecretFile: () => ({ text: "" }),
    });
    const world = new FakeWorld(systemClock);
    world.delayUs = 1000;
    const server = makeServer(publicHost(world));
    server.start();
    const host = gateway(world);
    const libc = new FakeLibc(host);
    using _ = pledgeDeno(libc.sandbox);

    const control = await openControl(config!.control, {
      status: () => {
        const { rssBytes, sockets } = daemon.status().daemon;
        return { rssBytes, sockets: sockets.length };
      },
    });
    const platform = makePlatform(libc, directory);
    const daemon = await openDaemon({ config: config!, platform, onChange: () => {} });
    assert(libc.sandbox.promises, "the sandbox is entered");
    libc.takeCalls();
    const running = daemon.run();
    const states = (): string =>
      daemon.status().tunnel.peers[0]!.links.map(({ state }) => state).join(" ");
    await until(world, "both links are up", () => states() === "up up");

    for (const number of range(0, 20)) host.tuns.get("tun0")!.inject(udp4(number));
    await until(world, "packets arrive", () => server.tun.incoming.length === 20);
    await until(world, "the time stamp is kept", () => exists(`${directory}/state/home.clock`));
    await until(world, "the quota is kept", () => exists(`${directory}/state/home.quota.json`));

    using _said = coreSays("client", { type: "mtu", peer: "server", mtu: 1400 });
    await until(world, "the MTU is another", () => daemon.mtu === 1400);
    assertStringIncludes(read(`${directory}/events`), "mtu 1400\n");

    host.table(1).failure = "ENETDOWN";
    await until(
      world,
      "the link gets a new socket",
      () => libc.calls.some((call) => /SO_RTABLE, 1 /.test(call)),
    );
    host.table(1).failure = undefined;
    await until(world, "the link is back", () => states() === "up up");
    assertStringIncludes(await ask(config!.control), '"sockets":2');

    daemon.stop();
    await running;
    await daemon[Symbol.asyncDispose]();
    control.close();
    await server.stop();

    assertEquals(libc.sandbox.refusals, []);
    assertEquals(libc.files.open, []);
    assertEquals(exists(config!.control), false);
    const events = read(`${directory}/events`).trim().split("\n");
    for (const event of ["tun0 rtun_up dsl1", "tun0 tuntap_up", "tun0 tuntap_down"]) {
      assert(events.includes(event), `${event}: ${events}`);
    }
    assertEquals(events.slice(-2), ["down", "undone"]);
    // "unix" is for sockets that are opened again, of which there are none; "prot_exec" is V8's,
    // which no test sees; "error" makes the rest fail gently.
    const without = [...libc.sandbox.promises].filter((made) => !libc.sandbox.needed.has(made));
    assertEquals(without.sort(), ["error", "prot_exec", "unix"]);
  }),
);

Deno.test(
  "a daemon waits for a routing domain and a name that come after pledge(2)",
  inDirectory(async (directory) => {
    const text = configText(directory).replace(/^(status_command|down) .*\n/gm, "")
      .replace("[link.dsl1]", '[link.dsl1]\nremote = "vpn.example.net"');
    const { config } = parseConfig(text, {
      file: "/etc/aggvpn/home.toml",
      readSecretFile: () => ({ text: "" }),
    });
    const world = new FakeWorld(systemClock);
    world.delayUs = 1000;
    const server = makeServer(publicHost(world));
    server.start();
    const host = gateway(world);
    const second = host.table(2);
    host.tables.delete(2);
    const libc = new FakeLibc(host);
    using _ = pledgeDeno(libc.sandbox);
    let isKnown = false;
    const platform: Platform = {
      ...makePlatform(libc, directory),
      networkChanges: () => [],
      lookup: () => {
        if (isKnown) return Promise.resolve([address("192.0.2.1")]);
        return Promise.reject(new AbsentError('Cannot resolve "vpn.example.net" in rdomain 1'));
      },
    };
    const daemon = await openDaemon({ config: config!, platform, onChange: () => {} });
    assert(libc.sandbox.promises!.has("exec"), "route(8) may be run for names");
    const running = daemon.run();
    const links = (): readonly LinkStatus[] => daemon.status().tunnel.peers[0]!.links;
    await until(world, "there are links", () => links().length === 2);
    assertEquals(links().map(({ reason }) => reason), [
      'waits for its server: Cannot resolve "vpn.example.net" in rdomain 1',
      "waits for its socket: Cannot use rdomain 2, which does not exist: Invalid argument",
    ]);
    host.tables.set(2, second);
    await until(world, "the second link is up", () => links()[1]!.state === "up");
    isKnown = true;
    await until(world, "both links are up", () => links().every(({ state }) => state === "up"));
    daemon.stop();
    await running;
    await daemon[Symbol.asyncDispose]();
    await server.stop();
    assertEquals(libc.sandbox.refusals, []);
    assertEquals(libc.files.open, []);
  }),
);

Deno.test(
  "a daemon reads its file again and takes it on after pledge(2), but for what rights are missing",
  inDirectory(async (directory) => {
    const file = `${directory}/home.toml`;
    const write = (text: string): void => Deno.writeTextFileSync(file, text);
    const text = configText(directory).replace(/^(status_command|down) .*\n/gm, "");
    write(text);
    const started = readConfig(file);
    const world = new FakeWorld(systemClock);
    world.delayUs = 1000;
    const server = makeServer(publicHost(world));
    server.start();
    const libc = new FakeLibc(gateway(world));
    const { writeTextFileSync } = Deno;
    using _ = pledgeDeno(libc.sandbox);
    const daemon = await openDaemon({
      config: started.config!,
      platform: { ...makePlatform(libc, directory), networkChanges: () => [] },
      onChange: () => {},
    });
    const inForce = new RunningConfig({
      tunnel: daemon,
      read: (more) => readConfig(file, more),
      setLogLevel: () => {},
      wallMs: Date.now,
    }, started);
    const reload = async (text: string): Promise<unknown> => {
      writeTextFileSync(file, text);
      const done = await inForce.reload("a test");
      return "words" in done ? done.words : done.problems;
    };
    const running = daemon.run();
    const states = (): string =>
      daemon.status().tunnel.peers[0]!.links.map(({ name, state }) => `${name} ${state}`).join();
    await until(world, "both links are up", () => states() === "dsl1 up,dsl2 up");

    const one = text.slice(0, text.indexOf("[link.dsl2]")).replace('quota = "50 GB"\n', "");
    assertEquals(await reload(one), ["link dsl2 removed", "link dsl1: quota"]);
    await until(world, "one link is left", () => states() === "dsl1 up");
    const second = '\n[link.dsl2]\nport = 5080\nrdomain = 2\nquota = "1 GB"\n';
    assertEquals(await reload(one + second), ["link dsl2 added"]);
    await until(world, "both are up again", () => states() === "dsl1 up,dsl2 up");
    assertEquals(await reload(one + second), []);

    const forbidden = {
      status_command: one.replace("control =", 'status_command = "/bin/true"\ncontrol ='),
      "tunnel.down": one.replace("[tunnel]", '[tunnel]\ndown = "true"'),
      "a server's name": one + second.replace("rdomain", 'remote = "a.example"\nrdomain'),
    };
    for (const [what, text] of Object.entries(forbidden)) {
      const message = `${what} (rights were given up) needs a restart`;
      await assertRejects(() => reload(text), AggvpnError, message);
    }
    assertEquals(states(), "dsl1 up,dsl2 up");
    daemon.stop();
    await running;
    inForce.close();
    await daemon[Symbol.asyncDispose]();
    await server.stop();
    assertEquals(libc.sandbox.refusals, []);
    assertEquals(libc.files.open, []);
  }),
);

Deno.test(
  "what a daemon does not do is refused after pledge(2), or is not unveiled",
  inDirectory(async (directory) => {
    const state = `${directory}/state`;
    const libc = new FakeLibc(gateway(new FakeWorld()));
    using _ = pledgeDeno(libc.sandbox);
    const files = [`${directory}/home.sock`];
    sandbox(libc, { programs: [], files, directories: [state], lookups: [] });
    const promised = "Function not implemented";
    // Promises: none for attributes of files, or for other processes.
    assertThrows(() => Deno.chmodSync(state, 0o700), Error, promised);
    assertThrows(() => Deno.utimeSync(state, 0, 0), Error, promised);
    assertThrows(
      () => Deno.writeTextFileSync(`${state}/a`, "", { mode: 0o600 }),
      Error,
      promised,
    );
    assertThrows(() => Deno.kill(Deno.ppid, "SIGCONT"), Error, promised);
    assertThrows(() => new Deno.Command("/bin/sh").spawn(), Error, promised);
    assertThrows(() => new Deno.Command("/bin/sh").outputSync(), Error, promised);
    // Paths: only what is unveiled can be made, written and removed.
    const denied = Deno.errors.PermissionDenied;
    assertThrows(() => Deno.openSync(`${directory}/a`, { write: true }), denied);
    assertThrows(() => Deno.openSync(`${state}x`, { write: true, create: true }), denied);
    assertThrows(() => Deno.removeSync(`${directory}/status`), denied);
    assertThrows(() => Deno.mkdirSync(`${directory}/other`), denied);
    assertThrows(() => Deno.symlinkSync("/etc", `${directory}/etc`), denied);
    await assertRejects(() => Deno.rename(`${state}/a`, `${directory}/a`), denied);
    await assertRejects(() => stateFile(`${directory}/a.json`).write(""), denied);
    await assertRejects(
      () => Deno.connect({ transport: "unix", path: "/var/run/other.sock" }),
      denied,
    );
    assertEquals(libc.sandbox.refusals.splice(0).map((line) => line.replace(directory, "")), [
      "chmod(2): ENOSYS",
      "utimensat(2): ENOSYS",
      "fchmod(2): ENOSYS",
      "kill(2) of another process: ENOSYS",
      "fork(2): ENOSYS",
      "fork(2): ENOSYS",
      "open(2) of /a: EACCES",
      "open(2) of /statex: EACCES",
      "unlink(2) of /status: EACCES",
      "mkdir(2) of /other: EACCES",
      "symlink(2) of /etc: EACCES",
      "rename(2) of /a: EACCES",
      "unlink(2) of /a.json.new: EACCES",
      "open(2) of /a.json.new: EACCES",
      "connect(2) of /var/run/other.sock: EACCES",
    ]);
    await stateFile(`${state}/a.json`).write("1");
    assertEquals(read(`${state}/a.json`), "1");
    assertEquals(libc.sandbox.refusals, []);
  }),
);

Deno.test(
  "a program that is promised runs and may be killed, another does not run",
  inDirectory(async (directory) => {
    const [script, other] = [`${directory}/script`, `${directory}/other`];
    for (const path of [script, other]) {
      Deno.writeTextFileSync(path, "#!/bin/sh\nread -r line\n", { mode: 0o700 });
    }
    const libc = new FakeLibc(gateway(new FakeWorld()));
    using _ = pledgeDeno(libc.sandbox);
    sandbox(libc, { programs: [script], files: [], directories: [], lookups: [] });
    const denied = Deno.errors.PermissionDenied;
    assertThrows(() => new Deno.Command(other).spawn(), denied);
    const child = new Deno.Command(script, { stdin: "piped", cwd: "/" }).spawn();
    child.kill("SIGKILL");
    assertEquals((await child.status).signal, "SIGKILL");
    await child.stdin.close().catch(() => {});
    assertEquals(libc.sandbox.refusals, [`execve(2) of ${other}: EACCES`]);
  }),
);

Deno.test("the fake knows every function of Deno that the program calls", () => {
  const called = new Set<string>();
  const look = (directory: URL): void => {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      if (isDirectory) look(new URL(`${name}/`, directory));
      else {
        const text = Deno.readTextFileSync(new URL(name, directory));
        for (const [, found] of text.matchAll(/\bDeno\.([a-z]\w*|Command)\(/g)) called.add(found!);
      }
    }
  };
  look(new URL("../../../src/", import.meta.url));
  assert(called.has("open") && called.has("Command"));
  assertEquals([...called].filter((name) => !KNOWN.has(name)), []);
});
