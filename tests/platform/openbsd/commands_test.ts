/**
 * Every command and every rule of pf that src/platform/openbsd can make is in the grammar of the
 * manual pages: those of the golden records, of the examples, and for any tunnel on any interface.
 * What makes them is found in the sources, so that none is forgotten.
 */

import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatPrefix, networkOf, parsePrefix } from "../../../src/address.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { networkPlan, tunnelMtu } from "../../../src/io/plan.ts";
import type { ReadCommand } from "../../../src/platform/command_output.ts";
import { awaitAddresses } from "../../../src/platform/openbsd/duplicates.ts";
import {
  hasDefaultRoute,
  type HostState,
  readHostState,
  readMountOptions,
  readRoutingTables,
} from "../../../src/platform/openbsd/host_state.ts";
import { interfaceAddress } from "../../../src/platform/openbsd/ifconfig.ts";
import { closedCommands, readKept } from "../../../src/platform/openbsd/kept_interface.ts";
import { lookup } from "../../../src/platform/openbsd/lookup.ts";
import { networkChanges } from "../../../src/platform/openbsd/network.ts";
import type {
  InterfaceAddress,
  KeptInterface,
  NetworkPlan,
} from "../../../src/platform/platform.ts";
import { parseCommand, parseRule } from "./commands.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway } from "./golden.ts";
import { checkQuery } from "./queries.ts";

/** What the records show. */
interface Collected {
  readonly changes: string[][];
  readonly queries: string[][];
  readonly rules: string[];
}

/** Splits a line that a shell would read. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\(')/g, "$1$2")
  );
}

/** Reads the commands of the golden records: `+`, `-` and `$` change something, `?` asks. */
function readRecords(): Collected {
  const collected: Collected = { changes: [], queries: [], rules: [] };
  const folder = new URL("golden/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    for (const line of Deno.readTextFileSync(new URL(name, folder)).split("\n")) {
      const [, kind, text] = /^([-+$?]) (.*)$/.exec(line) ?? [];
      if (kind === "?") collected.queries.push(text!.split(" "));
      else if (kind !== undefined) readChange(text!, collected);
      else if (/^(match|pass|block|anchor|set)\b/.test(line)) collected.rules.push(line);
    }
  }
  return collected;
}

function readChange(text: string, { changes, rules }: Collected): void {
  const words = wordsOf(text);
  const pipe = words.indexOf("|");
  if (words[0] === "printf") rules.push(...words.slice(2, pipe));
  changes.push(words.slice(pipe + 1));
}

const PREFIX4 = fc.tuple(
  fc.integer({ min: 1, max: 223 }),
  fc.nat(255),
  fc.nat(255),
  fc.nat(255),
  fc.integer({ min: 8, max: 32 }),
).map(([a, b, c, d, length]) => `${a}.${b}.${c}.${d}/${length}`);
const PREFIX6 = fc.tuple(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: 16, max: 128 }))
  .map(([network, host, length]) =>
    formatPrefix(parsePrefix(`2001:db8:${network.toString(16)}::${host.toString(16)}/${length}`)!)
  );

const there = (address: string, peer: string | undefined, anycast: boolean): InterfaceAddress =>
  interfaceAddress(address, peer, anycast)!;
