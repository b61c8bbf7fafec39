/**
 * What stops `aggvpn up` from starting: a clear line, a hint, status 1, and an unchanged system.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { attempt } from "../../lab/process.ts";
import { FIRST_PORT, Program, type Side, systemState } from "../../lab/program.ts";
import { BINARY, programTest } from "../../lab/require.ts";
import { buildEmulated, SERVER_ADDRESS, symmetric, type Topology } from "../../lab/topology.ts";
import { holdPort } from "../../lab/traffic.ts";

const LINES = [symmetric(50, 20)];

/** Starts a side that must fail and returns what it said. */
async function refused(net: Topology, program: Program, side: Side): Promise<string> {
  const before = await systemState(net[side]);
  const child = program.launch(side);
  const { code } = await child.finish(60_000);
  const said = child.stderr.join("\n");
  assertEquals(code, 1, said);
  assert(/^aggvpn: /m.test(said), said);
  assert(/^hint: /m.test(said), said);
  assertEquals(await systemState(net[side]), before);
  await assertNoSocket(program, side);
  return said;
}

async function assertNoSocket(program: Program, side: Side): Promise<void> {
  const left = await Deno.stat(program.control(side)).then(() => true, () => false);
  assertEquals(left, false, "the control socket was left behind");
}

async function setUp(lab: Lab): Promise<{ net: Topology; program: Program }> {
  const net = await buildEmulated(lab, LINES);
  return { net, program: await Program.prepare(lab, net) };
}

async function edit(
  program: Program,
  side: Side,
  from: string,
  to: string,
): Promise<void> {
  const text = await Deno.readTextFile(program.file(side));
  assert(text.includes(from));
  await program.write(side, text.replace(from, to));
}

programTest("aggvpn up refuses a TUN name that is taken", async (lab) => {
  const { net, program } = await setUp(lab);
  await edit(program, "client", 'interface = "agg0"', 'interface = "line1"');
  const said = await refused(net, program, "client");
  assert(said.includes("line1"), said);
});

programTest("aggvpn up refuses a port that is in use", async (lab) => {
  const { net, program } = await setUp(lab);
  await holdPort(lab, net.server, SERVER_ADDRESS, FIRST_PORT);
  const said = await refused(net, program, "server");
  assert(said.includes(String(FIRST_PORT)), said);
});

/** Copies the program to where everybody can run it: this repository may be below /root. */
async function copyForAll(directory: string): Promise<string> {
  const binary = `${directory}/aggvpn`;
  await Deno.copyFile(BINARY, binary);
  await Deno.chmod(binary, 0o755);
  if (BINARY.endsWith(".js")) await Deno.copyFile(Deno.execPath(), `${directory}/deno`);
  return binary;
}

programTest("aggvpn up refuses to run without privileges", async (lab) => {
  const { net, program } = await setUp(lab);
  const before = await systemState(net.client);
  await Deno.chmod(program.directory, 0o755);
  await Deno.chown(program.file("client"), 65534, 65534);
  const home = `${program.directory}/home`;
  await Deno.mkdir(home);
  await Deno.chown(home, 65534, 65534);
  const control = program.control("client");
  await edit(program, "client", control, `${home}/client.sock`);
  const binary = await copyForAll(program.directory);
  const path = `${program.directory}:${Deno.env.get("PATH")}`;
  const { code, stderr } = await attempt([
    ...["ip", "netns", "exec", net.client, "setpriv", "--reuid=65534", "--regid=65534"],
    ...["--clear-groups", "env", `HOME=${home}`, `XDG_CACHE_HOME=${home}`, `PATH=${path}`],
    ...[binary, "up", program.file("client")],
  ]);
  assertEquals(code, 1, stderr);
  assert(/^aggvpn: .*(permi|privilege)/im.test(stderr) && /^hint: .*root/im.test(stderr), stderr);
  assertEquals(await systemState(net.client), before);
}, "setpriv");
