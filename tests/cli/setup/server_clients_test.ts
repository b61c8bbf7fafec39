import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatKey } from "../../../src/config/secret.ts";
import {
  openServer,
  type ServerText,
  withClient,
  withoutClient,
} from "../../../src/cli/setup/server_clients.ts";
import { AggvpnError } from "../../../src/errors.ts";

const HEAD = `# A server.
mode = "server"
listen = ["192.0.2.1:5080"]

[tunnel]
address = "10.87.12.1/29"
address6 = "fd00:44::1/64"
`;
const HOME = `
[client.home]
password = "a secret of the test's own"
address = "10.87.12.2"
`;

/** Opens a file with this text, which is removed afterwards. */
function withServer<T>(text: string, body: (server: ServerText) => T): T {
  const directory = Deno.makeTempDirSync();
  try {
    const path = `${directory}/server.toml`;
    Deno.writeTextFileSync(path, text, { mode: 0o600 });
    Deno.writeTextFileSync(`${directory}/office.secret`, "another secret of the test's\n", {
      mode: 0o600,
    });
    return body(openServer(path, () => {}));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("withClient gives a client a key and the next addresses, and keeps the rest", () => {
  const { text, config, key, families } = withServer(
    HEAD + HOME,
    (server) => withClient(server, "van"),
  );
  assertStringIncludes(text, HEAD + HOME);
  assertStringIncludes(text, `password = "${formatKey(key)}"`);
  assertEquals(families.map(({ address }) => `${address}`), ["10.87.12.3/29", "fd00:44::3/64"]);
  assertEquals(families.map(({ gateway }) => `${gateway}`), ["10.87.12.1", "fd00:44::1"]);
  assertEquals(config.clients.map(({ name }) => name), ["home", "van"]);
});

Deno.test("withClient fills the network up, and then says that it is full", () => {
  let text = HEAD + HOME;
  for (const name of ["c3", "c4", "c5", "c6"]) {
    text = withServer(text, (server) => withClient(server, name)).text;
  }
  withServer(
    text,
    (server) => assertThrows(() => withClient(server, "c7"), AggvpnError, "no free address left"),
  );
});

Deno.test("withoutClient removes what withClient has added", () => {
  const { text } = withServer(HEAD + HOME, (server) => withClient(server, "van"));
  assertEquals(withServer(text, (server) => withoutClient(server, "van")).text, HEAD + HOME);
});

Deno.test("withoutClient keeps the secret files of others readable", () => {
  const office = '\n[client.office]\npassword_file = "office.secret"\naddress = "10.87.12.4"\n';
  const { config } = withServer(HEAD + HOME + office, (server) => withoutClient(server, "home"));
  assertEquals(config.clients.map(({ name }) => name), ["office"]);
});

for (
  const [what, text, change, message] of [
    ["a name twice", HEAD + HOME, "+home", "has a client home already"],
    ["an unknown name", HEAD + HOME, "-van", "has no client van"],
    ["the last client", HEAD + HOME, "-home", "home is the only client"],
    [
      "a server without tables",
      HEAD.replace("[tunnel]", 'password = "a secret of the test"\n[tunnel]'),
      "+van",
      "no table of its own yet",
    ],
    [
      "clients in one line",
      `client.home = { password = "a secret of the test", address = "10.87.12.2" }\n${HEAD}`,
      "+van",
      "",
    ],
    [
      "clients in one line",
      `client = { a = { password = "a secret of the test", address = "10.87.12.2" }, ` +
      `b = { password = "b secret of the test", address = "10.87.12.3" } }\n${HEAD}`,
      "-a",
      "not written in a way that can be changed here",
    ],
    [
      "a server without an address",
      HEAD.replace(/^address.*\n/gm, "") + HOME,
      "+van",
      "no tunnel.address",
    ],
  ] as const
) {
  Deno.test(`${change} of ${what} ${message === "" ? "works" : "is refused"}`, () => {
    withServer(text, (server) => {
      const run = (): unknown =>
        change.startsWith("+")
          ? withClient(server, change.slice(1))
          : withoutClient(server, change.slice(1));
      if (message === "") return void run();
      const error = assertThrows(run, AggvpnError, message);
      assert(error.hint !== undefined && !/secret/.test(error.message));
    });
  });
}

Deno.test("openServer refuses the file of a client", () => {
  const text = 'mode = "client"\nserver = "192.0.2.1"\npassword = "a secret of the test"\n' +
    "[link.a]\nport = 5080\n";
  assertThrows(() => withServer(text, () => {}), AggvpnError, "is the file of a client");
});
