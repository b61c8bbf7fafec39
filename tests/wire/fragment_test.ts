import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fold, sumOfBytes } from "../../src/wire/checksum.ts";
import { readU16, writeU16 } from "../../src/wire/field.ts";
import { fragmentPayload, mayFragment, writeFragment } from "../../src/wire/fragment.ts";

const HEADER = 20;

/** An IPv4 packet of `length` bytes whose payload counts upward. */
function packetOf(length: number, flags = 0): Uint8Array {
  const packet = Uint8Array.from({ length }, (_, i) => i * 7);
  packet[0] = 0x45;
  writeU16(packet, 2, length);
  writeU16(packet, 4, 0xbeef);
  writeU16(packet, 6, flags);
  return packet;
}

function cut(packet: Uint8Array, mtu: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let offset = 0; offset < packet.length - HEADER; offset += fragmentPayload(mtu)) {
    const out = new Uint8Array(2048);
    const length = writeFragment(out, 5, packet, 0, offset, mtu);
    all.push(out.slice(5, 5 + length));
  }
  return all;
}

Deno.test("writeFragment() cuts so that a receiver gets the packet back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 29, max: 1900 }),
      fc.integer({ min: 28, max: 1500 }),
      (length, mtu) => {
        const packet = packetOf(length);
        const whole = new Uint8Array(length - HEADER);
        const fragments = cut(packet, mtu);
        for (const [i, fragment] of fragments.entries()) {
          assert(fragment.length <= mtu);
          assertEquals(readU16(fragment, 2), fragment.length);
          assertEquals(readU16(fragment, 4), 0xbeef, "all have the packet's number");
          assertEquals(fold(sumOfBytes(fragment, 0, HEADER)), 0xffff, "a right header checksum");
          const field = readU16(fragment, 6);
          assertEquals((field & 0x2000) !== 0, i < fragments.length - 1, "more come");
          whole.set(fragment.subarray(HEADER), (field & 0x1fff) * 8);
        }
        assertEquals(whole, packet.subarray(HEADER));
      },
    ),
  );
});

Deno.test("writeFragment() of a fragment keeps its place, and that others follow", () => {
  const [first, last] = cut(packetOf(100, 0x2000 | 10), 60);
  assertEquals([readU16(first!, 6), readU16(last!, 6)], [0x2000 | 10, 0x2000 | 15]);
});

Deno.test("mayFragment() is for IPv4 packets without options whose senders allow it", () => {
  assertEquals(mayFragment(packetOf(100), 0, 60), true);
  assertEquals(mayFragment(packetOf(100, 0x4000), 0, 60), false, "don't fragment");
  assertEquals(mayFragment(packetOf(100), 0, 27), false, "no room for anything");
  const withOptions = packetOf(100);
  withOptions[0] = 0x46;
  assertEquals(mayFragment(withOptions, 0, 60), false);
  const ipv6 = packetOf(100);
  ipv6[0] = 0x60;
  assertEquals(mayFragment(ipv6, 0, 60), false);
});
