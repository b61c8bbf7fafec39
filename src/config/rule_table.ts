/**
 * The `[[rule]]` tables.
 *
 * @module
 */

import type { RuleOptions } from "../rule_options.ts";
import { closest } from "../suggest.ts";
import { compact } from "./compact.ts";
import { type Context, type Reading, readTable } from "./read_table.ts";
import { MAX_RULES, RULE_KEYS, SECTIONS } from "./schema.ts";
import { describeValue, type Entry, quote } from "./tree.ts";

/** Reads the rules; `links` are the names that rules may use, undefined when they may use any. */
export function readRules(
  rules: Entry | undefined,
  links: readonly string[] | undefined,
  context: Context,
): readonly RuleOptions[] {
  if (!rules) return [];
  const { report } = context;
  if (rules.value.kind !== "array") {
    const found = describeValue(rules.value);
    report.error(rules.at, `rule: expected tables ${SECTIONS.rule.header}, found ${found}`);
    return [];
  }
  const count = rules.value.items.length;
  if (count > MAX_RULES) {
    report.error(rules.at, `rule: expected at most ${MAX_RULES}, found ${count}`);
    return [];
  }
  const all: RuleOptions[] = [];
  for (const [i, item] of rules.value.items.entries()) {
    if (item.kind !== "table") {
      report.error(item.at, `rule: expected a table, found ${describeValue(item)}`);
      continue;
    }
    const reading = readTable(item, RULE_KEYS, `rule.${i + 1}`, context);
    if (links) checkLinks(reading, links, context);
    all.push(ruleOptions(reading));
  }
  return all;
}

function ruleOptions({ values }: Reading<typeof RULE_KEYS>): RuleOptions {
  return compact({
    protocol: values.protocol,
    ports: values.ports ?? [],
    dscp: values.dscp,
    source: values.source,
    destination: values.destination,
    links: (values.links ?? []).map((link) => link.value),
    class: values.class,
    duplicate: values.duplicate,
  });
}

function checkLinks(
  rule: Reading<typeof RULE_KEYS>,
  links: readonly string[],
  { report }: Context,
): void {
  for (const { value, at } of rule.values.links ?? []) {
    if (links.includes(value)) continue;
    const near = closest(value, links);
    const hint = near === undefined
      ? `the links are ${links.join(", ")}`
      : `did you mean "${near}"?`;
    report.error(
      at,
      `${rule.path}.links: expected the name of a link, found ${quote(value)}`,
      hint,
    );
  }
}
