/**
 * A process that was stopped for a while does not deliver what has waited for it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { INNER, Program } from "../../lab/program.ts";
import { delay, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";

const PACKETS = 50;
const SEND = `for i in {1..${PACKETS}}; do echo old >/dev/udp/${INNER.server}/9; done`;

programTest(
  "packets that waited for a stopped process are dropped, and the tunnel goes on",
  async (lab) => {
    const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
    const program = await Program.start(lab, net);
    const child = program.child("client");
    child.kill("SIGSTOP");
    assertEquals((await lab.attempt(net.client, ["bash", "-c", SEND])).code, 0);
    await delay(7000);
    child.kill("SIGCONT");
    const dropped = async (): Promise<number> =>
      (await program.status("client"))?.daemon.staleDrops ?? 0;
    assert(await eventually(async () => await dropped() >= PACKETS, 10_000), `${await dropped()}`);
    await program.connected();
  },
  "bash",
);
