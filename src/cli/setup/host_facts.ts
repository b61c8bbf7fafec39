/**
 * What follows from what a host has.
 *
 * @module
 */

import type { Address } from "../../address.ts";
import type { HostSurvey } from "../../platform/platform.ts";
import { publicAddresses } from "../../setup/public_address.ts";

/** Returns the first name that no interface has. */
export function freeInterface(os: string, { interfaces }: HostSurvey): string {
  const base = os === "openbsd" ? "tun" : "agg";
  for (let i = 0;; i++) if (!interfaces.includes(`${base}${i}`)) return `${base}${i}`;
}

/** The addresses of this host that others can reach, the best first. */
export function ownAddresses({ addresses, uplinks }: HostSurvey): Address[] {
  return publicAddresses(addresses, uplinks.map(({ interface: name }) => name));
}
