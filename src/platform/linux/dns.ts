/**
 * The name servers of a tunnel, with what this host has to keep them: resolvectl(1) of
 * systemd-resolved, resolvconf(8), or nothing but resolv.conf(5).
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import type { NetworkPlan, SystemChange } from "../platform.ts";
import { readResolvConf, RESOLV_CONF, type ResolvConf, resolvConfChanges } from "../resolv_conf.ts";
import { findProgram } from "../run_changes.ts";

/** What keeps the name servers of a host. */
export type DnsHost =
  | { readonly keeper: "resolvectl" }
  /** `prefix` makes a name that Debian's interface-order prefers. */
  | { readonly keeper: "resolvconf"; readonly prefix: string }
  | { readonly keeper: "file"; readonly file: ResolvConf };

/** Where systemd-resolved is while it runs. */
const RESOLVED = "/run/systemd/resolve";
/** Debian's resolvconf has it, openresolv has not. */
const INTERFACE_ORDER = "/etc/resolvconf/interface-order";

/** Finds out what keeps them. */
export function readDnsHost(device: string): DnsHost {
  if (exists(RESOLVED) && findProgram("resolvectl") !== undefined) return { keeper: "resolvectl" };
  if (findProgram("resolvconf") !== undefined) {
    return { keeper: "resolvconf", prefix: exists(INTERFACE_ORDER) ? "tun." : "" };
  }
  return { keeper: "file", file: readResolvConf(device) };
}

/** Returns the changes that have `plan.dns` asked. Throws AggvpnError when nothing can do that. */
export function dnsChanges(
  plan: Pick<NetworkPlan, "interface" | "dns" | "routes">,
  host: DnsHost,
): SystemChange[] {
  const { interface: device, dns = [], routes } = plan;
  if (dns.length === 0) return [];
  const isAll = routes.some(({ destination }) => destination.isDefault);
  if (host.keeper === "resolvectl") return resolvedChanges(device, dns.map(String), isAll);
  if (host.keeper === "resolvconf") {
    const name = `${host.prefix}${device}`;
    // Openresolv: the smallest metric comes first, and -x leaves the others out.
    const first = isAll ? ["-m", "0", "-x"] : ["-m", "0"];
    const input = dns.map((address) => `nameserver ${address}\n`).join("");
    return [{
      run: ["resolvconf", "-a", name, ...first],
      input,
      undo: ["resolvconf", "-d", name, "-f"],
    }];
  }
  const { target } = host.file;
  if (target !== undefined) {
    throw new AggvpnError(
      `Cannot set tunnel.dns: ${RESOLV_CONF} is a link to ${target}, which another program keeps`,
      {
        hint: "Install openresolv, or use systemd-resolved with its resolvectl; " +
          "or leave tunnel.dns out.",
      },
    );
  }
  return resolvConfChanges(device, dns, host.file);
}

/** The domain `~.` is every name: those of other links are then asked for their own domains only. */
function resolvedChanges(device: string, dns: readonly string[], isAll: boolean): SystemChange[] {
  const undo = ["resolvectl", "revert", device];
  return [
    {
      run: ["resolvectl", "dns", device, ...dns],
      undo,
      look: {
        run: ["resolvectl", "dns", device],
        shows: new RegExp(dns.map((text) => `\\s${RegExp.escape(text)}(?![\\w.:])`).join(".*")),
      },
    },
    ...isAll
      ? [{
        run: ["resolvectl", "domain", device, "~."],
        look: { run: ["resolvectl", "domain", device], shows: /\s~\.(\s|$)/ },
      }]
      : [],
  ];
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
