import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Prefix } from "../../src/address.ts";
import type { Duplicate } from "../../src/duplicate.ts";
import type { RuleOptions } from "../../src/rule_options.ts";
import { COPIES, Rules, UNSAID } from "../../src/scheduler/rules.ts";
import { PacketInfo, parsePacket } from "../../src/wire/ip.ts";
import { V4, V6 } from "../wire/hex_packets.ts";
import { prefix } from "../addresses.ts";

const NONE: RuleOptions = { ports: [], links: [] };

const TCP = "1f9001bb000000010000000250100400" + "00000000ff";
const UDP = "1f9001bb00090000ff";

const NETWORK6 = prefix("2001:db8::/32");

/** The rule for a packet, after parsing; -1 for what is not a packet. */
function matchOf(rules: Rules, bytes: Uint8Array, at: number, length: number): number {
  const info = new PacketInfo();
  return parsePacket(bytes, at, length, info) ? rules.match(bytes, at, info) : -1;
}

function matchHex(rule: Partial<RuleOptions>, hex: string): boolean {
  const packet = Uint8Array.fromHex(`ffff${hex}ff`);
  return matchOf(new Rules([{ ...NONE, ...rule }], "off"), packet, 2, packet.length - 3) === 0;
}

const CASES: [what: string, rule: Partial<RuleOptions>, packet: string, matches: boolean][] = [
  ["nothing asked, IPv4", {}, V4(TCP, "06"), true],
  ["nothing asked, IPv6", {}, V6(UDP, "11"), true],
  ["nothing asked, cut short", {}, V4(TCP, "06").slice(0, -2), false],
  ["nothing asked, IPv6 cut short", {}, V6(UDP, "11").slice(0, -2), false],
  ["nothing asked, version 5", {}, V4(TCP, "06").replace("4", "5"), false],
  ["TCP", { protocol: "tcp" }, V4(TCP, "06"), true],
  ["TCP, but UDP", { protocol: "tcp" }, V4(UDP, "11"), false],
  ["UDP, IPv6", { protocol: "udp" }, V6(UDP, "11"), true],
  ["UDP, IPv6 behind another header", { protocol: "udp" }, V6(UDP, "2c"), false],
  ["ICMP", { protocol: "icmp" }, V4("08000000", "01"), true],
  ["ICMPv6", { protocol: "icmp" }, V6("80000000", "3a"), true],
  ["ICMP, but ICMPv6 in IPv4", { protocol: "icmp" }, V4("80000000", "3a"), false],
  ["ICMP, but ICMP in IPv6", { protocol: "icmp" }, V6("08000000", "01"), false],
  ["source port", { ports: [1, 8080] }, V4(TCP, "06"), true],
  ["destination port", { ports: [443, 2] }, V6(UDP, "11"), true],
  ["another port", { ports: [8443] }, V4(TCP, "06"), false],
  ["a port behind IP options", { ports: [443] }, V4(TCP, "06", "00", "4000", "01010101"), true],
  ["a port of the first fragment", { ports: [443] }, V4(UDP, "11", "00", "2000"), false],
  ["a port of a later fragment", { ports: [443] }, V4(UDP, "11", "00", "0010"), false],
  ["a port of ESP", { ports: [443] }, V4(UDP, "32"), false],
  ["a port of TCP cut short", { ports: [443] }, V4(TCP.slice(0, 38), "06"), false],
  ["a port of UDP cut short", { ports: [443] }, V4(UDP.slice(0, 14), "11"), false],
  ["a port behind an IPv6 fragment header", { ports: [443] }, V6(UDP, "2c"), false],
  ["a protocol of a fragment", { protocol: "udp" }, V4(UDP, "11", "00", "2000"), true],
  ["EF", { dscp: 46 }, V4(UDP, "11", "b8"), true],
  ["EF with ECN", { dscp: 46 }, V4(UDP, "11", "bb"), true],
  ["EF, IPv6", { dscp: 46 }, V6(UDP, "11", "6b800000"), true],
  ["EF, but CS5", { dscp: 46 }, V4(UDP, "11", "a0"), false],
  ["DSCP 0", { dscp: 0 }, V4(UDP, "11", "03"), true],
  ["source network", { source: prefix("192.0.2.0/24") }, V4(UDP, "11"), true],
  [
    "source network, but it goes there",
    { source: prefix("198.51.100.0/24") },
    V4(UDP, "11"),
    false,
  ],
  ["destination network", { destination: prefix("198.51.100.0/25") }, V4(UDP, "11"), true],
  ["every IPv4 address", { destination: prefix("0.0.0.0/0") }, V4(UDP, "11"), true],
  ["every IPv4 address, but IPv6", { destination: prefix("0.0.0.0/0") }, V6(UDP, "11"), false],
  ["IPv6 network", { source: NETWORK6, destination: NETWORK6 }, V6(UDP, "11"), true],
  ["IPv6 network, but IPv4", { source: NETWORK6 }, V4(UDP, "11"), false],
  ["everything", { protocol: "udp", ports: [443], dscp: 46 }, V4(UDP, "11", "b8"), true],
  ["all but one", { protocol: "udp", ports: [444], dscp: 46 }, V4(UDP, "11", "b8"), false],
];

