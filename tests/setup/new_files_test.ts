import { assert, assertEquals } from "@std/assert";
import { parseAddress, parsePrefix } from "../../src/address.ts";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { formatKey } from "../../src/config/secret.ts";
import { spansOf } from "./spans.ts";
import type { Invitation } from "../../src/setup/invitation.ts";
import { clientFile, serverFile } from "../../src/setup/new_files.ts";

const KEY = new Uint8Array(32).fill(7);
const FAMILIES = [
  { address: parsePrefix("10.87.12.2/24")!, gateway: parseAddress("10.87.12.1")! },
  { address: parsePrefix("fd00:44:1::2/64")!, gateway: parseAddress("fd00:44:1::1")! },
];
const INVITATION: Invitation = {
  name: "home",
  key: KEY,
  servers: [{ host: parseAddress("2001:db8::1")!, port: 5080 }],
  families: FAMILIES,
};

function read(text: string): Config {
  const { config, problems } = parseConfig(text, { file: "x.toml" });
  assertEquals(problems, []);
  for (const line of text.split("\n")) assert(line.length <= 80, line);
  return config!;
}

Deno.test("serverFile writes a file without problems, with a table of its first client", () => {
  const text = serverFile({
    publicAddress: { host: "vpn.example.net", port: 5080 },
    listen: [{ host: parseAddress("::")!, port: 5080 }],
    interface: "agg0",
    addresses: [parsePrefix("10.87.12.1/24")!, parsePrefix("fd00:44:1::1/64")!],
    nat: true,
    client: { name: "home", password: formatKey(KEY), families: FAMILIES },
  });
  const config = read(text);
  assert(config.mode === "server");
  assertEquals(config.publicAddress, { host: "vpn.example.net", port: 5080 });
  assertEquals(config.clients.map(({ name, secret }) => [name, secret.key]), [["home", KEY]]);
  assertEquals(config.clients[0]!.allowed.join(), "10.87.12.2/32,fd00:44:1::2/128");
  assertEquals(spansOf(text), ["tunnel", "client.home"]);
});

Deno.test("clientFile writes a file without problems, with links by themselves or in tables", () => {
  const common = { invitation: INVITATION, interface: "agg0", routes: ["default"] };
  const auto = read(clientFile({ ...common, links: undefined }));
  assert(auto.mode === "client");
  assertEquals(auto.secret.key, KEY);
  assertEquals([`${auto.tunnel.address}`, `${auto.tunnel.gateway6}`], [
    "10.87.12.2/24",
    "fd00:44:1::1",
  ]);
  assertEquals(auto.linksExclude !== undefined, true);
  const tables = read(clientFile({
    ...common,
    invitation: {
      ...INVITATION,
      servers: [{ host: "a.example.net", port: 1 }, { host: "b.example.net", port: 2 }],
    },
    routes: [],
    links: [{ name: "eth1", interface: "eth1" }, { name: "em0", rdomain: 1 }],
  }));
  assert(tables.mode === "client");
  assertEquals(tables.servers, ["a.example.net", "b.example.net"]);
  assertEquals(tables.links.map((link) => link.interface ?? link.rdomain), ["eth1", 1]);
});