/** An address with another end, unless that is the same one. */
const OWN4 = fc.tuple(PREFIX4, PREFIX4).map(([own, other]) => {
  const peer = other.split("/")[0];
  return there(own, peer === own.split("/")[0] ? undefined : peer, false);
});
const OWN6 = fc.tuple(PREFIX6, fc.boolean()).map(([own, anycast]) =>
  there(own, undefined, anycast)
);
const KEPT: fc.Arbitrary<KeptInterface> = fc.record({
  name: fc.constantFrom("tun0", "tun12"),
  isUp: fc.boolean(),
  rdomain: fc.nat(255),
  mtu: fc.integer({ min: 46, max: 16_384 }),
  addresses: fc.array(fc.oneof(
    OWN4,
    OWN6,
    fc.constant(there("fe80::1/64", undefined, false)),
  )),
});
const NETWORK = fc.oneof(PREFIX4, PREFIX6).map((text) =>
  formatPrefix(networkOf(parsePrefix(text)!))
);
const PLAN: fc.Arbitrary<NetworkPlan> = fc.record({
  mtu: fc.integer({ min: 576, max: 1500 }),
  own4: PREFIX4,
  own6: PREFIX6,
  routes: fc.array(fc.oneof(NETWORK, fc.constantFrom("default", "0.0.0.0/0", "::/0"))),
  rdomain: fc.option(fc.nat(255), { nil: undefined }),
  kept: fc.option(KEPT, { nil: undefined }),
  nat: fc.boolean(),
  mssClamp: fc.boolean(),
}).map(({ own4, own6, routes, kept, rdomain, nat, ...rest }) => ({
  ...rest,
  interface: kept?.name ?? "tun0",
  addresses: [own4, own6],
  gateways: [],
  routes: routes.map((destination) => ({ destination })),
  links: [],
  ...rdomain !== undefined && { rdomain },
  ...kept !== undefined && { kept },
  // It is refused in another domain.
  nat: nat && !(rdomain ?? kept?.rdomain),
}));
const SWITCH = fc.constantFrom("0", "1", "2", undefined);
const STATE: fc.Arbitrary<HostState> = fc.record({
  forwarding: fc.record({ ipv4: SWITCH, ipv6: SWITCH }),
  pfEnabled: fc.constant(true),
  hasAnchor: fc.constant(true),
});

/** Every command of a tunnel from its start to its end, and every rule. */
function changesOf(plan: NetworkPlan, state: HostState): Omit<Collected, "queries"> {
  const changes = networkChanges(plan, state);
  return {
    changes: [
      ...changes.flatMap(({ run, undo }) => undo ? [[...run], [...undo]] : [[...run]]),
      ...(plan.kept ? closedCommands(plan.kept) : []),
    ],
    rules: changes.flatMap(({ input }) => input?.trimEnd().split("\n") ?? []),
  };
}

/** Asks a host everything there is to ask. */
async function queriesOf(): Promise<string[][]> {
  const queries: string[][] = [];
  const ask: ReadCommand = (command) => {
    queries.push([...command]);
    return { success: true, output: "192.0.2.1 vpn.example.net\n" };
  };
  readHostState(ask);
  readRoutingTables(ask);
  readMountOptions(ask, "/usr/local/bin/deno");
  for (const name of [undefined, "tun0"]) readKept(ask, name);
  for (const family of [4, 6] as const) hasDefaultRoute(ask, 7, family);
  const run = (command: readonly string[]) => Promise.resolve(ask(command));
  const plan: NetworkPlan = {
    interface: "tun0",
    mtu: 1400,
    addresses: ["2001:db8::1/64"],
    gateways: [],
    routes: [],
    links: [],
    nat: false,
    mssClamp: false,
  };
  await awaitAddresses(run, plan);
  await lookup(new FakeLibc(gateway(new FakeWorld())), run, "vpn.example.net", 255);
  return queries;
}

Deno.test("every command and rule of the golden records is in the grammar", () => {
  const { changes, queries, rules } = readRecords();
  // A record of the sandbox runs programs of the host in their place.
  const own = changes.filter(([program]) => program !== "true" && program !== "/bin/sh");
  for (const command of own) parseCommand(command);
  for (const query of queries) checkQuery(query);
  for (const rule of rules) parseRule(rule);
  assertEquals(
    [...new Set(own.map(([program]) => program))].sort(),
    ["ifconfig", "pfctl", "route", "sysctl"],
  );
  assertGreater(rules.filter((rule) => rule.includes("nat-to")).length, 1);
  assertGreater(rules.filter((rule) => rule.includes("max-mss")).length, 1);
});

Deno.test("every command and rule for any tunnel on any interface is in the grammar", () => {
  fc.assert(fc.property(PLAN, STATE, (plan, state) => {
    const { changes, rules } = changesOf(plan, state);
    for (const command of changes) parseCommand(command);
    for (const rule of rules) parseRule(rule);
  }));
});

