/**
 * What a service manager hears of a tunnel: both ends run as services of a fake systemd, over two
 * lines of 50 Mbit/s, of which one goes dark.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";
import { UnixReceiver } from "../platform/linux/unix_receiver.ts";

/** Short, so that signs of life come soon; microseconds. */
const WATCHDOG_US = 2_000_000;

programTest("aggvpn up tells its service manager how it is, until it ends", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
  const directory = await Deno.makeTempDir({ prefix: "agg-service-" });
  lab.onClose(() => Deno.remove(directory, { recursive: true }));
  const sockets = ["client", "server"].map((side) => new UnixReceiver(`${directory}/${side}`));
  lab.onClose(() => sockets.forEach((socket) => socket[Symbol.dispose]()));
  const [client, server] = sockets as [UnixReceiver, UnixReceiver];
  const script = `case "$*" in */client-*) side=client ;; *) side=server ;; esac
    export NOTIFY_SOCKET="$0/$side" WATCHDOG_USEC=${WATCHDOG_US} WATCHDOG_PID=$$
    exec "$@"`;
  const program = await Program.start(lab, net, { runner: ["sh", "-c", script, directory] });
  const heard: string[] = [];
  const hears = async (what: string): Promise<void> => {
    const isHeard = (): boolean => {
      heard.push(...client.takeAll());
      return heard.some((message) => message.startsWith(what));
    };
    assert(await eventually(isHeard, 30_000), `no ${what}: ${heard.join("; ")}`);
  };
  const [first, second] = net.lines.map((line) => line.interface);
  await hears(`STATUS=2 of 2 links up: ${first}, ${second}`);
  assertEquals(heard.slice(0, 2), ["STATUS=Setting up", "READY=1"]);
  await net.emulator!.set(1, { up: { blackhole: true }, down: { blackhole: true } });
  await hears(`STATUS=1 of 2 links up: ${first}; down: ${second}`);
  heard.length = 0;
  await hears("WATCHDOG=1");
  heard.length = 0;
  Deno.kill(program.child("client").pid, "SIGHUP");
  await hears("READY=1");
  const reload = heard.filter((message) => /^(?:RELOADING|READY)/.test(message));
  assertMatch(reload.join("; "), /^RELOADING=1\nMONOTONIC_USEC=\d+; READY=1$/);
  assertEquals((await program.down("client")).code, 0);
  await hears("STOPPING=1");
  const words = server.takeAll();
  assert(words.includes("READY=1"), words.join("; "));
  assert(words.includes("STATUS=1 client is connected: client (2 links)"), words.join("; "));
});
