/**
 * Two ends of a tunnel on OpenBSD (ends.ts): packets both ways, a link that is lost and comes back.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { ip6, numbersOf, range, udp4 } from "../../tunnel/packets.ts";
import { MACHINES } from "./c_layout.ts";
import { makeTunnel, until, untilUp } from "./ends.ts";

for (const machine of MACHINES) {
  for (const batches of [true, false]) {
    const how = batches ? "batched calls" : "single calls";
    Deno.test(`two ends carry IPv4 and IPv6 both ways, lose a link and get it back, on ${machine} with ${how}`, async () => {
      const ends = makeTunnel({ machine, batches });
      const { world, client, server } = ends;
      await untilUp(ends);

      const six = ip6(new Uint8Array(16).fill(1), new Uint8Array(16).fill(2));
      for (const number of range(0, 40)) client.tun.inject(udp4(number));
      server.tun.inject(six);
      client.tun.inject(six);
      await until(
        world,
        "packets arrive",
        () => server.tun.incoming.length === 41 && client.tun.incoming.length === 1,
      );
      const numbers = numbersOf(server.tun.incoming.filter((packet) => packet[0] === 0x45));
      assertEquals(numbers, range(0, 40));
      assertEquals(client.tun.incoming, [six]);

      // A reply from an address other than the one asked would be no reply.
      const answers = server.libc.calls.filter((call) => /^send/.test(call));
      assert(answers.some((call) => call.includes("IP_SENDSRCADDR 192.0.2.1")));
      assert(answers.some((call) => call.includes("IP_SENDSRCADDR 192.0.2.2")));

      const before = client.libc.calls.filter((call) => /SO_RTABLE, 1 /.test(call)).length;
      client.host.table(1).failure = "ENETDOWN";
      for (const number of range(40, 60)) client.tun.inject(udp4(number));
      await until(world, "dsl1 is down", () => /^down/.test(client.states()));
      await until(world, "everything went by dsl2", () => server.tun.incoming.length === 61);
      await until(
        world,
        "dsl1 gets new sockets",
        () => client.libc.calls.filter((call) => /SO_RTABLE, 1 /.test(call)).length > before,
      );
      client.host.table(1).failure = undefined;
      await until(world, "dsl1 is back", () => client.states() === "up up");

      await client.stop();
      await until(
        world,
        "the server is told",
        () => server.endpoint.status(world.now).peers.every(({ state }) => state !== "up"),
      );
      await server.stop();
      for (const end of [client, server]) {
        assertEquals([end.libc.files.open, end.host.receivers.length], [[], 0]);
        assertEquals(end.host.tuns.size, 0);
        assertEquals(end.libc.calls.filter((call) => call.includes("ENOSYS")), []);
      }
    });
  }
}
