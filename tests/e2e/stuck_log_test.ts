/**
 * A log reader that stops: both ends write to a full pipe that nobody reads, over two lines of
 * 50 Mbit/s.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { INNER, Program, usage } from "../../lab/program.ts";
import { programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";
import { freshPort, udpStream } from "../../lab/traffic.ts";

const STREAM = { packetsPerSecond: 100, sizeBytes: 200, seconds: 3 };

for (const flag of ["", "oflag=nonblock"] as const) {
  programTest(
    `aggvpn up carries packets and ends while nobody reads its log (${flag || "blocking"})`,
    async (lab) => {
      const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
      const directory = await Deno.makeTempDir({ prefix: "agg-stuck-" });
      lab.onClose(() => Deno.remove(directory, { recursive: true }));
      // A pipe that its writer holds open, and that is full. dd(1) leaves its flag on it.
      const script = `pipe=$0/$$; mkfifo "$pipe"; exec 3<>"$pipe"
        dd if=/dev/zero bs=4096 count=16 ${flag} status=none >&3
        exec "$@" 2>&3`;
      const program = await Program.start(lab, net, {
        runner: ["sh", "-c", script, directory],
        top: { client: 'log_level = "trace"', server: 'log_level = "trace"' },
      });
      const before = usage(program.child("client").pid).cpuSeconds;
      await net.emulator!.set(1, { up: { blackhole: true }, down: { blackhole: true } });
      for (const [from, to] of [["client", "server"], ["server", "client"]] as const) {
        const flow = {
          from: net[from],
          to: net[to],
          address: INNER[to],
          port: freshPort(),
        };
        const { sent, received } = await udpStream(lab, flow, STREAM);
        assert(received > 0.9 * sent, `${received} of ${sent}`);
      }
      assert(usage(program.child("client").pid).cpuSeconds - before < 4, "it spins");
      assertEquals(await program.linksUp("client"), [net.lines[0]!.interface]);
      for (const side of ["client", "server"] as const) {
        const start = performance.now();
        assertEquals((await program.down(side)).code, 0);
        assert(performance.now() - start < 15_000);
      }
    },
  );
}
