/**
 * What `aggvpn join` writes: from an invitation, flags, what the host has, and answers.
 *
 * @module
 */

import { parsePrefix } from "../../address.ts";
import { NEVER_LINKS } from "../../config/schema.ts";
import { isName } from "../../config/text_kinds.ts";
import { UsageError } from "../../errors.ts";
import { matchesPattern } from "../../pattern.ts";
import type { HostSurvey, SurveyedUplink } from "../../platform/platform.ts";
import type { Invitation } from "../../setup/invitation.ts";
import type { ClientFile, WrittenLink } from "../../setup/new_files.ts";
import type { Arguments } from "../command.ts";
import type { Dialog } from "./dialog.ts";
import { type Checked, flagValue } from "./flag_values.ts";
import { freeInterface } from "./host_facts.ts";

/** What the plan is made from besides the invitation, flags and answers. */
export interface ClientHost {
  readonly os: string;
  readonly survey: HostSurvey;
}

/** The file of a new client, and what to say about its links. */
export interface ClientPlan {
  readonly file: ClientFile;
  readonly remarks: readonly string[];
}

/** Asks what flags do not say. Throws UsageError for flags that are wrong. */
export function planClient(
  invitation: Invitation,
  { os, survey }: ClientHost,
  args: Arguments,
  dialog: Dialog,
): ClientPlan {
  const uplinks = survey.uplinks.filter(({ interface: name }) =>
    !NEVER_LINKS.some((pattern) => matchesPattern(pattern, name))
  );
  const named = flagValue(args, "links", checkLinks);
  // An interface makes a link on Linux only; elsewhere each has a table.
  const isAuto = named === undefined && os === "linux";
  const links = isAuto ? undefined : linksOf(named, uplinks, os);
  const canRoute = isAuto || links!.every(isKeptOut);
  const routes = flagValue(args, "routes", checkRoutes) ?? askRoutes(canRoute, dialog);
  return {
    file: { invitation, interface: freeInterface(os, survey), links, routes },
    remarks: links ? remarksOf(uplinks, canRoute) : [],
  };
}

/** Returns the links with tables of their own. */
function linksOf(
  named: readonly string[] | undefined,
  uplinks: readonly SurveyedUplink[],
  os: string,
): WrittenLink[] {
  const names = named ?? uplinks.map(({ interface: name }) => name);
  if (names.length === 0) {
    throw new UsageError("No interface of this host has a default route", {
      hint: "Set up an uplink first, or name them: --links=em0,em1",
    });
  }
  return names.map((name) => {
    const rdomain = uplinks.find((uplink) => uplink.interface === name)?.rdomain;
    const link = isName(name) ? name : name.replaceAll(/[^A-Za-z0-9_-]/g, "-");
    if (os === "linux") return { name: link, interface: name };
    return { name: link, ...rdomain !== undefined && { rdomain } };
  });
}

/** Whether the datagrams of a link do not follow routes into the tunnel. */
function isKeptOut(link: WrittenLink): boolean {
  return link.interface !== undefined || link.rdomain !== undefined;
}

function askRoutes(canRoute: boolean, dialog: Dialog): readonly string[] {
  if (!canRoute) return [];
  return dialog.confirm("Send everything through the tunnel?", true) ? ["default"] : [];
}

function remarksOf(uplinks: readonly SurveyedUplink[], canRoute: boolean): string[] {
  const shown = uplinks.map(({ interface: name, gateway, rdomain }) => {
    const how = [
      gateway === undefined ? "point to point" : `via ${gateway}`,
      ...rdomain === undefined ? [] : [`rdomain ${rdomain}`],
    ];
    return `${name} (${how.join(", ")})`;
  });
  const found = shown.length > 0 ? shown.join(", ") : "no interface has a default route yet";
  return [
    `Uplinks: ${found}`,
    ...canRoute ? [] : [
      "Nothing is routed into the tunnel: an uplink is in rdomain 0, so its link would be routed " +
      "there too. Give each uplink an rdomain.",
    ],
  ];
}

function checkLinks(text: string): Checked<readonly string[]> {
  const names = text.split(",");
  const isRight = names.every((name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name));
  return isRight && new Set(names).size === names.length
    ? names
    : { wrong: "expected interfaces such as eth1,wwan0" };
}

function checkRoutes(text: string): Checked<readonly string[]> {
  if (text === "none") return [];
  const routes = text.split(",");
  const isNetwork = (route: string): boolean =>
    /^default6?$/.test(route) || parsePrefix(route) !== undefined;
  return routes.every(isNetwork)
    ? routes
    : { wrong: "expected networks such as default or 10.1.0.0/16,10.2.0.0/16, or none" };
}
