import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AggvpnError } from "../../../src/errors.ts";
import type { HostState } from "../../../src/platform/openbsd/host_state.ts";
import { networkChanges } from "../../../src/platform/openbsd/network.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import { applyChanges, changeLine } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";
import { parseCommand, parseRule } from "./commands.ts";
import { Record } from "./golden.ts";

const OFF: HostState = {
  forwarding: { ipv4: "0", ipv6: "0" },
  pfEnabled: true,
  hasAnchor: true,
};
const ON: HostState = { ...OFF, forwarding: { ipv4: "1", ipv6: "1" } };

const CLIENT: NetworkPlan = {
  interface: "tun0",
  mtu: 1434,
  addresses: [prefix("10.44.43.1/30"), prefix("2001:db8:44::1/64")],
  gateways: [address("10.44.43.2"), address("2001:db8:44::2")],
  routes: [
    { destination: prefix("198.51.100.0/24"), gateway: address("10.44.43.2") },
    { destination: prefix("2001:db8:99::/48"), gateway: address("2001:db8:44::2") },
  ],
  links: [],
  nat: false,
  mssClamp: false,
};
const SERVER: NetworkPlan = {
  ...CLIENT,
  addresses: [prefix("10.44.43.1/24")],
  gateways: [],
  routes: [{ destination: prefix("192.168.7.0/24") }],
};
const ROUTER: NetworkPlan = { ...CLIENT, routes: [], nat: true, mssClamp: true };

/** What is shown to the user when the changes are made and undone. */
function shown(plan: NetworkPlan, state: HostState): string[] {
  const lines: string[] = [];
  const changes = networkChanges(plan, state);
  const undo = applyChanges(
    changes,
    (line, kind) => lines.push(`${kind === "undo" ? "-" : "+"} ${line}`),
    () => ({ success: true, message: "" }),
  );
  undo();
  return lines;
}

Deno.test("networkChanges() are the commands that the golden record shows", () => {
  const record = new Record();
  const cases: readonly [string, NetworkPlan, HostState][] = [
    ["a client with a /30 and IPv6", CLIENT, OFF],
    ["a server with a network of clients", SERVER, OFF],
    ["a tunnel in rdomain 3, put there first", { ...SERVER, rdomain: 3 }, OFF],
    ["a default route, in halves", {
      ...CLIENT,
      routes: [{ destination: prefix("0.0.0.0/0"), gateway: address("10.44.43.2") }, {
        destination: prefix("::/0"),
      }],
    }, OFF],
    ["single addresses", {
      ...CLIENT,
      addresses: [prefix("10.44.43.1/32"), prefix("2001:db8:44::1/128")],
      gateways: [],
      routes: [],
    }, OFF],
    ["NAT on a host that does not forward", ROUTER, OFF],
    ["NAT on a host that forwards IPsec only", ROUTER, {
      ...OFF,
      forwarding: { ipv4: "2", ipv6: "2" },
    }],
    ["NAT of unique local addresses", {
      ...ROUTER,
      addresses: [prefix("10.44.43.1/30"), prefix("fd00:44::1/64")],
      mssClamp: false,
    }, ON],
    ["name servers where resolvd(8) runs", {
      ...CLIENT,
      routes: [],
      dns: [address("10.44.43.2"), address("2001:db8:44::2")],
    }, OFF],
    ["name servers where it does not, in rdomain 3", {
      ...CLIENT,
      routes: [],
      rdomain: 3,
      dns: [address("10.44.43.2")],
    }, {
      ...OFF,
      resolvConf: { text: "nameserver 198.51.100.53\nlookup file bind\n", hasCopy: false },
    }],
    ["the MSS clamp on a host that forwards", { ...ROUTER, nat: false }, ON],
  ];
  for (const [title, plan, state] of cases) {
    record.step(title);
    record.lines.pop();
    for (const line of shown(plan, state)) record.note(line);
    record.note("");
  }
  record.note("# another MTU later on: NAT and the clamp, NAT alone, the clamp, neither");
  for (const [nat, mssClamp] of [[true, true], [true, false], [false, true], [false, false]]) {
    for (const { atMtu } of networkChanges({ ...ROUTER, nat: nat!, mssClamp: mssClamp! }, ON)) {
      if (atMtu) record.note(`+ ${changeLine(atMtu(1300))}`);
    }
    record.note("");
  }
  record.assertGolden("network");
});

/** Everything the commands and their rules say. */
function parseAll(plan: NetworkPlan, state: HostState): Readonly<Record_>[] {
  return networkChanges(plan, state).flatMap(({ run, undo, input }) => [
    parseCommand(run),
    ...undo ? [parseCommand(undo)] : [],
    ...input?.trimEnd().split("\n").map(parseRule) ?? [],
  ]);
}
type Record_ = ReturnType<typeof parseCommand>;

