import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseAddress, parsePrefix } from "../../src/address.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { addClient, type NewClient, removeClient } from "../../src/setup/client_tables.ts";

const CLIENT: NewClient = {
  name: "van",
  password: "not a secret, only a test",
  families: [
    { address: parsePrefix("10.87.12.3/24")!, gateway: parseAddress("10.87.12.1")! },
    { address: parsePrefix("fd00:44:1::3/64")!, gateway: parseAddress("fd00:44:1::1")! },
  ],
};

const HEAD = `# The server.
mode = "server" # here
listen = ["192.0.2.1:5080"]

[tunnel]
address = "10.87.12.1/24"

# Clients:
`;
const HOME = `
# At home.
[client.home]
password = "a secret of the test's own"
address = "10.87.12.2"
# routes = ["192.168.7.0/24"]
`;
const RULE = `
# Rules come last.
[[rule]]
protocol = "icmp"
`;

Deno.test("addClient puts a table behind those of other clients, and leaves the rest as it is", () => {
  const text = addClient(HEAD + HOME + RULE, CLIENT)!;
  assertEquals(
    text,
    HEAD + HOME + `
[client.van]
password = "not a secret, only a test"
address = "10.87.12.3"
address6 = "fd00:44:1::3"
` + RULE,
  );
  const { config } = parseConfig(text, { file: "x.toml" });
  assert(config?.mode === "server");
  assertEquals(config.clients.map(({ name }) => name), ["home", "van"]);
});

Deno.test("addClient adds at the end of a file without clients", () => {
  const text = addClient(HEAD.trimEnd(), CLIENT)!;
  assertStringIncludes(text, "# Clients:\n\n[client.van]\n");
});

Deno.test("addClient and removeClient leave a file that cannot be read alone", () => {
  assertEquals(addClient("mode = server\n", CLIENT), undefined);
  assertEquals(removeClient("[client.van\n", "van"), undefined);
});

Deno.test("removeClient takes a table with the comments right at it, and nothing else", () => {
  assertEquals(removeClient(HEAD + HOME + RULE, "home"), HEAD + RULE);
  assertEquals(removeClient(HEAD + HOME, "home"), HEAD);
  assertEquals(removeClient(HEAD + HOME, "van"), undefined);
});

Deno.test("removeClient takes tables with quoted names and spaces, wherever they are", () => {
  const own = '\n[ client . "van" ]\npassword = "x"\n\n[client.van.more]\nx = 1\n';
  assertEquals(removeClient(HEAD + own + HOME, "van"), HEAD + HOME);
});

Deno.test("removeClient undoes addClient, whatever is around", () => {
  const piece = fc.constantFrom(HOME, RULE, HOME.replaceAll("home", "office"), "\n# note\n\n");
  fc.assert(fc.property(fc.uniqueArray(piece), (pieces) => {
    const text = `${(HEAD + pieces.join("")).trimEnd()}\n`;
    assertEquals(removeClient(addClient(text, CLIENT)!, "van"), text);
  }));
});