const KEY_LINE = `password = "not a real password, only long enough"`;
/** What the examples do not have: clients whose addresses are not those of the tunnel. */
const FAR_CLIENTS = `mode = "server"
listen = ["0.0.0.0:5080"]

[tunnel]
interface = "tun0"
address = "10.44.43.1/24"
address6 = "2001:db8:44::1/64"

[client.far]
${KEY_LINE}
address = "198.51.100.7"
address6 = "2001:db8:7::7"
routes = ["203.0.113.0/24", "2001:db8:9::/48"]
`;

Deno.test("every command and rule for the configurations of the examples is in the grammar", () => {
  const names = [...Deno.readDirSync("examples")].filter(({ isFile }) => isFile)
    .map(({ name }) => name).filter((name) => name.endsWith(".toml"));
  const files = [...names, "openbsd/client.toml", "openbsd/server.toml"];
  const texts = files.map((name) => Deno.readTextFileSync(`examples/${name}`));
  assertGreater(texts.length, 4);
  for (const text of [...texts, FAR_CLIENTS]) {
    const { config, problems } = parseConfig(text, {
      file: "/etc/aggvpn/test.toml",
      readSecretFile: (path) => ({ text: `not a real password, that of ${path}` }),
    });
    assert(config, JSON.stringify(problems));
    const families = config.mode === "client" ? config.links.map(() => 4 as const) : [4 as const];
    const plan = networkPlan(config, "tun0", tunnelMtu(config, families), families);
    const forwarding = { ipv4: "1", ipv6: "1" };
    const { changes, rules } = changesOf(plan, { forwarding, pfEnabled: true, hasAnchor: true });
    for (const command of changes) parseCommand(command);
    for (const rule of rules) parseRule(rule);
    assertGreater(changes.length, 2);
  }
});

Deno.test("everything that a host is asked is in the grammar", async () => {
  for (const query of await queriesOf()) checkQuery(query);
});

/** A command in the sources, as a pattern of what it can become. */
function patternOf(words: string): RegExp {
  const parts = words.split(/,\s*/).map((word) => {
    if (word.startsWith("...")) return "(?: \\S+)*";
    const literal = /^"([^"]*)"$/.exec(word)?.[1];
    return ` ${literal === undefined ? "\\S+" : RegExp.escape(literal)}`;
  });
  return new RegExp(`^${parts.join("").slice(1)}$`);
}

Deno.test("no command of the sources is missing in what these tests collect", async () => {
  const folder = new URL("../../../src/platform/openbsd/", import.meta.url);
  const patterns: RegExp[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    const text = Deno.readTextFileSync(new URL(name, folder));
    const literals = text.matchAll(/\["(?:ifconfig|route|pfctl|sysctl|netstat|mount)"[^\]]*\]/g);
    for (const [literal] of literals) patterns.push(patternOf(literal.slice(1, -1)));
  }
  assertGreater(patterns.length, 10);
  const { changes, queries } = readRecords();
  const collected = [...changes, ...queries, ...await queriesOf()].map((words) => words.join(" "));
  const missing = patterns.filter((pattern) => !collected.some((line) => pattern.test(line)));
  assertEquals(missing, []);
});

