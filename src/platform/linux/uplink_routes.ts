/**
 * Routes and rules of uplinks that nobody has configured: ip-route(8), ip-rule(8).
 *
 * A link's own datagrams need none: its socket is bound to the interface. But what comes in by an
 * uplink must pass the reverse-path filter, and whoever answers from its address, such as sshd(8),
 * should not do so through the tunnel. So each uplink has a table with its default route, which
 * counts for what comes from its addresses; networks that the main table knows more about than
 * the halves of everything are still reached as that says.
 *
 * @module
 */

import type { Family } from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import type { DefaultRoute, HostInterface, SystemChange, Uplink } from "../platform.ts";
import { readHostState } from "./host_state.ts";
import { addRule, ipOf, PROTOCOL } from "./network.ts";

/** Tables are counted from here, by the number of the link. */
const FIRST_TABLE = 7800;
/** Preference of the first rule: behind those of links with a `table`, before the main table. */
const FIRST_PREFERENCE = 8500;
/** Room for the tables of one tunnel, or its rules, of which each link has two preferences. */
const ROOM = 1000;
const FAMILIES: readonly Family[] = [4, 6];

/** Returns the function that makes the commands; looks for what is free. */
export function uplinkPlanner(
  read: ReadCommand,
): (uplinks: readonly Uplink[]) => readonly SystemChange[] {
  const firstTable = freeFrom(FIRST_TABLE, usedTables(read));
  const firstPreference = freeFrom(FIRST_PREFERENCE, readHostState(read).rulePreferences);
  return (uplinks) =>
    uplinks.flatMap(({ link, interface: by }) =>
      FAMILIES.flatMap((family) =>
        uplinkChanges(by, family, firstTable + link, firstPreference + 2 * link)
      )
    );
}

function uplinkChanges(
  by: HostInterface,
  family: Family,
  table: number,
  preference: number,
): SystemChange[] {
  const [route] = by.defaults.filter((route) => route.family === family);
  const sources = by.addresses.filter((address) => address.family === family);
  if (!route || sources.length === 0) return [];
  const ip = ipOf(family);
  return [
    routeChange(ip, by, route, table),
    ...sources.flatMap((address) => {
      const from = ["from", `${address}`];
      // Of the main table all but the default route and the halves of the tunnel.
      const near = [...from, "lookup", "main", "suppress_prefixlength", "1"];
      return [
        addRule(ip, near, preference, `\tfrom ${address}`),
        addRule(ip, [...from, "lookup", `${table}`], preference + 1, `\tfrom ${address}`),
      ].map((change) => ({ ...change, mayFail: true }));
    }),
  ];
}

function routeChange(
  ip: readonly string[],
  { name }: HostInterface,
  { gateway }: DefaultRoute,
  table: number,
): SystemChange {
  // The table has no route to the gateway's network.
  const via = gateway === undefined ? [] : ["via", `${gateway}`];
  const onlink = gateway === undefined ? [] : ["onlink"];
  const where = ["dev", name, "table", `${table}`, "proto", PROTOCOL];
  return {
    run: [...ip, "route", "replace", "default", ...via, ...onlink, ...where],
    undo: [...ip, "route", "del", "default", ...where],
    mayFail: true,
    look: { run: [...ip, "route", "show", "table", `${table}`], shows: /^default\s/m },
  };
}

/** Returns the first number from `start` with room for one tunnel: another one may have been first. */
function freeFrom(start: number, used: ReadonlySet<number>): number {
  const isUsed = (from: number): boolean =>
    [...used].some((number) => number >= from && number < from + ROOM);
  while (isUsed(start)) start += ROOM;
  return start;
}

/** Tables that a rule or a route names. */
function usedTables(read: ReadCommand): ReadonlySet<number> {
  const commands = FAMILIES.flatMap((family) => [
    ["ip", `-${family}`, "rule", "show"],
    ["ip", `-${family}`, "route", "show", "table", "all"],
  ]);
  const words = commands.flatMap((command) => {
    const { success, output } = read(command);
    return success ? [...output.matchAll(/\b(?:lookup|table) (\d+)/g)] : [];
  });
  return new Set(words.map(([, number]) => Number(number)));
}
