import { assertEquals } from "@std/assert";
import { parseConfig } from "../../src/config/parse.ts";
import type { Config } from "../../src/config/config.ts";
import { type Difference, differenceOf } from "../../src/daemon/difference.ts";

const CLIENT = `
mode = "client"
server = "192.0.2.1:5080"
password = "correct horse battery staple"
[tunnel]
address = "10.44.43.2/30"
[link.dsl]
interface = "eth1"
[link.lte]
interface = "wwan0"
tier = "backup"
`;
const SERVER = `
mode = "server"
listen = "192.0.2.1:5080"
[tunnel]
address = "10.44.43.1/24"
[client.ann]
password = "correct horse battery ann"
address = "10.44.43.2"
[client.bob]
password = "correct horse battery bob"
address = "10.44.43.3"
`;

function parse(text: string): Config {
  const { config, problems } = parseConfig(text, {
    file: "home.toml",
    readSecretFile: () => ({ error: "none", hint: "" }),
  });
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}

/** What is different when `from` becomes `to` in the text. */
function change(text: string, from: string, to: string): Difference {
  if (!text.includes(from)) throw new Error(`"${from}" is not in the text`);
  return differenceOf(parse(text), parse(text.replace(from, to)));
}

Deno.test("differenceOf() finds nothing in a file that was only written anew", () => {
  for (const text of [CLIENT, SERVER]) {
    const same = change(text, "\n[tunnel]", "\n# a comment\n\n[tunnel]");
    assertEquals([same.words, same.restart, same.policy], [[], [], false]);
  }
});

const APPLIED: [what: string, text: string, from: string, to: string, words: string[]][] = [
  [
    "a client more",
    SERVER,
    "[client.bob]",
    '[client.eve]\npassword = "correct horse battery eve"\naddress = "10.44.43.9"\n[client.bob]',
    ["client eve added"],
  ],
  ["a client less", SERVER, SERVER.slice(SERVER.indexOf("[client.bob]")), "", [
    "client bob removed",
  ]],
  ["a password", SERVER, "battery bob", "battery rob", ["client bob: password"]],
  ["an address", SERVER, "10.44.43.3", "10.44.43.4", ["client bob: addresses"]],
  ["listen", SERVER, "192.0.2.1:5080", "192.0.2.1:5081", [
    "listen address 192.0.2.1:5080 removed",
    "listen address 192.0.2.1:5081 added",
  ]],
  ["a tier", CLIENT, 'tier = "backup"', 'tier = "overflow"', ["link lte: tier"]],
  ["a bandwidth", CLIENT, 'tier = "backup"', 'tier = "backup"\nbandwidth_upload = "5 Mbit/s"', [
    "link lte: bandwidth_upload",
  ]],
  ["an interface", CLIENT, '"eth1"', '"eth2"', ["link dsl: replaced, since its way is another"]],
  ["a link more", CLIENT, "[link.lte]", '[link.dsl2]\ninterface = "eth2"\n[link.lte]', [
    "link dsl2 added",
  ]],
  ["a link less", CLIENT, '[link.dsl]\ninterface = "eth1"\n', "", ["link dsl removed"]],
  ["the log", CLIENT, "[tunnel]", 'log_level = "debug"\n[tunnel]', ["log_level"]],
  ["what clients are told", SERVER, "[tunnel]", 'public_address = "a.example"\n[tunnel]', [
    "public_address",
  ]],
  ["routes", CLIENT, "[link.dsl]", 'routes = ["10.9.0.0/16"]\n[link.dsl]', ["tunnel.routes"]],
  ["a schedule", CLIENT, "[link.dsl]", 'schedule = "steady"\n[link.dsl]', ["tunnel.schedule"]],
  ["a hook", CLIENT, "[link.dsl]", 'down = "true"\n[link.dsl]', ["tunnel.down"]],
  ["rules", CLIENT, "[link.dsl]", '[[rule]]\nprotocol = "udp"\nclass = "bulk"\n[link.dsl]', [
    "rules",
  ]],
];

for (const [what, text, from, to, words] of APPLIED) {
  Deno.test(`differenceOf() names ${what}, which needs no restart`, () => {
    const difference = change(text, from, to);
    assertEquals([difference.words, difference.restart], [words, []]);
  });
}

const RESTART: [text: string, from: string, to: string, keys: string[]][] = [
  [CLIENT, "10.44.43.2/30", "10.44.43.6/30", ["tunnel.address"]],
  [CLIENT, "horse", "house", ["password"]],
  [CLIENT, "[link.dsl]", "mtu = 1300\nmss_clamp = false\n[link.dsl]", [
    "tunnel.mtu",
    "tunnel.mss_clamp",
  ]],
  [CLIENT, "[tunnel]", 'name = "other"\n[tunnel]', ["name", "control"]],
  [SERVER, "[tunnel]", "sandbox = false\n[tunnel]", ["sandbox"]],
];

for (const [text, from, to, keys] of RESTART) {
  Deno.test(`differenceOf() says that ${keys.join(" and ")} needs a restart`, () => {
    assertEquals(change(text, from, to).restart.toSorted(), keys.toSorted());
  });
}

Deno.test("differenceOf() of another mode needs a restart", () => {
  assertEquals(differenceOf(parse(CLIENT), parse(SERVER)).restart, ["mode"]);
});
