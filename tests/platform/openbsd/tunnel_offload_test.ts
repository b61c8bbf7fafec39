/**
 * What hosts send to each other through a tunnel whose ends have offload (OpenBSD 7.8), or not
 * (7.6): it arrives the same, and with right checksums, whoever computed them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  bytesOf,
  FLAG,
  type Packet,
  packetOf,
  payloadOf,
  segmentsOf,
  TCP,
  UDP,
} from "../../offload/reference.ts";
import { ip6, range } from "../../tunnel/packets.ts";
import { NUMBERS } from "./abi.ts";
import { type End, makeTunnel, until, untilUp } from "./ends.ts";
import { type FakeTun, RELEASES } from "./fake_tun.ts";

const MSS = 1300;

/** TCP streams over both versions of IP, sent in pieces of up to 64 KiB. */
const STREAMS = ([4, 6] as const).map((version) =>
  packetOf({
    version,
    flags: FLAG.ack | FLAG.psh,
    tcpOptions: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
    payload: payloadOf(40 * MSS + 7),
  })
);

/** What a host sends in one piece each, up to the MTU. */
const SINGLE: readonly Packet[] = ([4, 6] as const).flatMap((version) => [
  packetOf({ version, flags: FLAG.syn, ports: [1, 2], tcpOptions: [2, 4, 5, 20] }),
  packetOf({ version, flags: FLAG.fin | FLAG.ack, ports: [3, 4] }),
  ...[0, 1, 2, 511, 1300].map((bytes) =>
    packetOf({ version, protocol: UDP, ports: [bytes, 53], payload: payloadOf(bytes) })
  ),
  // Nobody leaves out the checksum of these.
  packetOf({
    version,
    ipOptions: [1, 1, 1, 0],
    extension: [UDP, 0, 1, 4, 0, 0, 0, 0],
    protocol: UDP,
    ports: [9, 9],
    payload: payloadOf(300),
  }),
]);

/** Packets that nothing is known about. */
const OPAQUE: readonly Uint8Array[] = [
  ip6(new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)),
  ...[0x2000, 0x20a5].map((offset) => {
    const fragment = bytesOf(packetOf({ protocol: UDP, payload: payloadOf(1320) }));
    new DataView(fragment.buffer).setUint16(6, offset);
    return fragment;
  }),
  ...[1, 47].map((protocol) => {
    const packet = bytesOf(packetOf({ protocol: UDP, payload: payloadOf(64) }));
    packet[9] = protocol;
    return packet;
  }),
];

/** A packet in hex, TCP over IPv4 without the identification, which OpenBSD replaces. */
function textOf(packet: Uint8Array): string {
  const text = packet.slice();
  if (text[0] === 0x45 && text[9] === TCP) { for (const at of [4, 5, 10, 11]) text[at] = 0; }
  return text.toHex();
}

const EXPECTED: readonly string[] = [
  ...STREAMS.flatMap((stream) => segmentsOf(stream, MSS)).map((packet) => bytesOf(packet)),
  ...SINGLE.map((packet) => bytesOf(packet)),
  ...OPAQUE,
].map(textOf);

function sendAll(from: FakeTun): void {
  for (const stream of STREAMS) from.send(stream, MSS);
  for (const packet of SINGLE) from.send(packet);
  for (const packet of OPAQUE) from.inject(packet);
}

/** How the packets of `to` were written: how many super-packets, and how many without checksum. */
function countWrites({ written }: FakeTun): { supers: number; unsummed: number } {
  const { TUN_H_TCP_MSS, TUN_H_UDP_CSUM } = NUMBERS;
  const having = (flag: number): number => written.filter(({ flags }) => flags & flag).length;
  return { supers: having(TUN_H_TCP_MSS), unsummed: having(TUN_H_UDP_CSUM) };
}

for (const client of RELEASES) {
  for (const server of RELEASES) {
    Deno.test(`packets of all kinds cross a tunnel from ${client} to ${server} and back`, async () => {
      const ends = makeTunnel({}, { client, server });
      ends.world.tickUs = 4000;
      await untilUp(ends);
      const ways: readonly [from: End, to: End][] = [
        [ends.client, ends.server],
        [ends.server, ends.client],
      ];
      for (const [from, to] of ways) {
        sendAll(from.tun);
        await until(ends.world, "all arrive", () => to.tun.incoming.length >= EXPECTED.length);
        assertEquals(to.tun.incoming.map(textOf).sort(), EXPECTED.toSorted());
        const { supers, unsummed } = countWrites(to.tun);
        const [sends, takes] = [from, to].map(({ host }) => host.release === "7.8");
        assertEquals(supers > 0, takes, `${supers} super-packets`);
        if (takes) assert(to.tun.written.length < EXPECTED.length / 2);
        // Of 10 plain datagrams; the two with options or extensions were always summed.
        assertEquals(unsummed, sends && takes ? 10 : 0);
        const reads = from.libc.calls.filter((call) => /^read\(.* = \d/.test(call)).length;
        assert(sends ? reads < EXPECTED.length - 70 : reads >= EXPECTED.length, `${reads} reads`);
      }
      for (const end of [ends.client, ends.server]) await end.stop();
      assertEquals(range(0, 2).map((i) => ways[i]![0].libc.files.open), [[], []]);
    });
  }
}
