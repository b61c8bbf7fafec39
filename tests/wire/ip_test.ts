import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { isTcp, KIND, type Kind, PacketInfo, parsePacket } from "../../src/wire/ip.ts";
import { V4, V6 } from "./hex_packets.ts";

const { bulk, interactive, unordered } = KIND;

const TCP = (flags: string, data = "", offset = "50"): string =>
  `1f9001bb0000000100000002${offset}${flags}040000000000${data}`;
const UDP = (source: string, destination: string): string => `${source}${destination}00090000ff`;

/** Every header field that decides what kind of packet it is, for both versions. */
const KINDS: [what: string, packet: string, kind: Kind][] = [
  ["TCP data", V4(TCP("10", "ff"), "06"), bulk],
  ["TCP data, IPv6", V6(TCP("10", "ff"), "06"), bulk],
  ["TCP data with PSH", V4(TCP("18", "ff"), "06"), bulk],
  ["TCP acknowledgement without data", V4(TCP("10"), "06"), unordered],
  ["TCP acknowledgement without data, IPv6", V6(TCP("10"), "06"), unordered],
  [
    "TCP acknowledgement with 12 bytes of options",
    V4(TCP("10", "00".repeat(12), "80"), "06"),
    unordered,
  ],
  ["TCP data behind options", V4(TCP("10", "00".repeat(13), "80"), "06"), bulk],
  [
    "TCP acknowledgement behind IP options",
    V4(TCP("10"), "06", "00", "4000", "01010101"),
    unordered,
  ],
  ["TCP data behind IP options", V4(TCP("10", "ff"), "06", "00", "4000", "01010101"), bulk],
  ["TCP data offset behind the packet", V4(TCP("10", "ff", "f0"), "06"), unordered],
  ["TCP SYN", V4(TCP("02"), "06"), unordered],
  ["TCP SYN with data", V4(TCP("12", "ff"), "06"), unordered],
  ["TCP FIN", V4(TCP("11"), "06"), bulk],
  ["TCP RST", V6(TCP("04"), "06"), bulk],
  ["TCP FIN of an interactive flow", V4(TCP("11"), "06", "b8"), interactive],
  ["TCP cut short", V4(TCP("02").slice(0, 38), "06"), bulk],
  ["UDP", V4(UDP("1f90", "01bb"), "11"), bulk],
  ["UDP, IPv6", V6(UDP("1f90", "01bb"), "11"), bulk],
  ["UDP to port 53", V4(UDP("1f90", "0035"), "11"), unordered],
  ["UDP from port 53, IPv6", V6(UDP("0035", "1f90"), "11"), unordered],
  ["UDP cut short", V4("00350035000800", "11"), bulk],
  ["TCP to port 53", V4(TCP("10", "ff").replace("01bb", "0035"), "06"), bulk],
  ["ICMP", V4("0800", "01"), unordered],
  ["ICMPv6", V6("8000", "3a"), unordered],
  ["ESP", V4("00000001", "32"), bulk],
  ["no payload at all", V4("", "3b"), bulk],
  ["DSCP AF42 (36)", V4(UDP("1f90", "01bb"), "11", "90"), interactive],
  ["DSCP CS4 (32)", V4(UDP("1f90", "01bb"), "11", "80"), interactive],
  ["DSCP 31, just below", V4(UDP("1f90", "01bb"), "11", "7f"), bulk],
  ["DSCP EF (46), IPv6", V6(UDP("1f90", "01bb"), "11", "6b800000"), interactive],
  ["DSCP 31, IPv6", V6(UDP("1f90", "01bb"), "11", "67f00000"), bulk],
  ["first fragment of TCP SYN: ports do not count", V4(TCP("02"), "06", "00", "2000"), bulk],
  ["last fragment that looks like DNS", V4(UDP("0035", "0035"), "11", "00", "0001"), bulk],
  ["reserved bit set, no fragment", V4(TCP("02"), "06", "00", "8000"), unordered],
];

function parse(hex: string): PacketInfo {
  const info = new PacketInfo();
  const bytes = Uint8Array.fromHex(hex);
  assert(parsePacket(bytes, 0, bytes.length, info), "not a packet");
  return info;
}

function hash(hex: string): number {
  return parse(hex).flowHash;
}

for (const [what, packet, kind] of KINDS) {
  Deno.test(`parsePacket() of ${what}`, () => {
    const info = parse(packet);
    assertEquals([info.version, info.kind], [Number(packet[0]), kind]);
  });
}

