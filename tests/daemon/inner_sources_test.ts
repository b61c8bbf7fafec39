import { assertEquals } from "@std/assert";
import type { ClientModeConfig, ServerModeConfig } from "../../src/config/config.ts";
import { clientSources, ownAddresses, serverSources } from "../../src/daemon/inner_sources.ts";
import { KEY, parse, problemLines } from "../config/samples.ts";

const LINKS = '[link.a]\nremote = "192.0.2.1:5080"\n';

function client(tunnel: string): ClientModeConfig {
  const result = parse(`mode = "client"\npassword = "${KEY}"\n[tunnel]\n${tunnel}\n${LINKS}`);
  assertEquals(problemLines(result).filter((line) => line.includes("error")), []);
  return result.config as ClientModeConfig;
}

function server(tunnel: string, clients = ""): ServerModeConfig {
  const secret = clients === "" ? `password = "${KEY}"\n` : "";
  const text = `mode = "server"\nlisten = ["192.0.2.1:5080"]\n${secret}[tunnel]\n${tunnel}\n`;
  const result = parse(text + clients);
  assertEquals(problemLines(result).filter((line) => line.includes("error")), []);
  return result.config as ServerModeConfig;
}

/** Sources of the first client, as text. */
function sourcesOf(config: ServerModeConfig): string[] {
  return clientSources(config, config.clients[0]!).map(String);
}

const ADDRESS = 'address = "10.44.43.1/30"';
const ADDRESS6 = 'address6 = "fd44::1/64"';

Deno.test("a client takes what comes from the tunnel's network and from where it routes", () => {
  assertEquals(serverSources(client(ADDRESS)).map(String), ["10.44.43.0/30"]);
  assertEquals(
    serverSources(client(`${ADDRESS}\n${ADDRESS6}\nroutes = ["10.99.0.0/16"]`)).map(String),
    ["10.44.43.0/30", "fd44::/64", "fe80::/10", "10.99.0.0/16"],
  );
  assertEquals(
    serverSources(client(`${ADDRESS}\n${ADDRESS6}\nroutes = ["default"]`)).map(String).slice(3),
    ["0.0.0.0/0", "::/0"],
  );
});

Deno.test("tunnel.sources adds networks that scripts route, and default means any address", () => {
  const more = `${ADDRESS}\nsources = ["198.51.100.0/24"]`;
  assertEquals(serverSources(client(more)).map(String), ["10.44.43.0/30", "198.51.100.0/24"]);
  const any = serverSources(client(`${ADDRESS}\nsources = ["default"]`)).map(String);
  assertEquals(any, ["10.44.43.0/30", "0.0.0.0/0", "::/0"]);
});

Deno.test("without an address in the file a script sets the network, so any source will do", () => {
  assertEquals(serverSources(client('up = "/etc/aggvpn/up.sh"')), []);
  assertEquals(sourcesOf(server('up = "/etc/aggvpn/up.sh"')), []);
});

Deno.test("a server's only client may use the tunnel's network and what is routed to it", () => {
  const routed = `${ADDRESS}\nroutes = ["192.168.7.0/24"]`;
  assertEquals(sourcesOf(server(routed)), ["10.44.43.0/30", "192.168.7.0/24"]);
  const networks = '[client.home]\npassword = "' + KEY + '"\nroutes = ["192.168.8.0/24"]\n';
  assertEquals(
    sourcesOf(server(routed, networks)),
    ["10.44.43.0/30", "192.168.8.0/24", "192.168.7.0/24"],
  );
  const placed = networks + 'address = "10.44.43.2"\n';
  assertEquals(
    sourcesOf(server(routed, placed)),
    ["10.44.43.2/32", "192.168.8.0/24", "192.168.7.0/24"],
  );
});

Deno.test("of several clients each may use its own addresses only", () => {
  const two = `[client.a]\npassword = "${KEY}"\naddress = "10.44.43.2"\n` +
    '[client.b]\npassword = "another pass phrase"\naddress = "10.44.43.3"\n';
  const config = server('address = "10.44.43.1/24"\nroutes = ["192.168.7.0/24"]', two);
  assertEquals(sourcesOf(config), ["10.44.43.2/32"]);
});

Deno.test("ownAddresses() are those of the tunnel interface", () => {
  const config = client(`${ADDRESS}\n${ADDRESS6}`);
  assertEquals(ownAddresses(config).map(String), ["10.44.43.1/32", "fd44::1/128"]);
});
