import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { exposition, type Family, type Format, negotiate } from "../../src/control/exposition.ts";
import { metricFamilies } from "../../src/control/metric_families.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";
import { missingTool, skippedFor } from "../host_tools.ts";
import { readExposition, type ReadFamily } from "./exposition_reader.ts";
import { LINK, PEER, statusOf } from "./sample_status.ts";

function textOf(status: StatusDocument, format: Format): string {
  return [...exposition(metricFamilies(status), format)].join("");
}

function read(status: StatusDocument, format: Format = "prometheus"): Map<string, ReadFamily> {
  return readExposition(textOf(status, format), format === "openmetrics");
}

function valuesOf(family: ReadFamily | undefined): Record<string, number> {
  return Object.fromEntries(
    family!.samples.map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}

const LTE = { ...LINK, name: "lte", id: 1, state: "down", srttUs: 0, remoteMtu: 0 } as const;
const TWO = statusOf([{
  ...PEER,
  links: [LINK, { ...LTE, metered: true, quotaBytes: 5e9, quotaUsedBytes: 4e9 }],
}]);

Deno.test("metricFamilies() tells of each link in base units, by peer and link", () => {
  const families = read(TWO);
  const of = (name: string): Record<string, number> => valuesOf(families.get(name));
  assertEquals(of("aggvpn_link_up"), { "server dsl": 1, "server lte": 0 });
  assertEquals(of("aggvpn_link_rtt_seconds"), { "server dsl": 0.02134 });
  assertEquals(of("aggvpn_link_remote_mtu_bytes"), { "server dsl": 1492 });
  assertEquals(of("aggvpn_link_capacity_bytes_per_second"), {
    "server dsl": 6.275e6,
    "server lte": 6.275e6,
  });
  assertEquals(of("aggvpn_link_quota_used_bytes"), { "server lte": 4e9 });
  assertEquals(of("aggvpn_link_sent_bytes_total")["server dsl"], 1.21e9);
  assertEquals(families.get("aggvpn_link_sent_bytes_total")!.type, "counter");
  assertEquals(of("aggvpn_link_info"), {
    "server dsl primary false": 1,
    "server lte primary true": 1,
  });
  assertEquals(of("aggvpn_link_suspect"), { "server dsl": 0, "server lte": 0 });
  assertEquals(of("aggvpn_uptime_seconds"), { "": 11_540 });
  assertEquals(of("aggvpn_tunnel_info"), { "home client agg0 libcrypto": 1 });
  assertEquals(of("aggvpn_socket_open"), { dsl: 1, lte: 0 });
  assertEquals(of("aggvpn_drops_total"), { replay: 4, codel: 0 });
  assertEquals(of("aggvpn_interface_drops_total").full, 3);
});

Deno.test("exposition() writes what the specifications show", () => {
  const families: Family[] = [
    {
      name: "acme_http_router_request_seconds",
      type: "counter",
      unit: "seconds",
      help: 'Latency "per" \\ request.\n',
      samples: [{ labels: { path: '/api/"v1"\\\n' }, value: 9036.32 }],
    },
    {
      name: "go_goroutines",
      type: "gauge",
      help: "Goroutines.",
      samples: [{ labels: {}, value: 69 }],
    },
    { name: "process", type: "info", help: "What.", samples: [{ labels: { a: "é" }, value: 1 }] },
    { name: "nothing", type: "gauge", help: "Nothing.", samples: [] },
  ];
  assertEquals(
    [...exposition(families, "prometheus")].join(""),
    `\
# HELP acme_http_router_request_seconds_total Latency "per" \\\\ request.\\n
# TYPE acme_http_router_request_seconds_total counter
acme_http_router_request_seconds_total{path="/api/\\"v1\\"\\\\\\n"} 9036.32
# HELP go_goroutines Goroutines.
# TYPE go_goroutines gauge
go_goroutines 69
# HELP process_info What.
# TYPE process_info gauge
process_info{a="é"} 1
`,
  );
  assertEquals(
    [...exposition(families, "openmetrics")].join(""),
    `\
# HELP acme_http_router_request_seconds Latency \\"per\\" \\\\ request.\\n
# TYPE acme_http_router_request_seconds counter
# UNIT acme_http_router_request_seconds seconds
acme_http_router_request_seconds_total{path="/api/\\"v1\\"\\\\\\n"} 9036.32
# HELP go_goroutines Goroutines.
# TYPE go_goroutines gauge
go_goroutines 69
# HELP process What.
# TYPE process info
process_info{a="é"} 1
# EOF
`,
  );
});

Deno.test("exposition() is what a collector reads, whatever peers and links are called", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('"', "\\", "\n", "a#1", "a", ""),
  );
  fc.assert(fc.property(fc.array(name, { maxLength: 6 }), name, (names, peer) => {
    const links = names.map((name, id) => ({ ...LINK, name, id }));
    const status = statusOf([{ ...PEER, name: peer, links }]);
    for (const format of ["prometheus", "openmetrics"] as const) {
      const { samples } = read(status, format).get("aggvpn_link_up") ?? { samples: [] };
      assertEquals(samples.length, names.length);
      assert(samples.every(({ labels }, i) => labels.link!.startsWith(names[i]!)));
      assert(samples.every(({ labels }) => labels.peer === peer));
    }
  }));
});

Deno.test("readExposition() refuses what a collector would refuse", () => {
  const head = "# HELP a A.\n# TYPE a gauge\n";
  for (
    const text of [
      `${head}a 1`,
      `${head}a one\n`,
      `${head}b 1\n`,
      `${head}a 1\na 2\n`,
      `${head}a{b="c} 1\n`,
      `${head}a{b="\\x"} 1\n`,
      "a 1\n",
    ]
  ) {
    assertThrows(() => readExposition(text, false), Error);
  }
  assertThrows(() => readExposition(`${head}a 1\n`, true), Error, "EOF");
});

Deno.test("negotiate() gives OpenMetrics to who prefers it, and the older format otherwise", () => {
  const scraper = "application/openmetrics-text;version=1.0.0;q=0.5,application/" +
    "openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  const cases: [string | undefined, Format][] = [
    [scraper, "openmetrics"],
    ["application/openmetrics-text", "openmetrics"],
    ["Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", "openmetrics"],
    ["text/plain;q=0.5, application/openmetrics-text;q=0.1", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    ["application/openmetrics-text;version=2.0.0", "prometheus"],
    ["text/html, */*", "prometheus"],
    ["", "prometheus"],
    [undefined, "prometheus"],
  ];
  for (const [accept, format] of cases) assertEquals(negotiate(accept), format, accept);
});

Deno.test({
  ...skippedFor(missingTool("promtool"), "promtool finds nothing to say about the metrics"),
  fn: async () => {
    const server = statusOf([PEER, { ...PEER, name: 'a "b" \\', links: [LTE] }], "server");
    for (const status of [TWO, server]) {
      const child = new Deno.Command("promtool", {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(textOf(status, "prometheus")));
      await writer.close();
      const { code, stdout, stderr } = await child.output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assertEquals([code, said], [0, ""]);
    }
  },
});
