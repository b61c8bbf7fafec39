/**
 * A client with the wrong password, over two lines of 50 Mbit/s.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Program } from "../../lab/program.ts";
import { delay, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";

const COMPLAINT = /Handshake .*failed/i;

programTest("aggvpn up says on both ends, rarely, that the password is wrong", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
  const program = await Program.prepare(lab, net, { password: { client: "another one" } });
  const server = await program.up("server");
  const client = await program.up("client");
  for (const child of [server, client]) {
    const complains = await eventually(
      () => child.stderr.some((line) => COMPLAINT.test(line)),
      30_000,
    );
    assert(complains, child.stderr.join("\n"));
  }
  await delay(4000);
  for (const child of [server, client]) {
    assertEquals(child.exited, false);
    const complaints = child.stderr.filter((line) => COMPLAINT.test(line));
    assert(complaints.length <= 2, child.stderr.join("\n"));
    assert(complaints[0]?.includes("password"), complaints[0]);
    assert(!child.stderr.some((line) => line.includes("another one")), "a secret in the log");
  }
  assertEquals(
    (await program.status("server"))?.tunnel.peers.filter(({ state }) => state === "up"),
    [],
  );

  await program.down("client");
  await program.configure({});
  await program.up("client");
  await program.connected();
});
