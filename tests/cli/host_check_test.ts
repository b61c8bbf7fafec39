import { assertEquals } from "@std/assert";
import { checkHost, hostNeeds } from "../../src/cli/host_check.ts";
import { networkPlan } from "../../src/daemon/plan.ts";
import { FULL_CLIENT, FULL_SERVER, parse, SMALL_CLIENT } from "../config/samples.ts";
import { address } from "../addresses.ts";

Deno.test("hostNeeds asks for the sockets of the links as they will be opened", () => {
  const config = parse(FULL_CLIENT).config!;
  const needs = hostNeeds(config);
  assertEquals<unknown>(needs, {
    tunName: "agg0",
    plan: networkPlan(config, "agg0", 1400, [4, 6, 4]),
    links: [
      {
        name: "dsl",
        family: 4,
        address: address("198.51.100.10"),
        port: 4000,
        interface: "eth1",
        mark: 16,
        remotes: [],
        table: 101,
      },
      { name: "lte", family: 6, interface: "vrf-lte", remotes: [address("2001:db8::1")] },
      { name: "sat", family: 4, rdomain: 3, remotes: [] },
    ],
    listen: [],
    leakGuard: false,
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

Deno.test("hostNeeds leaves out what a running tunnel of the same file has", () => {
  const server = { interface: "agg0", locals: ["192.0.2.1:5080"] };
  const needs = hostNeeds(
    parse(FULL_SERVER.replace(/^address = /m, 'interface = "agg0"\n$&')).config!,
    server,
  );
  assertEquals(needs.tunName, undefined);
  assertEquals(needs.listen, [{ host: address("2001:db8::1"), port: 5080 }]);
  const client = { interface: "agg7", locals: ["198.51.100.10:4000"] };
  const { tunName, links } = hostNeeds(parse(FULL_CLIENT).config!, client);
  assertEquals([tunName, links[0]!.port], ["agg0", undefined]);
  const small = hostNeeds(parse(SMALL_CLIENT).config!, client);
  assertEquals([small.tunName, small.plan.interface], [undefined, "agg7"]);
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
  fn: async () => {
    const findings = await checkHost(parse(SMALL_CLIENT).config!);
    const messages = findings.map((finding) => finding.message);
    assertEquals(messages.filter((message) => message.includes("rdomain")), [
      "link.dsl1.rdomain has no effect here: it is for openbsd",
      "link.dsl2.rdomain has no effect here: it is for openbsd",
    ]);
  },
});
