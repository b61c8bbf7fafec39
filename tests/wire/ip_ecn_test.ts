import { assertEquals, fail } from "@std/assert";
import fc from "fast-check";
import { isEcnCapable, markCongestion } from "../../src/wire/ip.ts";

const CE = 3;

/** The checksum of a whole IPv4 header from scratch (RFC 1071). */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) {
    if (i !== 10) sum += header[i]! * 256 + header[i + 1]!;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** A header of `words` 32-bit words made of `noise`, with TOS and a right checksum. */
function header(noise: Uint8Array, words: number, tos: number): Uint8Array {
  const bytes = noise.slice(0, words * 4);
  bytes[0] = 0x40 | words;
  bytes[1] = tos;
  return withChecksum(bytes);
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const sum = checksum(bytes);
  bytes[10] = sum >> 8;
  bytes[11] = sum & 0xff;
  return bytes;
}

Deno.test("isEcnCapable() is true for ECT(0), ECT(1) and CE, whatever the DSCP", () => {
  for (let traffic = 0; traffic < 256; traffic++) {
    const expected = (traffic & 3) !== 0;
    assertEquals(isEcnCapable(Uint8Array.of(0, 0x45, traffic), 1), expected, `IPv4 ${traffic}`);
    const v6 = Uint8Array.of(0, 0x60 | traffic >> 4, traffic << 4 & 0xf0 | 0x0f, 0xff, 0xff);
    assertEquals(isEcnCapable(v6, 1), expected, `IPv6 ${traffic}`);
  }
});

Deno.test("markCongestion() of IPv4 sets CE and the checksum that computing it afresh gives, for every TOS", () => {
  const noise = Uint8Array.fromHex("000000540001400040060000c0000201c6336402");
  for (let tos = 0; tos < 256; tos++) {
    const bytes = header(noise, 5, tos);
    const expected = withChecksum(bytes.with(1, tos | CE) as Uint8Array);
    markCongestion(bytes, 0);
    assertEquals(bytes, expected, `TOS ${tos}`);
  }
});

Deno.test("markCongestion() of IPv4 is right for every possible checksum", () => {
  const noise = Uint8Array.fromHex("000000540001400040060000c0000201c6336402");
  const sums = new Set<number>();
  for (let id = 0; id <= 0xffff; id++) {
    noise[4] = id >> 8;
    noise[5] = id & 0xff;
    for (const tos of [0, 1, 2]) {
      const bytes = header(noise, 5, tos);
      sums.add(bytes[10]! << 8 | bytes[11]!);
      markCongestion(bytes, 0);
      if ((bytes[10]! << 8 | bytes[11]!) !== checksum(bytes)) fail(`id ${id}, TOS ${tos}`);
    }
  }
  assertEquals(sums.size, 0xffff); // all but the one for a sum of zero
});

Deno.test("markCongestion() of any IPv4 header keeps the checksum right and touches nothing else", () => {
  const noise = fc.uint8Array({ minLength: 60, maxLength: 60 });
  const any = fc.tuple(noise, fc.integer({ min: 5, max: 15 }), fc.nat(255));
  fc.assert(
    fc.property(any, fc.nat(5), ([random, words, tos], at) => {
      const before = header(random, words, tos);
      const bytes = new Uint8Array(80).fill(0xa5);
      bytes.set(before, at);
      markCongestion(bytes, at);
      const expected = new Uint8Array(80).fill(0xa5);
      expected.set(withChecksum(before.with(1, tos | CE) as Uint8Array), at);
      assertEquals(bytes, expected);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("markCongestion() of IPv6 sets the two bits alone", () => {
  for (let traffic = 0; traffic < 256; traffic++) {
    const packet = (value: number): Uint8Array =>
      Uint8Array.of(0xa5, 0x60 | value >> 4, value << 4 & 0xf0 | 0x0c, 0xba, 0x98, 0x01, 0x02);
    const bytes = packet(traffic);
    markCongestion(bytes, 1);
    assertEquals(bytes, packet(traffic | CE), `traffic class ${traffic}`);
  }
});
