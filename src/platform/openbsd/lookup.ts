/**
 * Looks up names where a link's datagrams go: route(8), getent(1).
 *
 * This process's resolver asks in the routing table that the process was started in, and
 * setrtable(2) moves the whole process, which only root may move back. So another process asks:
 * `route -T N exec` starts it in the table.
 *
 * @module
 */

import { type Address, parseAddress } from "../../address.ts";
import { AbsentError } from "../../errors.ts";
import type { AwaitCommand } from "../command_output.ts";
import { lookupAddresses } from "../resolve.ts";
import type { Libc } from "./libc.ts";

/** Where route(8) is, which runs getent(1) in another routing table. */
export const LOOKUP_PROGRAM = "/sbin/route";

/** Tells whether names in `rdomain` are another process's to look up. */
export function isElsewhere(libc: Libc, rdomain: number | undefined): rdomain is number {
  return rdomain !== undefined && rdomain !== libc.symbols.getrtable();
}

/** Returns the addresses of `host` as seen in `rdomain`. Throws AbsentError when there are none. */
export async function lookup(
  libc: Libc,
  run: AwaitCommand,
  host: string,
  rdomain: number | undefined,
): Promise<readonly Address[]> {
  if (!isElsewhere(libc, rdomain)) return lookupAddresses(host);
  const command = ["route", "-T", `${rdomain}`, "exec", "getent", "hosts", host];
  const { success, output } = await run(command);
  // A line for each address, its first word.
  const addresses = output.split("\n").flatMap((line) => parseAddress(line.split(/\s/)[0]!) ?? []);
  if (success && addresses.length > 0) return addresses;
  throw new AbsentError(`Cannot resolve "${host}" in rdomain ${rdomain}`, {
    hint:
      "The name servers of /etc/resolv.conf must answer there too; an address needs none of them.",
  });
}
