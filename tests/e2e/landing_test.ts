/**
 * The tunnel on a CPU that enforces landing instructions (IBT, BTI): every stub that Deno makes to
 * call C is a trap at both ends.
 *
 *     client [agg0 10.44.43.1] == line1, line2: 50 Mbit/s, 20 ms == [agg0 10.44.43.2] server
 *
 * @module
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { INNER, Program, type ProgramOptions } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, ping, tcpTransfer } from "../../lab/traffic.ts";
import { trappedDeno } from "../../lab/trap/deno.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
/** The program as a script, which runs on the `deno` of the PATH. */
const SCRIPT = new URL("../../build/aggvpn.js", import.meta.url).pathname;
/** Enough packets for V8 to compile all that calls C: ten times what kills a trapped program. */
const PACKETS = 5000;

/** Runs the script on a trapped Deno, with or without trying calls first. */
async function trapped(lab: Lab, calls: string): Promise<ProgramOptions> {
  const directory = await Deno.makeTempDir({ prefix: "agg-trap-" });
  lab.onClose(() => Deno.remove(directory, { recursive: true }));
  await trappedDeno(directory);
  const path = `PATH=${directory}:${Deno.env.get("PATH")}`;
  return { runner: ["env", path, `AGGVPN_CALLS=${calls}`], binary: SCRIPT };
}

function toServer(net: Topology): Flow {
  return { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
}

programTest("a tunnel whose CPU refuses Deno's stubs comes up, works and says why", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, await trapped(lab, "probe"));
  const report = await ping(lab, toServer(net), { count: PACKETS, intervalMs: 1 });
  assertGreater(report.received, PACKETS * 0.99);
  const { totalBytes } = await tcpTransfer(lab, toServer(net), 3);
  assertGreater(totalBytes, 1e6);
  for (const side of ["client", "server"] as const) {
    const said = program.child(side).stderr.filter((line) =>
      line.includes("Calls to C are slower")
    );
    assertEquals(said.length, 1, program.child(side).stderr.join("\n"));
    const checked = await program.run(side, "check", program.file(side));
    assert(checked.stdout.includes("this CPU (IBT or BTI) refuses the stubs"), checked.stdout);
  }
});

programTest(
  "a tunnel that does not look whether its CPU takes the stubs is killed",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.prepare(lab, net, await trapped(lab, "stubs"));
    const ends = (["server", "client"] as const).map((side) => program.launch(side));
    const ended: string[] = [];
    for (const end of ends) end.status.then(({ signal }) => ended.push(signal ?? "none"));
    const died = await eventually(async () => {
      if (ended.length > 0) return true;
      // Before both ends are up there is no address to send to.
      await ping(lab, toServer(net), { count: 500, intervalMs: 1 }).catch(() => {});
      return false;
    }, 60_000);
    assert(died);
    assertEquals(ended[0], "SIGILL");
  },
);
