import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Address,
  type Family,
  familyOf,
  parseAddress,
  parsePrefix,
  Prefix,
} from "../src/address.ts";
import { address, prefix } from "./addresses.ts";

/** The bytes of any address; zeros are frequent, since they are written in another way. */
const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
    .map((list) => Uint8Array.from(list)),
);
const anyPrefix: fc.Arbitrary<Prefix> = anyBytes.chain((bytes) =>
  fc.nat(bytes.length * 8).map((length) => new Prefix(bytes, length))
);

for (
  const [text, written] of [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::", "2001:db8::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["", undefined],
    ["1.2.3", undefined],
    ["1.2.3.4.5", undefined],
    ["1.2.3.256", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.4 ", undefined],
    ["1.2.3.4/24", undefined],
    ["1..3.4", undefined],
    ["+1.2.3.4", undefined],
    [":", undefined],
    [":::", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4::5:6:7:8", undefined],
    ["12345::", undefined],
    ["g::", undefined],
    ["1:2:3:4:5:6:7:1.2.3.4", undefined],
    ["1.2.3.4::", undefined],
    ["::1.2.3", undefined],
    ["2001:db8::1%eth0", undefined],
    ["192.0.2.1%eth0", undefined],
    ["fe80::1%", undefined],
    ["fe80::1%a%b", undefined],
  ] as const
) {
  Deno.test(`parseAddress reads "${text}" as ${written}`, () => {
    const address = parseAddress(text);
    assertEquals(address && `${address}`, written);
  });
}

for (
  const [text, network] of [
    ["10.44.43.1/30", "10.44.43.0/30"],
    ["10.44.43.1/32", "10.44.43.1/32"],
    ["10.44.43.1/0", "0.0.0.0/0"],
    ["10.255.255.255/9", "10.128.0.0/9"],
    ["2001:db8:ffff::1/33", "2001:db8:8000::/33"],
    ["2001:db8::1/128", "2001:db8::1/128"],
    ["10.0.0.0/33", undefined],
    ["::/129", undefined],
    ["10.0.0.0/", undefined],
    ["10.0.0.0/08", undefined],
    ["10.0.0.0/-1", undefined],
    ["10.0.0.0", undefined],
    ["fe80::1%eth0/64", undefined],
  ] as const
) {
  Deno.test(`the network of "${text}" is ${network}`, () => {
    const prefix = parsePrefix(text);
    assertEquals(prefix && `${prefix.toNetwork()}`, network);
  });
}

Deno.test("parsePrefix and parseAddress accept or refuse any text without throwing", () => {
  const anything = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.\/%]{0,50}$/));
  fc.assert(fc.property(anything, (text) => {
    parsePrefix(text);
    parseAddress(text);
  }));
});

Deno.test("parseAddress reads back what Address.toString() writes", () => {
  fc.assert(fc.property(anyBytes, (bytes) => {
    assertEquals(parseAddress(`${new Address(bytes)}`), new Address(bytes));
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (host) => {
    const local = new Address(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...host), "eth0");
    assertEquals(parseAddress(`${local}`), local);
  }));
});

Deno.test("parsePrefix reads back what Prefix.toString() writes", () => {
  fc.assert(fc.property(anyPrefix, (prefix) => {
    assertEquals(parsePrefix(`${prefix}`), prefix);
    assertEquals(
      `${prefix.toAddress().toPrefix()}`,
      `${prefix.toAddress()}/${prefix.bytes.length * 8}`,
    );
  }));
});

Deno.test("addresses and networks are of the family that their text shows", () => {
  fc.assert(fc.property(anyPrefix, (prefix) => {
    const family = `${prefix}`.includes(":") ? 6 : 4;
    assertEquals([prefix.family, prefix.toAddress().family, familyOf(prefix.bytes)], [
      family,
      family,
      family,
    ]);
  }));
  assertEquals(parsePrefix("192.0.2.1/24")?.family, 4);
  assertEquals(parseAddress("fe80::1%eth0")?.family, 6);
  assertEquals(parseAddress("example.org")?.family, undefined);
});

Deno.test("parseAddress agrees with the URL parser about IPv6", () => {
  const group = fc.constantFrom("0", "1", "ab", "ffff", "", ":", "1.2.3.4", "00001");
  fc.assert(fc.property(fc.array(group, { maxLength: 9 }), (groups) => {
    const text = groups.join(":");
    const url = URL.parse(`http://[${text}]/`);
    assertEquals(parseAddress(text)?.bytes.length === 16, url !== null, text);
  }));
});