Deno.test("the grammar refuses what the manual pages do not know", () => {
  const refused = [
    "ifconfig tun00 up",
    "ifconfig tun1234567890123 up",
    "ifconfig egress up",
    "ifconfig tun0",
    "ifconfig tun0 inet",
    "ifconfig tun0 up up",
    "ifconfig tun0 mtu 45",
    "ifconfig tun0 mtu 16385",
    "ifconfig tun0 mtu 01400",
    "ifconfig tun0 mtu",
    "ifconfig tun0 rdomain 256",
    "ifconfig tun0 rdomain -1",
    "ifconfig tun0 delete",
    "ifconfig tun0 inet alias 10.0.0.1 delete",
    "ifconfig tun0 inet 10.0.0.1 netmask 255.0.0.0 delete",
    "ifconfig tun0 inet 10.0.0.1",
    "ifconfig tun0 inet 10.0.0.1 10.0.0.2",
    "ifconfig tun0 inet 10.0.0.1 10.0.0.1 netmask 255.0.0.0",
    "ifconfig tun0 inet 10.0.0.1 netmask 255.0.255.0",
    "ifconfig tun0 inet 10.0.0.1 prefixlen 33",
    "ifconfig tun0 inet 10.0.0.1/8",
    "ifconfig tun0 inet 2001:db8::1 prefixlen 64",
    "ifconfig tun0 inet 10.0.0.1 netmask 255.0.0.0 anycast",
    "ifconfig tun0 inet6 2001:db8::1 prefixlen 129",
    "ifconfig tun0 inet6 2001:db8::1 netmask 255.0.0.0",
    "ifconfig tun0 inet6 2001:db8::1 2001:db8::2 prefixlen 64",
    "ifconfig tun0 inet6 anycast",
    "ifconfig tun0 eui64",
    "ifconfig tun0 inet6 -inet6",
    "route -n -T 256 add -inet 10.0.0.0/8 10.0.0.1",
    "route -n -T add -inet 10.0.0.0/8 10.0.0.1",
    "route -n add 10.0.0.0/8 10.0.0.1",
    "route -n add -inet 10.0.0.1/8 10.0.0.1",
    "route -n add -inet 10.0.0 10.0.0.1",
    "route -n add -inet default 10.0.0.1",
    "route -n add -inet 10.0.0.0/8",
    "route -n add -inet 10.0.0.0/8 2001:db8::1",
    "route -n add -inet6 10.0.0.0/8 10.0.0.1",
    "route -n change -inet 10.0.0.0/8 10.0.0.1",
    "route -n add -inet 10.0.0.0/8 10.0.0.1 10.0.0.2",
    "pfctl -q -f -",
    "pfctl -q -a _aggvpn -f -",
    "pfctl -q -a aggvpn/_x -f -",
    "pfctl -q -a aggvpn/ -f -",
    "pfctl -q -a aggvpn -f rules",
    "pfctl -q -a aggvpn -F rule",
    "sysctl -q net.inet.ip6.forwarding=1",
    "sysctl -q net.inet.ip.forwarding=3",
    "sysctl -q net.inet.ip.forwarding",
    "netstat -R",
  ];
  for (const line of refused) assertThrows(() => parseCommand(line.split(" ")), Error, "", line);
  const rules = [
    "match on egress inet from 10.0.0.0/8 to any nat-to (egress:0)",
    "match out on egress from 10.0.0.0/8 to any nat-to (egress:0)",
    "match out on egress inet from 10.0.0.1/8 to any nat-to (egress:0)",
    "match out on egress inet from 2001:db8::/32 to any nat-to (egress:0)",
    "match out on egress inet from 10.0.0.0/8 nat-to (egress:0)",
    "match out on egress inet from 10.0.0.0/8 to any nat-to egress:0",
    "match out on egress1234567890 inet from 10.0.0.0/8 to any nat-to (egress:0)",
    "match on tun0 inet all scrub (max-mss 1360)",
    "match on tun0 inet proto udp all scrub (max-mss 1360)",
    "match on tun0 proto tcp inet all scrub (max-mss 1360)",
    "match on tun0 inet proto tcp all scrub (max-mss 65536)",
    "match on tun0 inet proto tcp all scrub (max-mss 0)",
    "match on tun0 inet proto tcp all scrub (max-mss -4)",
    "match on tun0 inet proto tcp all scrub max-mss 1360",
    "match on tun0 inet proto tcp scrub (max-mss 1360)",
    "match on tun0 inet proto tcp all scrub (max-mss 1360) quick",
    "pass on tun0 inet proto tcp all scrub (max-mss 1360)",
    "match on tun0 inet proto tcp all",
  ];
  for (const rule of rules) assertThrows(() => parseRule(rule), Error, "", rule);
  const queries = [
    "ifconfig tun0 up",
    "ifconfig",
    "route -n -T 256 show -inet",
    "route -T 1 exec getent hosts -x",
    "pfctl -s all",
    "netstat",
  ];
  for (const line of queries) assertThrows(() => checkQuery(line.split(" ")), Error, "", line);
});
