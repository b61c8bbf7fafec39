import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Prefix } from "../../src/address.ts";
import { matchDestination, mayUseSource } from "../../src/wire/routes.ts";
import { addressOf, ip6, udp4 } from "../tunnel/packets.ts";

function network(text: string, length: number): Prefix {
  return new Prefix(addressOf(text), length);
}

/** An address of 2001:db8::/32 whose last byte is `last`. */
function v6(last: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(16);
  address.set([0x20, 0x01, 0x0d, 0xb8]);
  address[15] = last;
  return address;
}

Deno.test("matchDestination() returns the longest prefix that matches", () => {
  const networks = [network("0.0.0.0", 0), network("10.7.0.0", 16), network("10.7.0.0", 25)];
  const match = (to: string): number | undefined =>
    matchDestination(networks, udp4(0, { to }), 0, 4);
  assertEquals(match("10.7.0.127"), 25);
  assertEquals(match("10.7.0.128"), 16);
  assertEquals(match("10.8.0.1"), 0);
  assertEquals(match("255.255.255.255"), 0);
});

Deno.test("matchDestination() returns undefined for an unknown address, 0 when all are welcome", () => {
  assertEquals(
    matchDestination([network("10.7.0.2", 32)], udp4(0, { to: "10.7.0.3" }), 0, 4),
    undefined,
  );
  assertEquals(matchDestination([network("10.7.0.2", 32)], udp4(0, { to: "10.7.0.2" }), 0, 4), 32);
  assertEquals(matchDestination([], udp4(0), 0, 4), 0);
});

Deno.test("matchDestination() keeps IPv4 and IPv6 apart", () => {
  const networks = [new Prefix(v6(0), 0), new Prefix(v6(0x10), 124)];
  assertEquals(matchDestination(networks, udp4(0), 0, 4), undefined);
  assertEquals(matchDestination(networks, ip6(v6(1), v6(0x1f)), 0, 6), 124);
  assertEquals(matchDestination(networks, ip6(v6(1), v6(0x20)), 0, 6), 0);
  assertEquals(matchDestination([network("0.0.0.0", 0)], ip6(v6(1), v6(2)), 0, 6), undefined);
});

Deno.test("mayUseSource() allows what lies in a network, and everything when no network is given", () => {
  const packet = udp4(0, { from: "10.7.0.9" });
  assertEquals(mayUseSource([network("10.7.0.8", 29)], packet, 0, 4), true);
  assertEquals(mayUseSource([network("10.7.0.0", 29)], packet, 0, 4), false);
  assertEquals(mayUseSource([], packet, 0, 4), true);
  assertEquals(mayUseSource([new Prefix(v6(0), 32)], ip6(v6(1), v6(2)), 0, 6), true);
  assertEquals(mayUseSource([network("10.7.0.0", 8)], ip6(v6(1), v6(2)), 0, 6), false);
});

Deno.test("prefixes compare as the bits of the addresses do", () => {
  const bits = (address: Uint8Array): string =>
    [...address].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(address, address, fc.nat(32), fc.nat(31), (a, b, prefix, shared) => {
      b.set(a.subarray(0, shared >> 3)); // otherwise they hardly ever agree
      const packet = udp4(0, { from: a.join("."), to: a.join(".") });
      const expected = bits(a).slice(0, prefix) === bits(b).slice(0, prefix);
      const networks = [new Prefix(b, prefix)];
      assertEquals(mayUseSource(networks, packet, 0, 4), expected);
      assertEquals(matchDestination(networks, packet, 0, 4), expected ? prefix : undefined);
    }),
  );
});
