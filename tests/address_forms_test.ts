import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Address, parseAddress } from "../src/address.ts";
import { address } from "./addresses.ts";

const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

Deno.test("parseAddress() reads every form of RFC 4291 section 2.2", () => {
  const cases: readonly [string, string][] = [
    ["192.0.2.1", "c0000201"],
    ["0.0.0.0", "00000000"],
    ["2001:db8:0:0:8:800:200c:417a", "20010db80000000000080800200c417a"],
    ["2001:db8::8:800:200C:417A", "20010db80000000000080800200c417a"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["1::", "00010000000000000000000000000000"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["1:2:3:4:5:6:192.0.2.1", "000100020003000400050006c0000201"],
  ];
  for (const [text, hex] of cases) assertEquals(parseAddress(text)?.bytes.toHex(), hex, text);
});

Deno.test("parseAddress() refuses everything else", () => {
  const wrong = [
    ...["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1.2.3.4%eth0", " 1.2.3.4"],
    ...[":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::"],
    ...["1.2.3.4::", "::1.2.3.4:5", "g::", "fe80::1%", "fe80::1%a%b", "[::1]"],
  ];
  for (const text of wrong) assertEquals(parseAddress(text), undefined, text);
});

Deno.test("parseAddress() keeps the zone of an IPv6 address", () => {
  assertEquals(parseAddress("fe80::1%eth0")?.zone, "eth0");
});

Deno.test("parseAddress() reads what Address.toString() writes of IPv6", () => {
  fc.assert(fc.property(ipv6, (bytes) => {
    assertEquals(
      parseAddress(`${new Address(bytes)}`)?.bytes.toHex(),
      new Uint8Array(bytes).toHex(),
    );
  }));
});

Deno.test("parseAddress() never throws", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abf:.%x") }), (text) => {
    const bytes = parseAddress(text)?.bytes;
    assertEquals(bytes === undefined || bytes.length === 4 || bytes.length === 16, true);
  }));
});

Deno.test("isLinkLocal and isUnspecified look at the bytes", () => {
  for (const text of ["fe80::1", "febf::1", "fec0::1", "::1"]) {
    const isLocal = text.startsWith("fe8") || text.startsWith("feb");
    assertEquals(address(text).isLinkLocal, isLocal, text);
  }
  const unspecified = ["::", "0.0.0.0", "::1"].map((text) => address(text).isUnspecified);
  assertEquals(unspecified, [true, true, false]);
});
