import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { MLVPN_KEYS } from "../../../src/config/schema.ts";
import { importMlvpn } from "../../../src/setup/mlvpn/import.ts";
import { cpuMs } from "../../cpu_time.ts";
import { meaningOf } from "../../docs/configurations.ts";
import { DOMAINS_CLIENT, DOMAINS_SERVER, FULL } from "./samples.ts";

/** What a configuration of the result says; there must be no error in it. */
function imported(text: string): { config: Config; text: string } {
  const result = importMlvpn(text);
  assertEquals(result.problems, []);
  const { config, problems } = parseConfig(result.text, { file: "mlvpn.toml" });
  assert(config, JSON.stringify(problems) + result.text);
  return { config, text: result.text };
}

function client(text: string): Extract<Config, { mode: "client" }> {
  const { config } = imported(text);
  assert(config.mode === "client");
  return config;
}

Deno.test("importMlvpn makes the guide's configurations of the files they come from", () => {
  const common = { secret: { password: "a phrase that both ends know" }, control: "", name: "" };
  const script = "/etc/mlvpn/mlvpn_updown.sh";
  for (const [file, example] of [[DOMAINS_CLIENT, "client"], [DOMAINS_SERVER, "server"]] as const) {
    const expected = meaningOf({ example: `openbsd/${example}.toml` }) as Config;
    const { config } = imported(file);
    const alike = (config: Config): unknown => ({
      ...config,
      ...common,
      file: "",
      statusCommand: script,
      // The guide uses nat = true, where mlvpn's article has rules of pf.
      tunnel: { ...config.tunnel, nat: false, gateway: undefined },
      ...config.mode === "server" && { clients: config.clients.map(({ name }) => name) },
    });
    assertEquals(alike(config), alike(expected));
    assertEquals(config.statusCommand, script);
  }
});

Deno.test("importMlvpn takes every option of mlvpn over, or says what became of it", () => {
  const { config, text } = imported(FULL);
  assert(config.mode === "client");
  const { tunnel } = config;
  assertEquals(
    [tunnel.interface, tunnel.address, tunnel.address6, tunnel.gateway, tunnel.gateway6].join(),
    "mlvpn7,10.42.43.1/30,fd00:42::1/64,10.42.43.2,fd00:42::2",
  );
  assertEquals(tunnel.routes.join(), "198.51.100.0/24,10.8.0.0/16,2001:db8:8::/48");
  assertEquals(
    config.links.map(({ name, bind, localPort, rdomain, options }) => ({
      name,
      bind: bind && `${bind}`,
      localPort,
      rdomain,
      tier: options.tier,
      maxLoss: options.maxLoss,
      maxLatencyUs: options.maxLatencyUs,
    })),
    [
      {
        name: "dsl1",
        bind: "198.51.100.2",
        localPort: 5082,
        rdomain: undefined,
        tier: "primary",
        maxLoss: 0.1,
        maxLatencyUs: 400_000,
      },
      {
        name: "wifi",
        bind: undefined,
        localPort: undefined,
        rdomain: undefined,
        tier: "primary",
        maxLoss: 0.3,
        maxLatencyUs: undefined,
      },
      {
        name: "lte",
        bind: undefined,
        localPort: undefined,
        rdomain: 3,
        tier: "backup",
        maxLoss: 0.1,
        maxLatencyUs: 400_000,
      },
    ],
  );
  assertEquals(
    config.rules.map(({ protocol, ports, destination, links }) =>
      [protocol, ports, destination ?? "", links].join(" ")
    ),
    ["udp 5060  dsl1,wifi", "tcp 25 203.0.113.0/24 wifi"],
  );
  const used = new Set([...FULL.matchAll(/^(\w+) = /gm)].map(([, key]) => key!));
  for (const key of ["dsl1", "wifi"]) used.delete(key);
  const placed: Record<string, string> = { ...MLVPN_KEYS, remotehost: "server" };
  const missing = [...used].filter((key) => !text.includes(placed[key] ?? key));
  assertEquals(missing, []);
});

/** An option of a link or of `[general]` that the two files of a client may have besides. */
const MORE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(MLVPN_KEYS).map((key) => [key, '"77"'])),
  binddev: '"eth7"',
  quota: "300",
  loglevel: "4",
  bandwidth_download: "9",
  no_such_option: "1",
  "\ttimeout": "3",
};

Deno.test("importMlvpn drops no option silently", () => {
  for (const [key, value] of Object.entries(MORE)) {
    for (const section of ["general", "dsl1"]) {
      const plain = `[general]\nmode = client\npassword = "long enough a phrase"\n[dsl1]\n` +
        "remotehost = 192.0.2.1\nremoteport = 5080\n";
      const more = plain.replace(`[${section}]\n`, `[${section}]\n${key} = ${value}\n`);
      const before = importMlvpn(plain).text;
      const after = importMlvpn(more).text;
      assert(after !== before, `${key} in [${section}] makes no difference`);
    }
  }
});

