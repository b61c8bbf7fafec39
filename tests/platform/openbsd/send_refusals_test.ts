/**
 * Datagrams that the kernel refuses, for what they ask or because of pf(4): each is lost, and the
 * tunnel goes on.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { openSocket } from "../../../src/platform/openbsd/socket.ts";
import { numbersOf, range, udp4 } from "../../tunnel/packets.ts";
import { address } from "../../addresses.ts";
import { layoutsOf } from "./abi.ts";
import { batchOf, receive, remoteAt } from "./batches.ts";
import { type Ends, makeTunnel, until, untilUp } from "./ends.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld, same } from "./fake_world.ts";
import { gateway, publicHost } from "./golden.ts";
import { bytesAt, Struct } from "./memory.ts";

const LAYOUTS = layoutsOf("amd64");
const FAMILIES = [4, 6] as const;
const CLIENT = { 4: "198.51.100.10", 6: "2001:db8:1::10" } as const;
const WILDCARD = { 4: address("0.0.0.0"), 6: address("::") };
const SERVER = { 4: "192.0.2.2", 6: "2001:db8::2" } as const;

/** By family, and whether the socket has an address: the source is looked up before the route. */
const NO_ROUTE = [
  [4, false, "EADDRNOTAVAIL"],
  [4, true, "EHOSTUNREACH"],
  [6, false, "EHOSTUNREACH"],
  [6, true, "EHOSTUNREACH"],
] as const;

/** Gives the kernel `trim` bytes fewer of the control messages of each first datagram. */
function trimControl(libc: FakeLibc, trim: number): void {
  const { sendmmsg, sendmsg } = libc.symbols;
  const trimmed = <T>(at: number | bigint, send: () => T): T => {
    const header = new Struct(bytesAt(BigInt(at), LAYOUTS.msghdr.size));
    const { msg_controllen = 0 } = LAYOUTS.msghdr.offsets;
    const length = header.u32(msg_controllen);
    header.setU32(msg_controllen, length - trim);
    const result = send();
    header.setU32(msg_controllen, length);
    return result;
  };
  Object.assign(libc.symbols, {
    sendmmsg: sendmmsg &&
      ((...args: Parameters<typeof sendmmsg>): number => trimmed(args[1], () => sendmmsg(...args))),
    sendmsg: (...args: Parameters<typeof sendmsg>): number =>
      trimmed(args[1], () => sendmsg(...args)),
  });
}

