import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseAddress, parsePrefix, type Prefix } from "../../src/address.ts";
import { chooseNetwork, freeHost, hostOf } from "../../src/setup/networks.ts";
import { isPublic, publicAddresses } from "../../src/setup/public_address.ts";

const prefixes = (...texts: string[]): Prefix[] => texts.map((text) => parsePrefix(text)!);

Deno.test("chooseNetwork takes a network that overlaps nothing, but for a default route", () => {
  const random = Uint8Array.of(0, 0, 1, 2, 3);
  assertEquals(`${chooseNetwork(4, prefixes("0.0.0.0/0"), random)}`, "10.64.0.0/24");
  const used = prefixes("10.64.0.0/16", "10.65.0.7/32");
  assertEquals(`${chooseNetwork(4, used, random)}`, "10.65.1.0/24");
  assertEquals(`${chooseNetwork(6, [], random)}`, "fd00:1:203::/64");
  assertEquals(`${chooseNetwork(6, prefixes("fd00:1::/32"), random)}`, "fd00:101:203::/64");
  assertEquals(chooseNetwork(4, prefixes("10.0.0.0/8"), random), undefined);
});

Deno.test("chooseNetwork stays in the ranges of private networks", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 5, maxLength: 5 }), (random) => {
    assert(parsePrefix("10.64.0.0/10")!.overlaps(chooseNetwork(4, [], random)!) || random[0]! > 0);
    assert(parsePrefix("10.0.0.0/8")!.covers(chooseNetwork(4, [], random)!));
    assert(parsePrefix("fd00::/8")!.covers(chooseNetwork(6, [], random)!));
  }));
});

Deno.test("hostOf numbers the hosts of a network", () => {
  const [four, six] = prefixes("10.87.12.0/20", "fd00:44::/64");
  assertEquals(`${hostOf(four!, 258)}`, "10.87.1.2/20");
  assertEquals(`${hostOf(six!, 2)}`, "fd00:44::2/64");
});

Deno.test("freeHost is free in every family, and no broadcast address", () => {
  const networks = prefixes("10.87.12.1/29", "fd00:44::1/64");
  const taken = prefixes("10.87.12.1/32", "10.87.12.2/32", "fd00:44::3/128");
  assertEquals(freeHost(networks, taken), 4);
  assertEquals(
    freeHost(prefixes("10.87.12.1/30"), prefixes("10.87.12.0/31", "10.87.12.2/32")),
    undefined,
  );
});

Deno.test("isPublic leaves out what means nothing elsewhere", () => {
  for (const text of ["192.0.2.1", "2001:db8::1", "100.128.0.1"]) {
    assert(isPublic(parseAddress(text)!), text);
  }
  for (
    const text of [
      "10.1.2.3",
      "100.64.0.1",
      "192.168.1.1",
      "127.0.0.1",
      "fd00::1",
      "fe80::1",
      "::1",
    ]
  ) {
    assert(!isPublic(parseAddress(text)!), text);
  }
});

Deno.test("publicAddresses begins with IPv4 of an interface with a default route", () => {
  const addresses = [
    { interface: "lan0", address: parsePrefix("203.0.113.9/24")! },
    { interface: "eth0", address: parsePrefix("2001:db8::1/64")! },
    { interface: "eth0", address: parsePrefix("10.0.0.1/8")! },
    { interface: "eth0", address: parsePrefix("192.0.2.1/24")! },
  ];
  assertEquals(publicAddresses(addresses, ["eth0"]).map(String), [
    "192.0.2.1",
    "2001:db8::1",
    "203.0.113.9",
  ]);
});
