/**
 * A client whose clock goes back over a restart, over two lines of 50 Mbit/s. The clock itself
 * cannot be set here: the file that keeps the last time stamp is put an hour ahead instead.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Program } from "../../lab/program.ts";
import { programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";

programTest(
  "aggvpn up connects after the client's clock went back, and says what is wrong if not",
  async (lab) => {
    const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
    const program = await Program.prepare(lab, net);
    const kept = `/var/lib/aggvpn/${program.name("client")}.clock`;
    const ahead = (Date.now() + 3_600_000) * 1000;
    Deno.mkdirSync("/var/lib/aggvpn", { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(kept, `${ahead}\n`, { mode: 0o600 });
    const server = await program.up("server");
    for (let restart = 0; restart < 2; restart++) {
      const client = await program.up("client");
      await program.connected();
      assert(await client.says("its last handshake was at", 5_000), client.stderr.join("\n"));
      await program.down("client");
      assert(Number(Deno.readTextFileSync(kept)) > ahead);
      assertEquals(Deno.statSync(kept).mode! & 0o777, 0o600);
    }

    Deno.removeSync(kept);
    const client = await program.up("client");
    const question = "the handshake of client is older than its last one: is its clock right?";
    assert(await server.says(question, 30_000), server.stderr.join("\n"));
    assert(await client.says("the clock of this host has gone back", 30_000));
    assertEquals(await program.linksUp("client"), []);
  },
);
