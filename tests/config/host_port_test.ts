import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseAddress } from "../../src/address.ts";
import { formatHostPort, isHostName, parseHostPort } from "../../src/config/host_port.ts";
import { address } from "../addresses.ts";

for (
  const [text, host, port] of [
    ["192.0.2.1", "192.0.2.1", undefined],
    ["192.0.2.1:5080", "192.0.2.1", 5080],
    ["2001:db8::1", "2001:db8::1", undefined],
    ["[2001:DB8::1]", "2001:db8::1", undefined],
    ["[2001:db8::1]:5080", "2001:db8::1", 5080],
    ["[fe80::1%eth0]:5080", "fe80::1%eth0", 5080],
    ["vpn.example.net", "vpn.example.net", undefined],
    ["vpn.example.net:65535", "vpn.example.net", 65535],
    ["vpn.example.net.", "vpn.example.net.", undefined],
  ] as const
) {
  Deno.test(`parseHostPort reads "${text}"`, () => {
    assertEquals<unknown>(parseHostPort(text), { host: parseAddress(host) ?? host, port });
  });
}

for (
  const text of [
    "",
    ":5080",
    "192.0.2.1:0",
    "192.0.2.1:65536",
    "192.0.2.1:70000",
    "192.0.2.1:",
    "192.0.2.256",
    "192.0.2",
    "1",
    "[192.0.2.1]:5080",
    "[2001:db8::1",
    "[vpn.example.net]:1",
    "2001:db8::g",
    "two words",
    "-a.example",
    "a..b",
    "http://example.net",
    "a".repeat(64),
    "a.".repeat(200),
  ]
) {
  Deno.test(`parseHostPort refuses "${text.slice(0, 40)}"`, () => {
    assertEquals(parseHostPort(text), undefined);
  });
}

Deno.test("formatHostPort puts IPv6 in brackets", () => {
  assertEquals(formatHostPort({ host: address("192.0.2.1"), port: 5080 }), "192.0.2.1:5080");
  assertEquals(formatHostPort({ host: address("2001:db8::1"), port: 5080 }), "[2001:db8::1]:5080");
});

Deno.test("parseHostPort never throws, and reads back what formatHostPort writes of it", () => {
  const anything = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9:.\[\]%-]{0,30}$/));
  fc.assert(fc.property(anything, fc.integer({ min: 1, max: 65535 }), (text, port) => {
    const parsed = parseHostPort(text);
    if (!parsed) return;
    const withPort = { host: parsed.host, port: parsed.port ?? port };
    assertEquals<unknown>(parseHostPort(formatHostPort(withPort)), withPort);
  }));
});

Deno.test("isHostName takes labels of RFC 1123 and underscores", () => {
  for (const name of ["a", "a-b.c", "_dmarc.example", "3com.example", "xn--bcher-kva.example"]) {
    assertEquals(isHostName(name), true, name);
  }
  for (const name of ["", ".", "a-", "b.-c", "é.example", "1.2.3"]) {
    assertEquals(isHostName(name), false, name);
  }
});