Deno.test("parsePacket() refuses what is not a whole IPv4 or IPv6 packet", () => {
  const v4 = V4(TCP("10"), "06");
  const v6 = V6(TCP("10"), "06");
  const bad: [string, string][] = [
    ["version 0", "0" + v4.slice(1)],
    ["version 5", "5" + v4.slice(1)],
    ["version 15", "f" + v6.slice(1)],
    ["header of 16 bytes", "44" + v4.slice(2)],
    ["header longer than the packet", "4f" + v4.slice(2)],
    ["total length below the header", v4.replace("0028", "0013")],
    ["total length of zero, as TSO leaves it", v4.replace("0028", "0000")],
    ["total length above what is there", v4.replace("0028", "0029")],
    ["IPv6 payload longer than what is there", v6.replace("450014", "450015")],
    ["IPv6 in 39 bytes", V6("", "3b").slice(0, 78)],
  ];
  for (const [what, hex] of bad) {
    const bytes = Uint8Array.fromHex(hex);
    assertEquals(parsePacket(bytes, 0, bytes.length, new PacketInfo()), false, what);
  }
});

Deno.test("parsePacket() refuses every truncation and ignores bytes after the packet", () => {
  for (const [what, hex] of KINDS) {
    const whole = Uint8Array.fromHex(hex);
    for (let length = 0; length < whole.length; length++) {
      assert(!parsePacket(whole, 0, length, new PacketInfo()), `${what}: ${length} bytes`);
    }
    assertEquals(parse(hex + "00".repeat(6)), parse(hex), what);
  }
});

Deno.test("parsePacket() of any bytes never throws and never looks outside its range", () => {
  const samples = KINDS.map(([, hex]) => Uint8Array.fromHex(hex));
  const flips = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 });
  const mutated = fc.tuple(fc.constantFrom(...samples), flips).map(([sample, changes]) => {
    const packet = sample.slice();
    for (const [at, value] of changes) packet[at % packet.length] = value;
    return packet;
  });
  const any = fc.oneof(mutated, fc.uint8Array({ maxLength: 80 }));
  fc.assert(
    fc.property(any, (packet) => {
      const results = [0x00, 0xff, 0x35].map((dirt) => {
        const bytes = new Uint8Array(packet.length + 80).fill(dirt);
        bytes.set(packet, 7);
        const info = new PacketInfo();
        return [parsePacket(bytes, 7, packet.length, info), info];
      });
      assertEquals(results[0], results[1]);
      assertEquals(results[0], results[2]);
    }),
    { numRuns: 500 },
  );
});

Deno.test("flowHash is the same for all packets of a flow", () => {
  const first = hash(V4(TCP("02"), "06"));
  assertEquals(hash(V4(TCP("10", "ffff"), "06", "b9")), first); // flags, data, TOS
  assertEquals(hash(V4(TCP("10").replace("00000001", "7fffffff"), "06")), first);
  assertEquals(hash(V4(TCP("10"), "06", "00", "4000", "01010101")), first); // options
  assertEquals(hash(V6(TCP("10"), "06", "6ff54321")), hash(V6(TCP("02"), "06")));
});

Deno.test("flowHash is the same for all fragments of a datagram", () => {
  const fragments = ["2000", "20b9", "0172"].map((word, i) =>
    V4(`0${i}`.repeat(9), "11", "00", word)
  );
  assertEquals(new Set(fragments.map(hash)).size, 1);
});

Deno.test("flowHash depends on every byte of addresses, protocol and ports", () => {
  const cases: [string, number[]][] = [
    [V4(TCP("10"), "06"), [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    [V6(UDP("1f90", "01bb"), "11"), Array.from({ length: 36 }, (_, i) => 8 + i)],
  ];
  for (const [hex, offsets] of cases) {
    for (const at of offsets) {
      const bytes = Uint8Array.fromHex(hex);
      bytes[at] = bytes[at]! ^ 1;
      assertNotEquals(hash(bytes.toHex()), hash(hex), `byte ${at}`);
    }
  }
  assertNotEquals(hash(V4(UDP("1f90", "01bb"), "11")), hash(V4(UDP("1f90", "01bb"), "88")));
});

Deno.test("flowHash spreads neighbouring flows over 1024 buckets", () => {
  const word = (n: number): string => n.toString(16).padStart(4, "0");
  const families: [string, (n: number) => string][] = [
    ["source ports", (n) => V4(UDP(word(32768 + n), "01bb"), "11")],
    ["destination ports", (n) => V6(UDP("1f90", word(n)), "11")],
    ["IPv4 hosts", (n) => V4("0000", "32").replace("c6336402", `c633${word(n)}`)],
    ["IPv6 hosts", (n) => V6("0000", "32").replace("00000001", `0000${word(n)}`)],
  ];
  for (const [what, packet] of families) {
    const load = new Uint16Array(1024);
    for (let n = 0; n < 4096; n++) {
      const bucket = hash(packet(n)) % 1024;
      load[bucket] = load[bucket]! + 1;
    }
    assertLess(Math.max(...load), 20, `${what}: 4 a bucket on average`);
  }
});

Deno.test("isTcp() tells TCP of both versions from everything else", () => {
  const of = (hex: string): boolean => isTcp(Uint8Array.fromHex(`ee${hex}`), 1);
  assert(of(V4(TCP("10", "ff"), "06")) && of(V6(TCP("10", "ff"), "06")));
  assert(!of(V4(UDP("1f90", "01bb"), "11")) && !of(V6(UDP("1f90", "01bb"), "11")));
});
