/** Linux as the receiver of `writeTooBig()`: it believes the message, or knows why it does not. */

import { assertEquals, assertMatch, assertNotMatch, assertThrows } from "@std/assert";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { PACKET_OFFSET, PacketPool } from "../../../src/slab.ts";
import { sumOfBytes } from "../../../src/wire/checksum.ts";
import { readU16, writeU16 } from "../../../src/wire/field.ts";
import { PacketInfo, parsePacket } from "../../../src/wire/ip.ts";
import { writeTooBig } from "../../../src/wire/too_big.ts";
import { InnerSocket } from "./inner_socket.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";
import { FAR, NEAR, openEnd } from "./tun_pair.ts";

const TEXT = { 4: "192.0.2.2", 6: "2001:db8::2" } as const;
const IP_BYTES = { 4: 20, 6: 40 } as const;
/** What the links carry, less than the MTU of the interface. */
const MTU = 1300;

/** Runs `body` with a TUN and a UDP socket that lets nothing be fragmented. */
function withSocket(
  family: 4 | 6,
  body: (tun: DeviceTun, socket: InnerSocket) => void,
): void {
  inNewNetwork(() => {
    const tun = openEnd("plain", 1);
    const socket = InnerSocket.open("udp", family);
    socket.forbidFragments();
    socket.connect(FAR[family], 9);
    body(tun, socket);
    socket.close();
    tun.close();
  });
}

/** Reads packets up to the one with `bytes` in all, and answers it. `change` spoils the answer. */
function answer(
  tun: DeviceTun,
  bytes: number,
  change: (message: Uint8Array) => void = () => {},
): void {
  const pool = new PacketPool(8);
  const slots = new Int32Array(1);
  do assertEquals(tun.read(pool, slots, 1), 1); while (pool.lengths[slots[0]!] !== bytes);
  const slot = pool.alloc();
  const [at, to] = [pool.at(slots[0]!) + PACKET_OFFSET, pool.at(slot) + PACKET_OFFSET];
  const info = new PacketInfo();
  parsePacket(pool.bytes, at, bytes, info);
  pool.lengths[slot] = writeTooBig(pool.bytes, to, pool.bytes, at, bytes, MTU, info);
  change(pool.packet(slot));
  slots[0] = slot;
  assertEquals(tun.write(pool, slots, 1), 1);
}

for (const family of [4, 6] as const) {
  const headers = IP_BYTES[family] + 8;

  Deno.test({
    ...networkTest(`Linux lowers the path's MTU of IPv${family} by what writeTooBig() writes`),
    fn: () =>
      withSocket(family, (tun, socket) => {
        const longest = new Uint8Array(1400 - headers);
        assertEquals(socket.send(longest), longest.length);
        assertNotMatch(ip(`route get ${TEXT[family]}`), /mtu/);
        answer(tun, 1400);
        assertMatch(ip(`route get ${TEXT[family]}`), /\bmtu 1300\b/);
        assertThrows(() => socket.send(longest.subarray(99)), Error, "Message too long");
        // The message itself waits as an error.
        assertThrows(() => socket.send(longest.subarray(100)), Error, "Message too long");
        assertEquals(socket.send(longest.subarray(100)), longest.length - 100);
      }),
  });
}

Deno.test({
  ...networkTest("Linux ignores a message from its own address over IPv4, not over IPv6"),
  fn: () => {
    withSocket(4, (tun, socket) => {
      socket.send(new Uint8Array(1372));
      answer(tun, 1400, (message) => {
        message.set(NEAR[4], 12);
        writeU16(message, 10, 0);
        writeU16(message, 10, ~sumOfBytes(message, 0, 20));
      });
      assertNotMatch(ip(`route get ${TEXT[4]}`), /mtu/);
    });
    withSocket(6, (tun, socket) => {
      socket.send(new Uint8Array(1352));
      answer(tun, 1400, (message) => {
        // The last byte of the source, 2, becomes 1.
        message.set(NEAR[6], 8);
        writeU16(message, 42, readU16(message, 42) + 1);
      });
      assertMatch(ip(`route get ${TEXT[6]}`), /\bmtu 1300\b/);
    });
  },
});
