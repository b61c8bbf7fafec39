import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { sumOfBytes } from "../../src/wire/checksum.ts";
import { readU16 } from "../../src/wire/field.ts";
import { PacketInfo, parsePacket } from "../../src/wire/ip.ts";
import { MOST_TOO_BIG_BYTES, writeTooBig } from "../../src/wire/too_big.ts";
import { V4, V6 } from "./hex_packets.ts";

const UDP = "1f9001bb000b00ff010203";
const ECHO = "080000000001000100";
const DIRT = 0xa5;

/** The message for a packet that lies in the middle of something else; empty when none is due. */
function tooBig(packet: Uint8Array, mtu: number): Uint8Array {
  const memory = new Uint8Array(packet.length + 100).fill(DIRT);
  memory.set(packet, 13);
  const info = new PacketInfo();
  assert(parsePacket(memory, 13, packet.length, info), "not a packet");
  const out = new Uint8Array(MOST_TOO_BIG_BYTES + 100).fill(DIRT);
  const length = writeTooBig(out, 7, memory, 13, packet.length, mtu, info);
  const around = [...out.subarray(0, 7), ...out.subarray(7 + length)];
  assert(around.every((byte) => byte === DIRT), "something else was written to");
  return out.slice(7, 7 + length);
}

function hexFor(packet: string, mtu = 1400): string {
  return tooBig(Uint8Array.fromHex(packet), mtu).toHex();
}

Deno.test("writeTooBig() writes ICMP of type 3, code 4 for a packet of IPv4", () => {
  assertEquals(
    hexFor(V4(UDP, "11")),
    "45c0003b0000400040014dcb" + "c6336402" + "c0000201" + // from the destination to the source
      "03041fc300000578" +
      "4500001f0001400040110000c0000201c6336402" + UDP,
  );
});

Deno.test("writeTooBig() writes ICMPv6 of type 2 for a packet of IPv6", () => {
  assertEquals(
    hexFor(V6(UDP, "11")),
    "60000000003b3a40" + "20010db8000000000000000000000002" + "20010db8000000000000000000000001" +
      "0200863f00000578" +
      "60012345000b1140" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" +
      UDP,
  );
});

/** Addresses of V4() and V6() replaced: the source, the destination. */
const source = (packet: string, address: string): string =>
  packet.replace(/c0000201|20010db8000000000000000000000001/, address);
const destination = (packet: string, address: string): string =>
  packet.replace(/c6336402|20010db8000000000000000000000002/, address);
/** What every node of the network is, and none, in hexadecimal digits. */
const LONG = (head: string, tail: string): string => head.padEnd(32 - tail.length, "0") + tail;

const ECHO6 = "800000000001000100";
/** A header of 8 bytes and one of 16. */
const OPTIONS = (next: string): string => `${next}00010400000000`;
const LONG_OPTIONS = (next: string): string => `${next}01010c${"00".repeat(12)}`;

const DUE: [what: string, packet: string][] = [
  ["UDP", V4(UDP, "11")],
  ["an echo request", V4(ECHO, "01")],
  ["an echo request behind options", V4(ECHO, "01", "00", "4000", "03010101")],
  ["the first fragment of a packet, with DF", V4(UDP, "11", "00", "6000")],
  ["UDP over IPv6", V6(UDP, "11")],
  ["an ICMPv6 echo request", V6(ECHO6, "3a")],
  ["an ICMPv6 echo request behind options", V6(OPTIONS("3c") + LONG_OPTIONS("3a") + ECHO6, "00")],
  ["a first fragment over IPv6", V6("3a00000100000001" + ECHO6, "2c")],
  ["a later fragment over IPv6", V6("3a00000800000001" + "01", "2c")],
  ["nothing over IPv6", V6("", "3b")],
  ["a link-local source", source(V6(UDP, "11"), LONG("fe80", "1"))],
];
for (const [what, packet] of DUE) {
  Deno.test(`writeTooBig() answers ${what}`, () => assert(hexFor(packet) !== ""));
}

