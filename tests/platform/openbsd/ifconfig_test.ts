import { assertEquals } from "@std/assert";
import { parseAddressStates, parseInterfaces } from "../../../src/platform/openbsd/ifconfig.ts";
import type { InterfaceAddress } from "../../../src/platform/platform.ts";
import { address, prefix } from "../../addresses.ts";

/** As sbin/ifconfig/ifconfig.c of 7.8 prints a group with two members. */
const TUNS = `tun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> rdomain 3 mtu 1434
	description: inet 192.0.2.1 --> 192.0.2.2 netmask 0xff000000
	index 7 priority 0 llprio 3
	groups: tun egress
	status: active
	inet 10.44.43.1 --> 10.44.43.2 netmask 0xfffffffc
	inet 10.9.9.9 --> 0.0.0.0 netmask 0xff000000
	inet6 fe80::fce1:baff:fed0:1%tun0 -->  prefixlen 64 scopeid 0x7
	inet6 2001:db8:44::1 -->  prefixlen 64 tentative
	inet6 2001:db8:44::5 -->  prefixlen 128 anycast
	inet6 2001:db8:45::1 --> 2001:db8:45::2 prefixlen 128 duplicated
tun1: flags=8010<POINTOPOINT,MULTICAST> metric 1 mtu 1500
	index 8 priority 0 llprio 3
	groups: tun
	status: down
`;

Deno.test("parseInterfaces() reads what ifconfig(8) prints of point-to-point interfaces", () => {
  const own = (text: string, rest: Partial<InterfaceAddress> = {}): InterfaceAddress => ({
    address: prefix(text),
    isAnycast: false,
    ...rest,
  });
  assertEquals(parseInterfaces(TUNS), [
    {
      name: "tun0",
      isUp: true,
      rdomain: 3,
      mtu: 1434,
      addresses: [
        own("10.44.43.1/30", { peer: address("10.44.43.2") }),
        own("10.9.9.9/8"),
        own("fe80::fce1:baff:fed0:1/64"),
        own("2001:db8:44::1/64"),
        own("2001:db8:44::5/128", { isAnycast: true }),
        own("2001:db8:45::1/128", { peer: address("2001:db8:45::2") }),
      ],
    },
    { name: "tun1", isUp: false, rdomain: 0, mtu: 1500, addresses: [] },
  ]);
});

Deno.test("parseInterfaces() and parseAddressStates() make nothing of anything else", () => {
  for (
    const text of ["", "\n", "tun: no such interface\n", "\tinet 10.0.0.1 netmask 0xff\n", "\0"]
  ) {
    assertEquals(parseInterfaces(text), []);
  }
  for (let end = 0; end < TUNS.length; end++) {
    parseInterfaces(TUNS.slice(0, end));
    parseAddressStates(TUNS.slice(end));
  }
});

Deno.test("parseAddressStates() tells which addresses cannot be used", () => {
  assertEquals(Object.fromEntries(parseAddressStates(TUNS)), {
    "fe80::fce1:baff:fed0:1": "usable",
    "2001:db8:44::1": "tentative",
    "2001:db8:44::5": "usable",
    "2001:db8:45::1": "duplicated",
  });
});
