/**
 * Whether this host can provide the sockets of a tunnel: opens them and closes them again.
 *
 * @module
 */

import type { Address } from "../address.ts";
import { AggvpnError } from "../errors.ts";
import type { HostFinding, SocketOptions } from "./platform.ts";

/** Opens a socket as the system does it. Throws AggvpnError. */
export type OpenSocket = (options: SocketOptions) => { close(): void };

/** Looks whether an address that a server listens on can be had. */
export function inspectListen(
  open: OpenSocket,
  { host, port }: { host: Address; port: number },
): HostFinding[] {
  const options = { name: `${host}`, address: host, port, family: host.family };
  return tryToBind(open, options, "Listening");
}

/** Opens a socket for `who` and closes it again. A port in use may belong to a running aggvpn. */
export function tryToBind(open: OpenSocket, options: SocketOptions, who: string): HostFinding[] {
  try {
    open(options).close();
    return [];
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    const inUse = error.cause instanceof Error && error.cause.message === "EADDRINUSE";
    const hint = inUse ? `${error.hint} A running aggvpn is no problem.` : error.hint;
    return [{
      severity: inUse ? "warning" : "error",
      message: `${who}: ${error.message}`,
      ...hint !== undefined && { hint },
    }];
  }
}
