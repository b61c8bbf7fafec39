/**
 * The parts of a {@linkcode NetworkPlan} that may change while a tunnel runs, by names that tell
 * whether two plans have the same: routes, rules of links, name servers.
 *
 * @module
 */

import type { NetworkPlan, SystemChange } from "./platform.ts";

/** The name of a route. */
export function routePart({ destination, gateway }: NetworkPlan["routes"][number]): string {
  return `route ${destination} ${gateway ?? ""}`;
}

/** The name of the rules of a link with a table. */
export function rulesPart(link: NetworkPlan["links"][number]): string {
  const { family, address, interface: by, mark, table, remotePorts = [] } = link;
  return ["rules", family, address, by, mark, table, ...remotePorts].join(" ");
}

/** The name of all name servers together: with a default route they are asked for everything. */
export function dnsPart({ dns = [], routes }: Pick<NetworkPlan, "dns" | "routes">): string {
  const isAll = routes.some(({ destination }) => destination.isDefault);
  return ["dns", ...dns, isAll ? "for all" : "for some"].join(" ");
}

/** The names of all parts that a plan has. */
export function partsOf(plan: NetworkPlan): Set<string> {
  const rules = plan.links.filter(({ table }) => table !== undefined).map(rulesPart);
  const dns = (plan.dns ?? []).length > 0 ? [dnsPart(plan)] : [];
  return new Set([...plan.routes.map(routePart), ...rules, ...dns]);
}

/** Says of changes which part of a plan they make true. */
export function ofPart(part: string, changes: readonly SystemChange[]): SystemChange[] {
  return changes.map((change) => ({ ...change, part }));
}
