import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ReadSecretFile } from "../../src/config/read_secret.ts";
import { parseConfig, type ParseResult } from "../../src/config/parse.ts";
import { address } from "../addresses.ts";
import { KEY, problemLines } from "./samples.ts";

const TOKEN = "visibly-a-fake-token-of-a-test";

function parse(
  lines: string,
  readSecretFile: ReadSecretFile = () => ({ text: TOKEN }),
): ParseResult {
  const text = `mode = "server"\npassword = "${KEY}"\nlisten = "192.0.2.1:5080"\n${lines}
[tunnel]\naddress = "10.44.43.2/30"\n`;
  return parseConfig(text, { file: "home.toml", readSecretFile });
}

Deno.test("metrics and dashboard are for this host alone, unless an address is written", () => {
  const loopback = address("127.0.0.1");
  for (const value of ["9180", '"9180"', '"127.0.0.1:9180"']) {
    const result = parse(`metrics = ${value}\ndashboard = 9181`);
    assertEquals(problemLines(result), [], value);
    assertEquals(result.config!.metrics, { host: loopback, port: 9180 });
    assertEquals(result.config!.dashboard, {
      listen: { host: loopback, port: 9181 },
      control: false,
    });
  }
  assertEquals(parse('metrics = "[::1]:9180"').config!.metrics!.host, address("::1"));
  const { config } = parse("");
  assertEquals([config!.metrics, config!.dashboard], [undefined, undefined]);
});

Deno.test("others than this host are warned of", () => {
  assertEquals(problemLines(parse('metrics = "0.0.0.0:9180"\ndashboard = "[2001:db8::1]:9181"')), [
    "4:1: warning: metrics: other hosts can ask 0.0.0.0:9180, unencrypted, without a password " +
    "(write 9180 for this host only, or have a firewall say who may)",
    "5:1: warning: dashboard: other hosts can ask [2001:db8::1]:9181, unencrypted, and read the " +
    "token on its way (write 9181 for this host only, or have a firewall say who may)",
  ]);
});

Deno.test("what is no address and port is refused, with what was meant", () => {
  const expected =
    'expected a port from 1 to 65535, or an address and a port such as "192.0.2.1:9180"';
  const cases: [string, string][] = [
    ["0", `${expected}, found 0`],
    ["70000", `${expected}, found 70000`],
    ['"localhost:9180"', `${expected}, found "localhost:9180" (did you mean 9180?)`],
    ['":9180"', `${expected}, found ":9180" (did you mean 9180?)`],
    ['"*:9180"', `${expected}, found "*:9180" (did you mean 9180?)`],
    ['"gateway:9180"', `${expected}, found "gateway:9180"`],
    ['"127.0.0.1"', `${expected}, found "127.0.0.1"`],
    ["true", `${expected}, found true`],
  ];
  for (const [value, message] of cases) {
    assertEquals(problemLines(parse(`metrics = ${value}`)), [`4:11: error: metrics: ${message}`]);
  }
  assertEquals(problemLines(parse("metrics = 9180\ndashboard = 9180")), [
    "5:1: error: dashboard: expected another port than that of metrics (write 9181)",
  ]);
});

Deno.test("the dashboard's token may come from a file, and is never shown", () => {
  const lines = 'dashboard = 9181\ndashboard_control = true\ndashboard_token_file = "token"';
  assertEquals(parse(lines, () => ({ text: `${TOKEN}\n` })).config!.dashboard, {
    listen: { host: address("127.0.0.1"), port: 9181 },
    control: true,
    token: TOKEN,
  });
  assertEquals(parse(lines, () => ({ text: KEY })).config!.dashboard!.token, KEY);
  for (const text of ["", "short", `${TOKEN}\n${TOKEN}`, `${TOKEN} `, `${TOKEN}#`, `${TOKEN}ü`]) {
    const [line, ...more] = problemLines(parse(lines, () => ({ text })));
    assertEquals(more, []);
    assertStringIncludes(line!, "dashboard_token_file: expected one line of at least 20 letters");
    assertEquals(line!.includes("visibly"), false);
  }
  assertStringIncludes(
    problemLines(parse(lines, () => ({ error: "token: no such file", hint: "copy it" })))[0]!,
    "token: no such file (make one with: (umask 077 && aggvpn genkey > FILE))",
  );
  const open = problemLines(parse(lines, () => ({ text: TOKEN, warning: "open", hint: "chmod" })));
  assertEquals(open, ["6:1: warning: dashboard_token_file: open (chmod)"]);
});

Deno.test("keys of a dashboard that there is not are warned of", () => {
  assertEquals(problemLines(parse('dashboard_control = true\ndashboard_token_file = "x"')), [
    "4:1: warning: dashboard_control: has no effect without dashboard (remove it)",
    "5:1: warning: dashboard_token_file: has no effect without dashboard (remove it)",
  ]);
});
