import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { translateFilter } from "../../../src/setup/mlvpn/pcap.ts";

/** The rules of a filter as text, or why there are none. */
function rules(filter: string): string {
  const result = translateFilter(filter);
  if ("why" in result) return result.why;
  return result.rules.map((rule) =>
    Object.entries(rule).map(([key, value]) => `${key} ${value}`).sort().join(", ")
  ).join(" | ");
}

for (
  const [filter, expected] of [
    ["icmp", "family 4, protocol icmp"],
    ["ip proto icmp", "family 4, protocol icmp"],
    ["ip6 proto 17", "family 6, protocol udp"],
    ["udp port 5060", "ports 5060, protocol udp"],
    ["udp portrange 5060-5062", "ports 5060,5061,5062, protocol udp"],
    ["port 53", "ports 53"],
    ["tcp port ssh or 443", "ports 22,443, protocol tcp"],
    ["tcp and (port 80 or port 443)", "ports 80,443, protocol tcp"],
    ["udp or tcp", "protocol udp | protocol tcp"],
    ["host 192.0.2.7", "source 192.0.2.7/32 | destination 192.0.2.7/32"],
    ["dst 192.0.2.7", "destination 192.0.2.7/32"],
    ["src net 10.1", "source 10.1.0.0/16"],
    ["dst net 10.1.2.0 mask 255.255.255.0", "destination 10.1.2.0/24"],
    ["dst net 2001:db8::/32", "destination 2001:db8::/32"],
    ["src 192.0.2.1 && dst 192.0.2.2", "destination 192.0.2.2/32, source 192.0.2.1/32"],
    ["ip", "family 4"],
    ["not tcp", 'a rule has no "not"'],
    ["tcp and udp", "a rule has one protocol"],
    ["port 80 and port 443", "a rule wants one of its ports, not two"],
    ["vlan 7", 'a rule cannot say "vlan"'],
    ["port", "it ends too early"],
    ["(tcp", 'a ")" is missing'],
    ["tcp)", 'a rule cannot say ")"'],
    ["portrange 1-65535", "it has more than 32 ports"],
    ["ip[1] & 0xfc == 184", 'a rule cannot say "ip[1]"'],
    ["tcp port 0", 'a rule cannot say "0"'],
    ["", "it ends too early"],
  ] as const
) {
  Deno.test(`translateFilter makes "${expected}" of "${filter}"`, () => {
    assertEquals(rules(filter), expected);
  });
}

Deno.test("translateFilter says that a rule does not tell the two ports apart", () => {
  const result = translateFilter("tcp dst port 80");
  assert("rules" in result);
  assertEquals(result.inexact, ["a rule looks at both ports of a packet"]);
});

Deno.test("translateFilter never throws and never makes many rules", () => {
  const word = fc.constantFrom(
    ..."ip ip6 tcp udp icmp src dst host net port portrange proto and or not ( ) 80 1-9 10.0.0.1 mask"
      .split(" "),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const result = translateFilter(words.join(" "));
      assert("why" in result || result.rules.length <= 16);
    }),
  );
});
