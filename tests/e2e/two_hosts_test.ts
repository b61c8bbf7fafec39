/**
 * A second process of the client's host that uses the same key for a while, over two lines of
 * 50 Mbit/s.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { INNER, Program } from "../../lab/program.ts";
import { BINARY, delay, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";
import { freshPort, udpStream } from "../../lab/traffic.ts";

programTest("aggvpn up gets its downlink back after another host used its key", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
  const program = await Program.start(lab, net);
  const server = program.child("server");
  const download = async (): Promise<{ sent: number; received: number }> => {
    const flow = { from: net.server, to: net.client, address: INNER.client, port: freshPort() };
    const plan = { packetsPerSecond: 200, sizeBytes: 200, seconds: 3 };
    return await udpStream(lab, flow, plan);
  };
  const before = await download();
  assertEquals(before.received, before.sent);

  const second = `${program.directory}/${program.name("client")}-second.toml`;
  const text = (await Deno.readTextFile(program.file("client")))
    .replaceAll("agg0", "agg1").replaceAll("client.sock", "second.sock")
    .replaceAll(INNER.client, "10.44.43.5").replaceAll(INNER.client6, "2001:db8:45::1")
    .replace(/^gateway = .*$/m, "");
  await Deno.writeTextFile(second, text, { mode: 0o600 });
  lab.onClose(() =>
    Deno.remove(`/var/lib/aggvpn/${program.name("client")}-second.clock`).catch(() => {})
  );
  const other = lab.spawn(net.client, [BINARY, "up", second]);
  assert(await other.says("Session with server is up", 30_000), other.stderr.join("\n"));
  assert(await server.says("Another host uses the key of client: now ", 30_000));
  const { conflict } = (await program.status("server"))!.tunnel.peers[0]!;
  assert(/^now .*:\d+, before .*:\d+$/.test(conflict!), conflict);
  await delay(1000);
  await other.stop("SIGKILL");

  const isBack = await eventually(async () => {
    const { sent, received } = await download();
    return received === sent;
  }, 30_000);
  assert(isBack, JSON.stringify((await program.status("client"))?.tunnel));
});
