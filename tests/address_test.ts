import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  contains,
  formatAddress,
  formatPrefix,
  isBroadcast,
  isHostAddress,
  isNetworkAddress,
  networkOf,
  overlaps,
  parseAddress,
  parsePrefix,
} from "../src/address.ts";

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
    assertEquals(address && formatAddress(address), written);
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
  Deno.test(`networkOf "${text}" is ${network}`, () => {
    const prefix = parsePrefix(text);
    assertEquals(prefix && formatPrefix(networkOf(prefix)), network);
  });
}

Deno.test("parsePrefix and parseAddress accept or refuse any text without throwing", () => {
  const anything = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.\/%]{0,50}$/));
  fc.assert(fc.property(anything, (text) => {
    parsePrefix(text);
    parseAddress(text);
  }));
});

Deno.test("parseAddress reads back what formatAddress writes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(fc.property(bytes, (bytes) => {
    assertEquals([...parseAddress(formatAddress({ bytes }))!.bytes], [...bytes]);
  }));
});

Deno.test("parseAddress agrees with the URL parser about IPv6", () => {
  const group = fc.constantFrom("0", "1", "ab", "ffff", "", ":", "1.2.3.4", "00001");
  fc.assert(fc.property(fc.array(group, { maxLength: 9 }), (groups) => {
    const text = groups.join(":");
    const url = URL.parse(`http://[${text}]/`);
    assertEquals(parseAddress(text)?.bytes.length === 16, url !== null, text);
  }));
});

Deno.test("contains and overlaps compare whole prefixes within a family", () => {
  const lan = parsePrefix("10.44.43.0/24")!;
  assertEquals(contains(lan, parseAddress("10.44.43.255")!.bytes), true);
  assertEquals(contains(lan, parseAddress("10.44.44.0")!.bytes), false);
  assertEquals(contains(parsePrefix("0.0.0.0/0")!, parseAddress("::1")!.bytes), false);
  assertEquals(overlaps(lan, parsePrefix("10.0.0.0/8")!), true);
  assertEquals(overlaps(parsePrefix("10.0.0.0/8")!, lan), true);
  assertEquals(overlaps(lan, parsePrefix("10.44.42.0/24")!), false);
});

Deno.test("isNetworkAddress and isBroadcast are about IPv4 networks of more than two addresses", () => {
  const at = (text: string): [boolean, boolean] => {
    const prefix = parsePrefix(text)!;
    return [isNetworkAddress(prefix.bytes, prefix), isBroadcast(prefix.bytes, prefix)];
  };
  assertEquals(at("10.44.43.0/30"), [true, false]);
  assertEquals(at("10.44.43.3/30"), [false, true]);
  assertEquals(at("10.44.43.1/30"), [false, false]);
  assertEquals(at("10.44.43.0/31"), [false, false]);
  assertEquals(at("10.44.43.1/32"), [false, false]);
  assertEquals(at("2001:db8::/64"), [false, false]);
});

Deno.test("isHostAddress refuses any, loopback, multicast and reserved addresses", () => {
  const refused = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"];
  for (const text of refused) assertEquals(isHostAddress(parseAddress(text)!.bytes), false, text);
  for (const text of ["10.0.0.1", "192.0.2.1", "fe80::1", "2001:db8::1"]) {
    assertEquals(isHostAddress(parseAddress(text)!.bytes), true, text);
  }
});