Deno.test("covers() and overlaps() compare whole prefixes within a family", () => {
  const lan = prefix("10.44.43.0/24");
  assertEquals(lan.covers(address("10.44.43.255")), true);
  assertEquals(lan.covers(address("10.44.44.0")), false);
  assertEquals(prefix("0.0.0.0/0").covers(address("::1")), false);
  assertEquals(lan.overlaps(prefix("10.0.0.0/8")), true);
  assertEquals(prefix("10.0.0.0/8").overlaps(lan), true);
  assertEquals(lan.overlaps(prefix("10.44.42.0/24")), false);
});

Deno.test("covers() is about whole networks and addresses of one family", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.255.1.1", true],
    ["10.44.43.2/30", "10.44.43.1/32", true],
    ["10.44.43.2/30", "10.44.43.4", false],
    ["10.44.43.0/30", "10.44.43.0/29", false],
    ["10.44.43.1/32", "10.44.43.1", true],
    ["0.0.0.0/0", "192.0.2.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
  ];
  for (const [outer, inner, is] of cases) {
    const other = parsePrefix(inner) ?? address(inner);
    assertEquals(prefix(outer).covers(other), is, `${outer} ${inner}`);
  }
});

Deno.test("Prefix.contains() compares as the bits of the addresses do, wherever they lie", () => {
  const bits = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  fc.assert(fc.property(anyPrefix, anyBytes, fc.nat(128), fc.nat(9), (net, bytes, shared, at) => {
    const other = bytes.slice();
    other.set(net.bytes.subarray(0, Math.min(shared >> 3, other.length))); // else they never agree
    const expected = other.length === net.bytes.length &&
      bits(other).startsWith(bits(net.bytes).slice(0, net.length));
    const around = new Uint8Array(at + other.length + 3).fill(0xaa);
    around.set(other, at);
    assertEquals(net.contains(around, at, familyOf(other)), expected);
    const wrong: Family = net.family === 4 ? 6 : 4;
    assertEquals(net.contains(around, at, wrong), false);
    assertEquals(net.covers(new Address(other)), expected);
  }));
});

Deno.test("a network contains its own addresses, and covers what is part of it", () => {
  fc.assert(fc.property(anyPrefix, anyPrefix, (a, b) => {
    assertEquals([
      a.covers(a.toAddress()),
      a.toNetwork().covers(a.toAddress()),
      a.covers(a.toNetwork()),
    ], [
      true,
      true,
      true,
    ]);
    assertEquals(a.toNetwork().toNetwork().equals(a.toNetwork()), true);
    assertEquals(a.overlaps(b), b.overlaps(a));
    assertEquals(a.overlaps(b), a.covers(b.toNetwork()) || b.covers(a.toNetwork()));
    if (a.covers(b) && b.covers(a)) assertEquals(a.toNetwork().equals(b.toNetwork()), true);
    if (a.isDefault) assertEquals(a.covers(b), a.family === b.family);
    if (a.isSingle) assertEquals(a.covers(b.toAddress()), a.toAddress().equals(b.toAddress()));
  }));
});

Deno.test("equals() is about every part", () => {
  assertEquals(address("fe80::1%eth0").equals(address("fe80::1%eth0")), true);
  assertEquals(address("fe80::1%eth0").equals(address("fe80::1%eth1")), false);
  assertEquals(address("fe80::1%eth0").equals(address("fe80::1")), false);
  assertEquals(address("0.0.0.0").equals(address("::")), false);
  assertEquals(prefix("10.0.0.0/8").equals(prefix("10.0.0.0/8")), true);
  assertEquals(prefix("10.0.0.0/8").equals(prefix("10.0.0.0/9")), false);
  assertEquals(prefix("10.0.0.0/8").equals(prefix("11.0.0.0/8")), false);
});

Deno.test("isNetworkAddress() and isBroadcast() are about IPv4 networks of more than two addresses", () => {
  const at = (text: string): [boolean, boolean] => {
    const own = prefix(text);
    return [own.isNetworkAddress(own.toAddress()), own.isBroadcast(own.toAddress())];
  };
  assertEquals(at("10.44.43.0/30"), [true, false]);
  assertEquals(at("10.44.43.3/30"), [false, true]);
  assertEquals(at("10.44.43.1/30"), [false, false]);
  assertEquals(at("10.44.43.0/31"), [false, false]);
  assertEquals(at("10.44.43.1/32"), [false, false]);
  assertEquals(at("2001:db8::/64"), [false, false]);
});

Deno.test("isOfHost refuses any, loopback, multicast and reserved addresses", () => {
  const refused = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"];
  for (const text of refused) assertEquals(address(text).isOfHost, false, text);
  for (const text of ["10.0.0.1", "192.0.2.1", "fe80::1", "2001:db8::1"]) {
    assertEquals(address(text).isOfHost, true, text);
  }
});
