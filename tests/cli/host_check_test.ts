import { assertEquals } from "@std/assert";
import { checkHost, hostNeeds } from "../../src/cli/host_check.ts";
import { FULL_CLIENT, FULL_SERVER, parse, SMALL_CLIENT } from "../config/samples.ts";
import { address } from "../addresses.ts";

Deno.test("hostNeeds asks for the sockets of the links as they will be opened", () => {
  const needs = hostNeeds(parse(FULL_CLIENT).config!);
  assertEquals<unknown>(needs, {
    tunName: "agg0",
    links: [
      {
        name: "dsl",
        family: 4,
        address: address("198.51.100.10"),
        port: 4000,
        interface: "eth1",
        mark: 16,
      },
      { name: "lte", family: 6, interface: "vrf-lte" },
      { name: "sat", family: 4, rdomain: 3 },
    ],
    listen: [],
    nat: true,
    mssClamp: false,
    forwarding: true,
    // Three sockets besides 64 clients of the control socket and what is open anyway.
    openFiles: 107,
  });
});

Deno.test("hostNeeds asks for the addresses a server listens on", () => {
  const needs = hostNeeds(parse(FULL_SERVER).config!);
  assertEquals(needs.listen, [
    { host: address("192.0.2.1"), port: 5080 },
    { host: address("2001:db8::1"), port: 5080 },
  ]);
  assertEquals([needs.links.length, needs.nat], [0, false]);
});

Deno.test("hostNeeds asks for forwarding where networks are behind clients", () => {
  const forwarding = (text: string): boolean => hostNeeds(parse(text).config!).forwarding;
  assertEquals(forwarding(FULL_SERVER), true);
  assertEquals(forwarding(FULL_SERVER.replace(/^routes.*$/m, "")), false);
  assertEquals(forwarding(SMALL_CLIENT), false);
});

Deno.test({
  name: "checkHost warns about keys of the other system",
  // Libraries stay open.
  sanitizeResources: false,
  ignore: Deno.build.os !== "linux",
  fn: () => {
    const messages = checkHost(parse(SMALL_CLIENT).config!).map((finding) => finding.message);
    assertEquals(messages.filter((message) => message.includes("rdomain")), [
      "link.dsl1.rdomain has no effect here: it is for openbsd",
      "link.dsl2.rdomain has no effect here: it is for openbsd",
    ]);
  },
});