Deno.test("networkChanges() keeps to the documented grammar, for any addresses", () => {
  const ipv4 = fc.tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
    .map((parts) => parts.join("."));
  const ipv6 = fc.nat(0xffff).map((group) => `2001:db8::${group.toString(16)}`);
  const address4 = fc.tuple(ipv4, fc.integer({ min: 8, max: 32 })).map((parts) =>
    prefix(parts.join("/"))
  );
  const address6 = fc.tuple(ipv6, fc.integer({ min: 48, max: 128 })).map((parts) =>
    prefix(parts.join("/"))
  );
  fc.assert(
    fc.property(
      address4,
      address6,
      fc.boolean(),
      fc.option(fc.nat(255)),
      (own4, own6, nat, domain) => {
        const plan: NetworkPlan = {
          ...ROUTER,
          nat: nat && domain === null,
          ...domain !== null && { rdomain: domain },
          addresses: [own4, own6],
          gateways: [],
          routes: [{ destination: prefix("10.99.0.0/16") }, {
            destination: prefix("2001:db8:99::/48"),
          }],
        };
        for (const command of parseAll(plan, OFF)) {
          if (command.destination === undefined || command.program !== "ifconfig") continue;
          assert(command.destination !== command.address, "two ends have two addresses");
        }
      },
    ),
  );
});

Deno.test("networkChanges() takes another host of the network as the other end", () => {
  const networks = [
    "10.44.43.1/24",
    "10.44.43.2/24",
    "10.44.0.1/16",
    "10.44.43.1/30",
    "10.44.43.2/31",
  ];
  for (const own of networks) {
    const network = prefix(own);
    const plan = { ...SERVER, addresses: [network], routes: [] };
    const { destination, netmask } = parseAll(plan, OFF)[1]!;
    const peer = address(destination!);
    assert(peer.isOfHost && network.covers(peer), `${own} ${destination}`);
    assert(destination !== own.split("/")[0]);
    const bits = netmask!.split(".").map((part) => Number(part).toString(2)).join("");
    assertEquals(bits.lastIndexOf("1") + 1, network.length, `${network} ${netmask}`);
  }
});

Deno.test("networkChanges() goes on when the clamp fails, not when the translation does", () => {
  const failed: string[] = [];
  applyChanges(
    networkChanges({ ...ROUTER, ...SERVER, mssClamp: true }, ON),
    () => {},
    (command) => {
      const fails = command.includes("-f");
      if (fails) failed.push(command[0]!);
      return { success: !fails, message: "no such anchor" };
    },
  );
  assertEquals(failed, ["pfctl"]);
  const run = (): { success: boolean; message: string } => ({ success: false, message: "no" });
  const nat = networkChanges(ROUTER, ON).filter(({ run }) => run[0] === "pfctl");
  assertThrows(() => applyChanges(nat, () => {}, run), AggvpnError, "nat-to (egress:0)");
});

Deno.test("networkChanges() says why addresses cannot be translated", () => {
  const cases: readonly [NetworkPlan, HostState, RegExp][] = [
    [ROUTER, { ...OFF, pfEnabled: false }, /pf is off.*pfctl -e/],
    [ROUTER, { ...OFF, hasAnchor: false }, /no anchor "aggvpn\/\*".*pfctl -f \/etc\/pf.conf/],
    [{ ...ROUTER, rdomain: 1 }, OFF, /rdomain 1.*nat-to/],
  ];
  for (const [plan, state, expected] of cases) {
    const error = assertThrows(() => networkChanges(plan, state), AggvpnError);
    assertEquals(expected.test(`${error.message} ${error.hint}`), true, error.message);
  }
});

Deno.test("networkChanges() leaves out a clamp that nothing would use", () => {
  const programs = (state: HostState): string[] =>
    networkChanges({ ...ROUTER, nat: false }, state).map(({ run }) => run[0]!);
  assertEquals(programs(OFF).includes("pfctl"), false);
  assertEquals(programs({ ...ON, hasAnchor: false }).includes("pfctl"), false);
  assertEquals(programs(ON).includes("pfctl"), true);
});

Deno.test("networkChanges() refuses a route without an address of its family", () => {
  const plan = { ...SERVER, routes: [{ destination: prefix("2001:db8:99::/48") }] };
  const error = assertThrows(() => networkChanges(plan, OFF), AggvpnError, "no IPv6 address");
  assertStringIncludes(error.hint!, "tunnel.address6");
});