Deno.test("importMlvpn says which lines mlvpn ignores, without secrets", () => {
  const text = DOMAINS_CLIENT +
    'ip6_routes = "a"b = "c"\npassword = "hush = hush" = 1\ntimeout = 5';
  const result = importMlvpn(text).text;
  assertStringIncludes(result, 'mlvpn ignores line 24, since it has two "=" outside quotes');
  assertStringIncludes(result, "mlvpn ignores line 26, since it has no newline at its end");
  assert(!result.includes("hush"));
});

Deno.test("importMlvpn reads a file that mlvpn refuses as it was probably meant", () => {
  const text = '\tmode = "server"\n\tpassword = "a phrase that is long"\n[a]\n\tbindport = 5080';
  const { config, text: result } = imported(text);
  assert(config.mode === "server");
  assertEquals(config.listen.map(({ host, port }) => `${host}:${port}`), ["0.0.0.0:5080"]);
  assertStringIncludes(result, "mlvpn does not start with that file: [general] has no mode");
});

Deno.test("importMlvpn asks for a key where mlvpn's password cannot be used", () => {
  const text = DOMAINS_CLIENT.replace("a phrase that both ends know", "short");
  const { text: result, problems } = importMlvpn(text);
  assertEquals(problems.map(({ message }) => message), [
    "password_file: mlvpn's password cannot be used, so a key has to be made",
  ]);
  assert(!result.includes("short"));
});

Deno.test("importMlvpn widens the network of an address without room for the other end", () => {
  for (
    const [ip4, gateway, expected] of [
      ["10.10.10.2", "10.10.10.1", "10.10.10.2/30"],
      ["10.10.10.2", "10.10.10.9", "10.10.10.2/28"],
      ["10.10.10.5/30", "10.10.10.9", "10.10.10.5/28"],
      ["10.42.43.2/24", "10.42.43.1", "10.42.43.2/24"],
    ]
  ) {
    const text = DOMAINS_CLIENT.replace("10.44.43.1/30", ip4!).replace("10.44.43.2", gateway!);
    assertEquals(`${client(text).tunnel.address}`, expected);
  }
});

Deno.test("importMlvpn uses remote where links go to several hosts, and names that TOML allows", () => {
  const text = DOMAINS_CLIENT.replace('remotehost = "192.0.2.1"', 'remotehost = "vpn.example.net"')
    .replace("[dsl1]", "[links.dsl 1]").replace("[dsl2]", "[links-dsl-1]");
  const { links } = client(text);
  assertEquals(links.map(({ name, remotes: [to] }) => `${name} ${to!.host}`), [
    "links-dsl-1 vpn.example.net",
    "links-dsl-1-2 192.0.2.1",
  ]);
});

Deno.test("importMlvpn makes comments of values that are wrong", () => {
  const text = DOMAINS_CLIENT.replace('"10.44.43.2"', '"10.99.0.1 "')
    .replace('"10.44.43.1/30"', '"10.44.43.0/30"').replace("mlvpn_updown.sh", "x\x7fy");
  const { config, text: result } = imported(text);
  const { address, gateway } = config.tunnel;
  assertEquals([address, gateway, config.statusCommand], [undefined, undefined, undefined]);
  assertStringIncludes(result, "# status_command = ");
  assert(!result.includes("\x7f"));
});

Deno.test("importMlvpn never throws, and what it calls usable is", () => {
  const edit = fc.record({ at: fc.nat(), length: fc.nat(12), text: fc.string({ maxLength: 6 }) });
  const samples = fc.constantFrom(DOMAINS_CLIENT, DOMAINS_SERVER, FULL);
  fc.assert(
    fc.property(samples, fc.array(edit, { maxLength: 4 }), (sample, edits) => {
      let text = sample;
      for (const { at, length, text: piece } of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + piece + text.slice(start + length);
      }
      const { text: result, problems } = importMlvpn(text);
      const parsed = parseConfig(result, { file: "x.toml" });
      assertEquals(parsed.config !== undefined, problems.length === 0, result);
    }),
    { numRuns: 300 },
  );
});

for (
  const [what, text] of [
    [
      "8,000 links",
      Array.from({ length: 8000 }, (_, i) => `[l${i}]\nremotehost = h${i}\n`).join(""),
    ],
    [
      "20,000 options",
      `[general]\n${Array.from({ length: 10_000 }, (_, i) => `o${i} = 1\n`).join("")}`,
    ],
    [
      "5,000 filters",
      `${DOMAINS_CLIENT}[filters]\n${
        Array.from({ length: 5000 }, (_, i) => `dsl1 = "udp port ${i}"\n`).join("")
      }`,
    ],
    [
      "wrong values",
      `${DOMAINS_CLIENT}${
        Array.from(
          { length: 200 },
          (_, i) =>
            `[l${i}]\nbindhost = fe80::1\nbindport = 0\nremotehost = 192.0.2.1\nremoteport = x\n`,
        ).join("")
      }`,
    ],
  ] as const
) {
  Deno.test(`importMlvpn reads ${what} in bounded time`, () => {
    assertLess(cpuMs(() => importMlvpn(text)), 10_000);
  });
}