const NOT_DUE: [what: string, packet: string, mtu?: number][] = [
  ["a packet without DF", V4(UDP, "11", "00", "0000")],
  ["a later fragment", V4(UDP, "11", "00", "4001")],
  ...["03", "04", "05", "0b", "0c"].map((type): [string, string] => [
    `ICMP of type ${type}`,
    V4(ECHO.replace("08", type), "01"),
  ]),
  ["ICMP behind options", V4(ECHO.replace("08", "03"), "01", "00", "4000", "01010101")],
  ["ICMP without its type", V4("", "01")],
  ...["00000000", "00ffffff", "7f000001", "e0000001", "f0000001", "ffffffff"].flatMap((
    address,
  ): [string, string][] => [
    [`a packet from ${address}`, source(V4(UDP, "11"), address)],
    [`a packet to ${address}`, destination(V4(UDP, "11"), address)],
  ]),
  ...[["01", "an error"], ["02", "packet too big"], ["7f", "the last error"], ["89", "a redirect"]]
    .map(([type, what]): [string, string] => [
      `ICMPv6 that is ${what}`,
      V6(ECHO6.replace("80", type!), "3a"),
    ]),
  ["an ICMPv6 error behind options", V6(OPTIONS("2b") + LONG_OPTIONS("3a") + "01", "3c")],
  ["an ICMPv6 error in a first fragment", V6("3a00000100000001" + "01", "2c")],
  ["ICMPv6 without its type", V6("", "3a")],
  ["options that go on behind the packet", V6(OPTIONS("3a").replace("00", "05"), "00")],
  ["options cut short", V6("3a00", "00")],
  ...[LONG("", "0"), LONG("", "1"), LONG("ff02", "1")].flatMap((address): [string, string][] => [
    [`a packet from ${address}`, source(V6(UDP, "11"), address)],
    [`a packet to ${address}`, destination(V6(UDP, "11"), address)],
  ]),
  ["IPv6 with an MTU that nobody believes", V6(UDP, "11"), 1279],
];
for (const [what, packet, mtu] of NOT_DUE) {
  Deno.test(`writeTooBig() is silent about ${what}`, () => assertEquals(hexFor(packet, mtu), ""));
}

Deno.test("writeTooBig() quotes as much as fits in 576 bytes over IPv4, in 1280 over IPv6", () => {
  const long4 = tooBig(Uint8Array.fromHex(V4("ab".repeat(1400), "11")), 1400);
  assertEquals([long4.length, long4.at(-1)], [576, 0xab]);
  const long6 = tooBig(Uint8Array.fromHex(V6("ab".repeat(1400), "11")), 1400);
  assertEquals([long6.length, long6.at(-1)], [1280, 0xab]);
});

Deno.test("writeTooBig() is a packet with right checksums that quotes, for any packet", () => {
  const any = fc.tuple(
    fc.boolean(),
    fc.uint8Array({ maxLength: 1500 }),
    fc.constantFrom("06", "11", "32", "01", "3a", "00", "2c"),
    fc.integer({ min: 1280, max: 1900 }),
  );
  fc.assert(
    fc.property(any, ([isIpv4, payload, protocol, mtu]) => {
      const packet = Uint8Array.fromHex((isIpv4 ? V4 : V6)(payload.toHex(), protocol));
      const message = tooBig(packet, mtu);
      if (message.length === 0) return;
      const info = new PacketInfo();
      assert(parsePacket(message, 0, message.length, info));
      const ipBytes = isIpv4 ? 20 : 40;
      const icmpBytes = message.length - ipBytes;
      const quoted = message.subarray(ipBytes + 8);
      assertEquals(quoted, packet.subarray(0, quoted.length));
      assert(quoted.length === packet.length || message.length === (isIpv4 ? 576 : 1280));
      assertEquals(readU16(message, ipBytes + 6), mtu);
      if (isIpv4) {
        assertEquals(readU16(message, 2), message.length);
        assertEquals([sumOfBytes(message, 0, 20), sumOfBytes(message, 20, icmpBytes)], [
          0xffff,
          0xffff,
        ]);
      } else {
        const pseudo = Uint8Array.from([...message.subarray(8, 40), 0, 0, 0, 58]);
        const whole = Uint8Array.from([
          ...pseudo,
          icmpBytes >> 8,
          icmpBytes & 0xff,
          ...message.subarray(40),
        ]);
        assertEquals(sumOfBytes(whole, 0, whole.length), 0xffff);
      }
      // Nobody answers an answer.
      assertEquals(tooBig(message, 1280).length, 0);
    }),
    { numRuns: 500 },
  );
});

Deno.test("writeTooBig() of any bytes never throws and never looks outside its range", () => {
  const samples = [...DUE, ...NOT_DUE].map(([, hex]) => Uint8Array.fromHex(hex));
  const flips = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...samples), flips, (sample, changes) => {
      const packet = sample.slice();
      for (const [at, value] of changes) packet[at % packet.length] = value;
      const results = [0x00, 0xff, 0x3a].map((dirt) => {
        const memory = new Uint8Array(packet.length + 2500).fill(dirt);
        memory.set(packet, 7);
        const info = new PacketInfo();
        if (!parsePacket(memory, 7, packet.length, info)) return undefined;
        const out = new Uint8Array(MOST_TOO_BIG_BYTES);
        return [writeTooBig(out, 0, memory, 7, packet.length, 1400, info), out];
      });
      assertEquals(results[0], results[1]);
      assertEquals(results[0], results[2]);
    }),
    { numRuns: 500 },
  );
});
