import { assert, assertEquals } from "@std/assert";
import { tooBigAnswer } from "../../lab/emulator/icmp.ts";

/** An IPv4 packet of UDP from 198.51.100.2 to 203.0.113.1, which must not be fragmented. */
function ipv4(change: Readonly<Record<number, number>> = {}): Uint8Array {
  const packet = new Uint8Array(1500).fill(0xaa);
  packet.set([0x45, 0, 0x05, 0xdc, 0, 1, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 2, 203, 0, 113, 1]);
  for (const [at, value] of Object.entries(change)) packet[Number(at)] = value;
  return packet;
}

/** An IPv6 packet of UDP from 2001:db8::2 to 2001:db8::1. */
function ipv6(change: Readonly<Record<number, number>> = {}): Uint8Array {
  const packet = new Uint8Array(1500).fill(0xaa);
  packet.fill(0, 0, 40);
  packet.set([0x60, 0, 0, 0, 0x05, 0xb4, 17, 64, 0x20, 0x01, 0x0d, 0xb8]);
  packet.set([0x20, 0x01, 0x0d, 0xb8], 24);
  packet[23] = 2;
  packet[39] = 1;
  for (const [at, value] of Object.entries(change)) packet[Number(at)] = value;
  return packet;
}

/** The sum that a receiver expects to be 0xffff (RFC 1071). */
function folded(...parts: readonly Uint8Array[]): number {
  const words = parts.flatMap((part) =>
    Array.from({ length: part.length / 2 }, (_, i) => part[2 * i]! << 8 | part[2 * i + 1]!)
  );
  let sum = words.reduce((a, b) => a + b, 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

Deno.test("tooBigAnswer says fragmentation needed, quoting the header and the ports", () => {
  const packet = ipv4();
  const answer = tooBigAnswer(packet, 1492);
  assert(answer);
  const header = [0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1];
  assertEquals([...answer.subarray(0, 10)], header);
  assertEquals([...answer.subarray(12, 20)], [203, 0, 113, 1, 198, 51, 100, 2]);
  assertEquals([...answer.subarray(20, 22), ...answer.subarray(24, 28)], [3, 4, 0, 0, 0x05, 0xd4]);
  assertEquals(answer.subarray(28), packet.subarray(0, 28));
  assertEquals([folded(answer.subarray(0, 20)), folded(answer.subarray(20))], [0xffff, 0xffff]);
});

Deno.test("tooBigAnswer says packet too big, quoting what fits 1280 bytes", () => {
  const packet = ipv6();
  const answer = tooBigAnswer(packet, 1400);
  assert(answer);
  assertEquals(answer.length, 1280);
  assertEquals([...answer.subarray(0, 8)], [0x60, 0, 0, 0, 0x04, 0xd8, 58, 64]);
  assertEquals(answer.subarray(8, 24), packet.subarray(24, 40));
  assertEquals(answer.subarray(24, 40), packet.subarray(8, 24));
  assertEquals([...answer.subarray(40, 42), ...answer.subarray(44, 48)], [2, 0, 0, 0, 0x05, 0x78]);
  assertEquals(answer.subarray(48), packet.subarray(0, 1232));
  const pseudo = Uint8Array.of(0, 0, 0x04, 0xd8, 0, 0, 0, 58);
  assertEquals(folded(answer.subarray(8, 40), pseudo, answer.subarray(40)), 0xffff);
});

Deno.test("tooBigAnswer is silent where a router would fragment, and about errors", () => {
  assertEquals(tooBigAnswer(ipv4({ 6: 0 }), 1400), undefined);
  assertEquals(tooBigAnswer(ipv4({ 7: 1 }), 1400), undefined);
  assertEquals(tooBigAnswer(ipv4({ 9: 1, 20: 3 }), 1400), undefined);
  assert(tooBigAnswer(ipv4({ 9: 1, 20: 8 }), 1400));
  assertEquals(tooBigAnswer(ipv6({ 6: 58, 40: 1 }), 1400), undefined);
  assert(tooBigAnswer(ipv6({ 6: 58, 40: 128 }), 1400));
  assertEquals(tooBigAnswer(Uint8Array.of(0), 1400), undefined);
});
