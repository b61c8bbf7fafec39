/**
 * The links of a client of mlvpn.
 *
 * @module
 */

import { parseAddress } from "../../address.ts";
import { isInterfaceName } from "../../config/network_kinds.ts";
import type { Draft } from "./draft.ts";
import { writeHomeless } from "./homes.ts";
import type { Settings } from "./settings.ts";

/** Values with which mlvpn takes no notice of losses, or of delays. */
const NO_LIMIT = { loss_tolerence: 100, latency_tolerence: 1000 } as const;

/** Writes a table for each link. */
export function writeLinks(draft: Draft): void {
  const hasServer = draft.settings.commonServer !== undefined;
  for (const link of draft.settings.links) writeLink(link, hasServer, draft);
}

function writeLink(link: string, hasServer: boolean, { settings, out, names }: Draft): void {
  const name = names.get(link)!;
  out.header(`[link.${name}]`);
  if (name !== link) out.comment(`[${link}] of mlvpn: scripts are told this name.`);
  if (!hasServer) out.pair("remote", settings.get(link, "remotehost"));
  const port = settings.get(link, "remoteport");
  out.pair("port", port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : port);
  writeBind(link, settings, out);
  if (settings.number(link, "fallback_only")) out.pair("tier", "backup");
  writeLimit(link, "loss_tolerence", settings, out);
  writeLimit(link, "latency_tolerence", settings, out);
  writeHomeless(settings, link, out);
}

function writeBind(link: string, settings: Settings, out: Draft["out"]): void {
  const host = settings.get(link, "bindhost");
  const address = parseAddress(host ?? "");
  const port = settings.get(link, "bindport");
  const device = settings.get(link, "binddev");
  if (address?.isUnspecified) {
    out.comment(`bindhost = "${host}": not needed, the system chooses the source address.`);
  } else if (address) out.pair("bind", `${address}`);
  else if (host !== undefined) {
    const hint = isInterfaceName(host) ? `; as an interface it is interface = "${host}"` : "";
    out.comment(`bindhost = "${host}": not taken over, bind is an address${hint}.`);
  }
  if (port !== undefined && host === undefined) {
    out.comment(`bindport = ${port}: mlvpn ignores it without bindhost, and the system picks one.`);
  } else if (port !== undefined) out.pair("local_port", Number(port));
  if (device !== undefined) {
    out.comment("binddev, of a fork of mlvpn:").pair("interface", device);
  }
  const domain = settings.number(link, "bindfib");
  if (domain) out.pair("rdomain", domain);
}

/** A link that is worse than this is left out of the aggregate. */
function writeLimit(
  link: string,
  key: keyof typeof NO_LIMIT,
  settings: Settings,
  out: Draft["out"],
): void {
  const limit = settings.inherited(link, key);
  if (limit === undefined) return;
  if (limit === 0) {
    out.comment(`${key} = 0: not taken over, the link would never be good enough.`);
  } else if (limit >= NO_LIMIT[key]) {
    out.comment(`${key} = ${limit}: not needed, it means no limit.`);
  } else if (key === "loss_tolerence") out.pair("max_loss", `${limit} %`);
  else out.pair("max_latency", `${limit} ms`);
}
