/** The examples for Prometheus and Grafana: what they ask for exists, and promtool takes them. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { exposition } from "../../src/control/exposition.ts";
import { metricFamilies } from "../../src/control/metric_families.ts";
import { readExposition } from "../control/exposition_reader.ts";
import { LINK, PEER, statusOf } from "../control/sample_status.ts";
import { missingTool, skippedFor } from "../host_tools.ts";

const FOLDER = new URL("../../examples/prometheus/", import.meta.url);

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

const rules = Deno.readTextFileSync(new URL("rules.yml", FOLDER));
const dashboard = JSON.parse(
  Deno.readTextFileSync(new URL("grafana.json", FOLDER)),
) as Dashboard;
const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

async function promtool(...args: readonly string[]): Promise<readonly [number, string]> {
  const command = new Deno.Command("promtool", { args: [...args], cwd: FOLDER });
  const { code, stderr } = await command.output();
  return [code, new TextDecoder().decode(stderr)];
}

Deno.test("the rules and the dashboard for Grafana ask for metrics that there are", () => {
  const peer = { ...PEER, links: [{ ...LINK, quotaBytes: 1, quotaUsedBytes: 1 }] };
  const text = [...exposition(metricFamilies(statusOf([peer])), "prometheus")].join("");
  const known = readExposition(text, false);
  const variables = dashboard.templating.list.map(({ definition }) => definition ?? "");
  const asked = [rules, ...queries, ...variables].join("\n").match(
    /\baggvpn_[a-z0-9_]+(?!\.yml)\b/g,
  )!;
  const names = asked.filter((name) => name !== "aggvpn_rules");
  assertGreater(new Set(names).size, 15);
  assertEquals(names.filter((name) => !known.has(name)), []);
});

Deno.test({
  ...skippedFor(missingTool("promtool"), "promtool takes the rules, and they do what they say"),
  fn: async () => {
    assertEquals(await promtool("check", "rules", "rules.yml"), [0, ""]);
    assertEquals(await promtool("test", "rules", "rules_test.yml"), [0, ""]);
    const scrape = await promtool("check", "config", "--syntax-only", "scrape.yml");
    assertEquals(scrape, [0, ""]);
  },
});

Deno.test({
  ...skippedFor(missingTool("promtool"), "promtool takes the queries of the dashboard for Grafana"),
  fn: async () => {
    const variables: Record<string, string> = {
      $__rate_interval: "1m",
      $instance: ".*",
      $peer: ".*",
    };
    const records = queries.map((query, i) => {
      const expr = query.replaceAll(/\$\w+/g, (name) => variables[name]!);
      return { record: `query:${i}`, expr };
    });
    const file = await Deno.makeTempFile({ suffix: ".yml" });
    try {
      // JSON is YAML.
      await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "a", rules: records }] }));
      assertEquals(await promtool("check", "rules", file), [0, ""]);
      assert(records.length > 8);
    } finally {
      await Deno.remove(file);
    }
  },
});