for (const [what, rule, packet, matches] of CASES) {
  Deno.test(`Rules.match() ${matches ? "finds" : "does not find"} ${what}`, () => {
    assertEquals(matchHex(rule, packet), matches);
  });
}

Deno.test("Rules.match() returns the first rule that matches, and -1 for none", () => {
  const rules = new Rules([
    { ...NONE, protocol: "tcp", ports: [22] },
    { ...NONE, protocol: "udp", links: ["a"] },
    { ...NONE, ports: [443], duplicate: "all" },
  ], "off");
  const match = (hex: string): number => {
    const packet = Uint8Array.fromHex(hex);
    return matchOf(rules, packet, 0, packet.length);
  };
  assertEquals(match(V4(UDP, "11")), 1);
  assertEquals(match(V4(TCP, "06")), 2);
  assertEquals(match(V4("0800", "01")), -1);
  assertEquals(new Rules([], "off").match(new Uint8Array(0), 0, new PacketInfo()), -1);
});

Deno.test("Rules keeps what a rule does not say apart from what it does", () => {
  const of = (duplicate: Duplicate): RuleOptions => ({ ...NONE, duplicate });
  const rules = new Rules([NONE, of("off"), of("auto"), { ...of("all"), class: "bulk" }], "off");
  assertEquals([...rules.copies], [UNSAID, COPIES.off, COPIES.auto, COPIES.all]);
  assertEquals([...rules.kinds], [UNSAID, UNSAID, UNSAID, 0]);
  assert(rules.copying);
  assert(rules.manyCopies);
  assert(new Rules([], "auto").copying);
  const needed = new Rules([of("off")], "needed");
  assertEquals([needed.copying, needed.manyCopies], [true, false]);
  assert(!new Rules([of("off"), NONE], "off").copying);
});

/** A packet as the obvious matcher sees it: text and numbers. */
interface Seen {
  readonly protocol: string;
  readonly dscp: number;
  readonly ports: readonly number[];
  /** Bits. */
  readonly source: string;
  readonly destination: string;
}

function bitsOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

/** What RFC 791, RFC 8200, RFC 768 and RFC 9293 say, without regard to speed. */
function see(packet: Uint8Array): Seen | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  try {
    const four = view.getUint8(0) >> 4 === 4;
    if (!four && view.getUint8(0) >> 4 !== 6) return undefined;
    const header = four ? (view.getUint8(0) & 15) * 4 : 40;
    const total = four ? view.getUint16(2) : view.getUint16(4) + 40;
    if (header < 20 || header > total || total > packet.length) return undefined;
    const number = view.getUint8(four ? 9 : 6);
    const names: Record<number, string> = four
      ? { 1: "icmp", 6: "tcp", 17: "udp" }
      : { 58: "icmp", 6: "tcp", 17: "udp" };
    const protocol = names[number] ?? "other";
    const whole = !four || (view.getUint16(6) & 0x3fff) === 0;
    const least = { tcp: 20, udp: 8 }[protocol] ?? Infinity;
    const ports = whole && total - header >= least
      ? [view.getUint16(header), view.getUint16(header + 2)]
      : [];
    return {
      protocol,
      dscp: (four ? view.getUint8(1) : view.getUint16(0) >> 4 & 0xff) >> 2,
      ports,
      source: bitsOf(packet.slice(four ? 12 : 8, four ? 16 : 24)),
      destination: bitsOf(packet.slice(four ? 16 : 24, four ? 20 : 40)),
    };
  } catch {
    return undefined;
  }
}

