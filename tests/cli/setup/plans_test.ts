import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseAddress, parsePrefix } from "../../../src/address.ts";
import type { Arguments } from "../../../src/cli/command.ts";
import { planClient } from "../../../src/cli/setup/client_plan.ts";
import { planServer } from "../../../src/cli/setup/server_plan.ts";
import { UsageError } from "../../../src/errors.ts";
import type { HostSurvey } from "../../../src/platform/platform.ts";
import type { Invitation } from "../../../src/setup/invitation.ts";
import { dialogWith, nobody } from "./answers.ts";

const SURVEY: HostSurvey = {
  interfaces: ["lo", "eth0", "agg0"],
  addresses: [
    { interface: "lo", address: parsePrefix("127.0.0.1/8")! },
    { interface: "eth0", address: parsePrefix("192.0.2.1/24")! },
  ],
  routes: [parsePrefix("0.0.0.0/0")!],
  uplinks: [{ interface: "eth0", gateway: parseAddress("192.0.2.254")! }],
};
const HIDDEN: HostSurvey = {
  ...SURVEY,
  addresses: [{ interface: "eth0", address: parsePrefix("10.0.0.5/24")! }],
};
const INVITATION: Invitation = {
  name: "home",
  key: new Uint8Array(32),
  servers: [{ host: parseAddress("192.0.2.1")!, port: 5080 }],
  families: [{ address: parsePrefix("10.87.12.2/24")!, gateway: parseAddress("10.87.12.1")! }],
};

function args(flags: Arguments["flags"] = {}): Arguments {
  return { operands: [], flags };
}

function host(survey = SURVEY): Parameters<typeof planServer>[0] {
  return { os: "linux", survey, isFree: (port) => port > 5081 };
}

Deno.test("planServer takes the public address, the next port and interface that are free", () => {
  const { file, invitation, isBehindNat } = planServer(host(), args(), nobody());
  assertEquals(file.publicAddress, { host: parseAddress("192.0.2.1")!, port: 5082 });
  assertEquals(file.listen.map(({ host, port }) => `${host}:${port}`), ["0.0.0.0:5082"]);
  assertEquals([file.interface, file.nat, isBehindNat], ["agg1", true, false]);
  assertEquals(invitation.name, "home");
  for (const [i, { address, gateway }] of invitation.families.entries()) {
    assertEquals(`${file.addresses[i]!.toAddress()}`, `${gateway}`);
    assertEquals(address.toNetwork().equals(file.addresses[i]!.toNetwork()), true);
  }
});

Deno.test("planServer does as flags say, and asks for the rest", () => {
  const flags = { address: "vpn.example.net:7000", port: "6000", network: "10.1.2.0/24" };
  const { dialog, said } = dialogWith(["office"]);
  const { file, invitation } = planServer(host(), args({ ...flags, "no-nat": true }), dialog);
  assertEquals(file.publicAddress, { host: "vpn.example.net", port: 7000 });
  assertEquals(file.listen[0]!.port, 6000);
  assertEquals([file.client.name, file.nat], ["office", false]);
  assertEquals(`${invitation.families[0]!.address}`, "10.1.2.2/24");
  assertEquals(said(), "Name of the first client [home]: ");
});

Deno.test("planServer wants the router's address of a host behind NAT", () => {
  const error = assertThrows(() => planServer(host(HIDDEN), args(), nobody()), UsageError);
  assertStringIncludes(error.message, "no public IPv4 address");
  assertStringIncludes(error.hint!, "Give --address=HOST");
  const { dialog, said } = dialogWith(["", "203.0.113.7", "", ""]);
  const plan = planServer(host(HIDDEN), args(), dialog);
  assertEquals([plan.isBehindNat, `${plan.file.publicAddress.host}`], [true, "203.0.113.7"]);
  assertStringIncludes(said(), "Address or name of its router: ");
});

Deno.test("planServer refuses flags that are wrong, by name", () => {
  for (
    const flags of [
      { address: "no such host" },
      { port: "0" },
      { client: "my home" },
      { network: "10.1.2.0/30" },
      { network6: "10.1.2.0/24" },
    ]
  ) {
    const [name = ""] = Object.keys(flags);
    const error = assertThrows(() => planServer(host(), args(flags), nobody()), UsageError);
    assertStringIncludes(error.message, `--${name}=`);
  }
});

Deno.test("planClient leaves the links of Linux to the interfaces, or takes those that are named", () => {
  const auto = planClient(INVITATION, { os: "linux", survey: SURVEY }, args(), nobody());
  assertEquals([auto.file.links, auto.file.routes, auto.file.interface], [
    undefined,
    ["default"],
    "agg1",
  ]);
  const flags = { links: "eth1,wwan0.7", routes: "10.0.0.0/8,default6" };
  const named = planClient(INVITATION, { os: "linux", survey: SURVEY }, args(flags), nobody());
  assertEquals(named.file.links, [
    { name: "eth1", interface: "eth1" },
    { name: "wwan0-7", interface: "wwan0.7" },
  ]);
  assertEquals(named.file.routes, ["10.0.0.0/8", "default6"]);
});

Deno.test("planClient asks whether everything is to go through the tunnel", () => {
  const { dialog } = dialogWith(["n"]);
  const { file } = planClient(INVITATION, { os: "linux", survey: SURVEY }, args(), dialog);
  assertEquals(file.routes, []);
});

const DOMAINS: HostSurvey = {
  ...SURVEY,
  interfaces: ["lo0", "em0", "em1"],
  uplinks: [
    { interface: "em0", rdomain: 1, gateway: parseAddress("198.51.100.1")! },
    { interface: "em1", rdomain: 2, gateway: parseAddress("203.0.113.1")! },
    { interface: "tun7", gateway: parseAddress("10.1.1.1")! },
  ],
};

Deno.test("planClient makes a link of each rdomain with a default route on OpenBSD", () => {
  const { file, remarks } = planClient(
    INVITATION,
    { os: "openbsd", survey: DOMAINS },
    args(),
    nobody(),
  );
  assertEquals(file.links, [{ name: "em0", rdomain: 1 }, { name: "em1", rdomain: 2 }]);
  assertEquals([file.interface, file.routes], ["tun0", ["default"]]);
  assertEquals(remarks, [
    "Uplinks: em0 (via 198.51.100.1, rdomain 1), em1 (via 203.0.113.1, rdomain 2)",
  ]);
});

Deno.test("planClient routes nothing into the tunnel that its own links would follow", () => {
  const survey = { ...DOMAINS, uplinks: [{ interface: "em0" }] };
  const plan = planClient(INVITATION, { os: "openbsd", survey }, args(), nobody());
  assertEquals([plan.file.links, plan.file.routes], [[{ name: "em0" }], []]);
  assertStringIncludes(plan.remarks.join(), "Give each uplink an rdomain");
  const none = { ...DOMAINS, uplinks: [] };
  const error = assertThrows(
    () => planClient(INVITATION, { os: "openbsd", survey: none }, args(), nobody()),
    UsageError,
  );
  assertStringIncludes(error.hint!, "--links=em0,em1");
});

Deno.test("planClient refuses flags that are wrong", () => {
  for (const flags of [{ links: "eth1,eth1" }, { links: "a b" }, { routes: "everything" }]) {
    assertThrows(
      () => planClient(INVITATION, { os: "linux", survey: SURVEY }, args(flags), nobody()),
      UsageError,
    );
  }
});
