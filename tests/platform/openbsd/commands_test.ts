/**
 * Every command and every rule of pf that src/platform/openbsd can make is in the grammar of the
 * manual pages: those of the golden records, of the examples, and for any tunnel on any interface.
 * The code that makes them is found in the sources, so that none is forgotten.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { parseConfig } from "../../../src/config/parse.ts";
import { networkPlan, tunnelMtu } from "../../../src/daemon/plan.ts";
import type { ReadCommand } from "../../../src/platform/command_output.ts";
import { awaitAddresses } from "../../../src/platform/openbsd/duplicates.ts";
import {
  hasDefaultRoute,
  hasResolvd,
  type HostState,
  readDefaultMtu,
  readHostState,
  readMountOptions,
  readRoutes,
  readRoutingTables,
} from "../../../src/platform/openbsd/host_state.ts";
import { closedCommands, readKept } from "../../../src/platform/openbsd/kept_interface.ts";
import { leakGuardChange, readGuarded } from "../../../src/platform/openbsd/leak_guard.ts";
import { lookup } from "../../../src/platform/openbsd/lookup.ts";
import { networkChanges } from "../../../src/platform/openbsd/network.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import { prefix } from "../../addresses.ts";
import { ANY_PLAN, ANY_STATE } from "./any_tunnel.ts";
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
      else if (/^(match|pass|block|table|anchor|set)\b/.test(line)) collected.rules.push(line);
    }
  }
  return collected;
}

function readChange(text: string, { changes, rules }: Collected): void {
  const words = wordsOf(text);
  const pipe = words.indexOf("|");
  if (words[0] === "printf" && words[pipe + 1] === "pfctl") rules.push(...words.slice(2, pipe));
  changes.push(words.slice(pipe + 1));
}

/** Every command of a tunnel from its start to its end, and every rule. */
function changesOf(plan: NetworkPlan, state: HostState): Omit<Collected, "queries"> {
  const changes = networkChanges(plan, state);
  const later = changes.flatMap(({ atMtu }) => atMtu ? [atMtu(1280)] : []);
  for (const { look } of changes) if (look) checkQuery(look.run);
  return {
    changes: [
      ...changes.flatMap(({ run, undo }) => undo ? [[...run], [...undo]] : [[...run]]),
      ...later.map(({ run }) => [...run]),
      ...(plan.kept ? closedCommands(plan.kept) : []),
    ],
    rules: [...changes, ...later].filter(({ run }) => run[0] === "pfctl")
      .flatMap(({ input }) => input?.trimEnd().split("\n") ?? []),
  };
}

/** Asks a host everything there is to ask. */
const ANY_ROUTER: NetworkPlan = {
  interface: "tun0",
  mtu: 1400,
  addresses: [],
  gateways: [],
  routes: [],
  links: [],
  nat: true,
  mssClamp: true,
};

async function queriesOf(): Promise<string[][]> {
  const queries: string[][] = [];
  const ask: ReadCommand = (command) => {
    queries.push([...command]);
    const isRoute = command[0] === "route" && command.at(-1) === "-inet";
    const output = isRoute ? "default 192.0.2.1 UGS 5 1 - 8 em0\n" : "192.0.2.1 vpn.example.net\n";
    return { success: true, output };
  };
  readHostState(ask);
  readRoutingTables(ask);
  readMountOptions(ask, "/usr/local/bin/deno");
  for (const name of [undefined, "tun0"]) readKept(ask, name);
  for (const family of [4, 6] as const) hasDefaultRoute(ask, 7, family);
  readDefaultMtu(ask, 7, 4);
  readRoutes(ask, 7);
  const forwarding = { ipv4: "0", ipv6: "0" };
  const router = { ...ANY_ROUTER, addresses: [prefix("10.44.43.1/30"), prefix("2001:db8::1/64")] };
  for (const { look } of networkChanges(router, { forwarding, pfEnabled: true, hasAnchor: true })) {
    if (look) ask(look.run);
  }
  const run = (command: readonly string[]) => Promise.resolve(ask(command));
  const plan: NetworkPlan = {
    interface: "tun0",
    mtu: 1400,
    addresses: [prefix("2001:db8::1/64")],
    gateways: [],
    routes: [],
    links: [],
    nat: false,
    mssClamp: false,
  };
  hasResolvd(ask);
  const read = await readGuarded(run);
  leakGuardChange(
    { name: "home", remotes: [], uplinks: [], asksNames: true },
    (command) =>
      command[0] === "pfctl"
        ? { success: true, output: 'Status: Enabled\nanchor "aggvpn/*" all\n' }
        : read(command),
  );
  await awaitAddresses(run, plan);
  await lookup(new FakeLibc(gateway(new FakeWorld())), run, "vpn.example.net", 255);
  return queries;
}

Deno.test("every command and rule of the golden records is in the grammar", () => {
  const { changes, queries, rules } = readRecords();
  // The record of the sandbox runs programs of the host instead.
  const own = changes.filter(([program]) => program !== "true" && program !== "/bin/sh");
  for (const command of own) parseCommand(command);
  for (const query of queries) checkQuery(query);
  for (const rule of rules) parseRule(rule);
  assertEquals(
    [...new Set(own.map(([program]) => program))].sort(),
    ["cp", "ifconfig", "pfctl", "rm", "route", "sysctl", "tee"],
  );
  assertGreater(rules.filter((rule) => rule.includes("nat-to")).length, 1);
  assertGreater(rules.filter((rule) => rule.includes("max-mss")).length, 1);
});

Deno.test("every command and rule for any tunnel on any interface is in the grammar", () => {
  fc.assert(fc.property(ANY_PLAN, ANY_STATE, (plan, state) => {
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