function obviousMatch(rules: readonly RuleOptions[], packet: Uint8Array): number {
  const seen = packet.length < 20 ? undefined : see(packet);
  if (!seen) return -1;
  const lies = (bits: string, network: Prefix | undefined): boolean =>
    !network || bits.length === network.bytes.length * 8 &&
      bits.startsWith(bitsOf(network.bytes).slice(0, network.length));
  return rules.findIndex((rule) =>
    (rule.protocol === undefined || rule.protocol === seen.protocol) &&
    (rule.dscp === undefined || rule.dscp === seen.dscp) &&
    (rule.ports.length === 0 || rule.ports.some((port) => seen.ports.includes(port))) &&
    lies(seen.source, rule.source) && lies(seen.destination, rule.destination)
  );
}

const few = fc.constantFrom(0, 1, 6, 17, 44, 53, 58, 443);
/** Addresses from few byte values, so that networks and packets match. */
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length, max: 1 });
const anyNetwork: fc.Arbitrary<Prefix> = fc.constantFrom(4, 16).chain((length) =>
  fc.tuple(bytesOf(length), fc.integer({ min: 0, max: length * 8 }))
    .map(([bytes, length]) => new Prefix(bytes, length))
);
const anyRule: fc.Arbitrary<RuleOptions> = fc.record({
  protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmp" as const),
  ports: fc.array(few, { maxLength: 3 }),
  dscp: fc.constantFrom(0, 1, 46),
  source: anyNetwork,
  destination: anyNetwork,
  links: fc.constant([]),
}, { requiredKeys: ["ports", "links"] });
/** Headers that are mostly right, then truncated and corrupted. */
const anyPacket = fc.record({
  four: fc.boolean(),
  options: fc.constantFrom(0, 0, 4, 40),
  fragment: fc.constantFrom(0, 0, 0x4000, 0x2000, 0x0001),
  dscp: fc.constantFrom(0, 1, 46),
  protocol: few,
  ports: fc.tuple(few, few),
  addresses: bytesOf(32),
  payload: fc.constantFrom(0, 4, 7, 8, 19, 20, 60),
  cut: fc.constantFrom(0, 0, 0, 1, 30),
  bend: fc.option(fc.tuple(fc.nat(59), fc.nat(255)), { freq: 4 }),
}).map(({ four, options, fragment, dscp, protocol, ports, addresses, payload, cut, bend }) => {
  const header = four ? 20 + options : 40;
  const bytes = new Uint8Array(header + Math.max(payload, 4));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, four ? (0x40 + header / 4) << 8 | dscp << 2 : 0x6000 | dscp << 6);
  if (four) view.setUint16(2, header + payload);
  else view.setUint16(4, payload);
  if (four) view.setUint16(6, fragment);
  bytes[four ? 9 : 6] = protocol;
  bytes.set(addresses.subarray(0, four ? 8 : 32), four ? 12 : 8);
  ports.forEach((port, i) => view.setUint16(header + 2 * i, port));
  if (bend) bytes[bend[0]] = bend[1];
  return bytes.slice(0, Math.max(0, header + payload - cut));
});

Deno.test("Rules.match() does what the obvious matcher does", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 4 }), anyPacket, (rules, packet) => {
      const padded = new Uint8Array(packet.length + 60).fill(1);
      padded.set(packet, 20);
      const found = matchOf(new Rules(rules, "off"), padded, 20, packet.length);
      assertEquals(found, obviousMatch(rules, packet));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("Rules.match() takes any bytes, also where the buffer ends", () => {
  const rules = [{ ...NONE, ports: [443] }, { ...NONE, source: NETWORK6 }, NONE];
  const compiled = new Rules(rules, "off");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assertEquals(matchOf(compiled, bytes, 0, bytes.length), obviousMatch(rules, bytes));
  }));
  for (const hex of [V4(TCP, "06"), V6(UDP, "11")]) {
    const packet = Uint8Array.fromHex(hex);
    for (let length = 0; length < packet.length; length++) {
      assertEquals(matchOf(compiled, packet.slice(0, length), 0, length), -1);
    }
  }
});