for (const family of FAMILIES) {
  Deno.test(`OpenbsdSocket.send() gives the space of control messages with its padding, over IPv${family}`, () => {
    for (const batches of [true, false]) {
      const world = new FakeWorld();
      const client = new FakeLibc(gateway(world), { batches });
      const server = new FakeLibc(publicHost(world), { batches });
      const near = openSocket(client, { name: "", family, rdomain: 1 });
      const far = openSocket(server, { name: "", family, address: WILDCARD[family], port: 5080 });
      near.send(batchOf(remoteAt(SERVER[family], 5080), [1]), 0);
      const answer = batchOf(receive(far)[0]!.remote, [2], [3]);
      assertEquals([far.send(answer, 0), far.failure], [2, undefined]);
      assertEquals(receive(near).map(({ payload }) => payload), [[2], [3]]);
      // 4 bytes of padding after either message: without them the kernel says EINVAL.
      trimControl(server, 4);
      assertEquals([far.send(answer, 0), far.failure], [0, "unreachable"]);
      assert(
        server.calls.some((call) => /EINVAL \{.*= -1 EINVAL$/.test(call)),
        server.calls.at(-1),
      );
    }
  });

  Deno.test(`OpenbsdSocket.send() is refused a source that its routing domain does not have, over IPv${family}`, () => {
    for (const batches of [true, false]) {
      const world = new FakeWorld();
      const client = new FakeLibc(gateway(world), { batches });
      const host = publicHost(world);
      const server = new FakeLibc(host, { batches });
      const near = openSocket(client, { name: "", family, rdomain: 1 });
      const far = openSocket(server, { name: "", family, address: WILDCARD[family], port: 5080 });
      near.send(batchOf(remoteAt(SERVER[family], 5080), [1]), 0);
      const { remote } = receive(far)[0]!;
      const { addresses } = host.table(0);
      const gone = remoteAt(SERVER[family], 0).bytes.subarray(4, family === 4 ? 8 : 20);
      addresses.splice(addresses.findIndex((own) => same(own, gone)), 1);
      // Another routing domain of the same host has it: that does not help.
      host.address(9, SERVER[family]);
      const answer = batchOf(remote, [2], [3]);
      answer.remotes[0] = remoteAt(CLIENT[family], Number(`${remote}`.split(":").at(-1)));
      assertEquals([far.send(answer, 0), far.failure], [1, "unreachable"]);
      assert(server.calls.some((call) => call.endsWith("= -1 EADDRNOTAVAIL")));
      assertEquals(receive(near).map(({ payload }) => payload), [[2]]);
    }
  });

  Deno.test(`OpenbsdSocket.send() says "denied" of what pf blocks, and sends the rest, over IPv${family}`, () => {
    for (const batches of [true, false]) {
      const world = new FakeWorld();
      const host = gateway(world);
      const near = openSocket(new FakeLibc(host, { batches }), { name: "", family, rdomain: 1 });
      const far = openSocket(new FakeLibc(publicHost(world)), {
        name: "",
        family,
        address: WILDCARD[family],
        port: 5080,
      });
      host.blocks = ({ port }) => port === 5081;
      const batch = batchOf(remoteAt(SERVER[family], 5080), [1], [2], [3]);
      batch.remotes[1] = remoteAt(SERVER[family], 5081);
      assertEquals([near.send(batch, 0), near.failure], [1, "denied"]);
      assertEquals([near.send(batch, 2), near.failure], [1, undefined]);
      assertEquals(receive(far).map(({ payload }) => payload), [[1], [3]]);
    }
  });
}

/** Sends packets `first` to `end` into the client's tunnel and waits for all of them. */
async function carry({ world, client, server }: Ends, first: number, end: number): Promise<void> {
  for (const number of range(first, end)) client.tun.inject(udp4(number));
  await until(world, `packet ${end - 1} arrives`, () => server.tun.incoming.length === end);
  assertEquals(numbersOf(server.tun.incoming).sort((a, b) => a - b), range(0, end));
}

function failedSends(end: Ends["client"]): number {
  return end.endpoint.status(end.host.world.now).drops.send ?? 0;
}

Deno.test('OpenbsdSocket.send() says "unreachable" where there is no route, whatever the kernel says', () => {
  for (const [family, bound, error] of NO_ROUTE) {
    const host = gateway(new FakeWorld());
    const libc = new FakeLibc(host);
    const options = {
      name: "",
      family,
      rdomain: 1,
      ...bound && { address: address(CLIENT[family]) },
    };
    const socket = openSocket(libc, options);
    const batch = batchOf(remoteAt(SERVER[family], 5080), [1]);
    assertEquals([socket.send(batch, 0), socket.failure], [1, undefined]);
    host.table(1).hasRoute = false;
    assertEquals([socket.send(batch, 0), socket.failure], [0, "unreachable"]);
    assert(libc.calls.at(-1)!.endsWith(`= -1 ${error}`), libc.calls.at(-1));
  }
});

Deno.test("a server that loses one of its addresses counts the answers it cannot send, and goes on", async () => {
  const ends = makeTunnel();
  const { world, client, server } = ends;
  await untilUp(ends);
  await carry(ends, 0, 20);
  const { addresses } = server.host.table(0);
  const [gone] = addresses.splice(addresses.findIndex((own) => own.at(-1) === 2), 1);
  await until(world, "answers are refused", () => failedSends(server) > 0);
  assert(server.libc.calls.some((call) => call.endsWith("= -1 EADDRNOTAVAIL")));
  await until(world, "its link is down", () => client.states() === "up down");
  await carry(ends, 20, 40);
  addresses.push(gone!);
  await until(world, "its link is back", () => client.states() === "up up");
  await carry(ends, 40, 60);
  await client.stop();
  await server.stop();
});

Deno.test("a client whose pf blocks one link counts what was blocked, and uses the other", async () => {
  const ends = makeTunnel();
  const { world, client, server } = ends;
  await untilUp(ends);
  await carry(ends, 0, 20);
  client.host.blocks = ({ address }) => address.at(-1) === 1;
  await until(world, "sends are refused", () => failedSends(client) > 0);
  assert(client.libc.calls.some((call) => call.endsWith("= -1 EACCES")));
  await until(world, "the link is down", () => client.states() === "down up");
  await carry(ends, 20, 40);
  client.host.blocks = () => false;
  await until(world, "the link is back", () => client.states() === "up up");
  await carry(ends, 40, 60);
  await client.stop();
  await server.stop();
});
