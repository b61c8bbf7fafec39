/**
 * Network interfaces of this host: which exist, and whether they are up.
 *
 * `/proc/thread-self/net` and ioctl(2) answer for the network namespace of this thread;
 * `/sys/class/net` shows the one it was mounted in.
 *
 * @module
 */

import { isPattern } from "../../pattern.ts";
import { cString } from "../ffi.ts";
import { similarNames } from "../../suggest.ts";
import {
  AF_INET,
  IFF_RUNNING,
  IFF_UP,
  IFNAMSIZ,
  IFREQ_BYTES,
  IFREQ_FLAGS,
  IFREQ_MTU,
  SIOCGIFFLAGS,
  SIOCGIFMTU,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from "./constants.ts";
import type { Libc } from "./libc.ts";

/** What is known of an interface. */
export type InterfaceState = "missing" | "down" | "no-carrier" | "up";

/** Tells whether the kernel would accept `name`: `dev_valid_name()` in net/core/dev.c. */
export function isInterfaceName(name: string): boolean {
  const bytes = new TextEncoder().encode(name).length;
  return bytes > 0 && bytes < IFNAMSIZ && !/^\.{1,2}$|[/:\s\0]/.test(name);
}

/** Returns struct ifreq with the name filled in (netdevice(7)). */
export function interfaceRequest(name: string): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(cString(name));
  return request;
}

/** Returns the number of an interface; 0 when no interface has that name. */
export function interfaceIndex(libc: Libc, name: string): number {
  return isInterfaceName(name) ? libc.symbols.if_nametoindex(cString(name)) : 0;
}

/** Looks at one interface. */
export function interfaceState(libc: Libc, name: string): InterfaceState {
  const flags = askInterface(libc, name, SIOCGIFFLAGS)?.getUint16(IFREQ_FLAGS, true);
  if (flags === undefined) return "missing";
  if ((flags & IFF_UP) === 0) return "down";
  return (flags & IFF_RUNNING) === 0 ? "no-carrier" : "up";
}

/** Returns the MTU of an interface in bytes; undefined when no interface has that name. */
export function interfaceMtu(libc: Libc, name: string): number | undefined {
  return askInterface(libc, name, SIOCGIFMTU)?.getInt32(IFREQ_MTU, true);
}

/** Returns struct ifreq with the answer to a request of netdevice(7); undefined when it fails. */
function askInterface(libc: Libc, name: string, what: bigint): DataView | undefined {
  if (interfaceIndex(libc, name) === 0) return undefined;
  const fd = libc.symbols.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const request = interfaceRequest(name);
  const failed = libc.symbols.ioctl(fd, what, request) < 0;
  libc.symbols.close(fd);
  return failed ? undefined : new DataView(request.buffer);
}

/** Returns the interfaces of this network namespace, loopback excepted. */
function interfaceNames(): string[] {
  try {
    // Two lines of headings, then `name: counters`: proc_pid_net(5).
    return Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n").slice(2)
      .map((line) => line.slice(0, line.lastIndexOf(":")).trim())
      .filter((name) => name !== "" && name !== "lo");
  } catch {
    return [];
  }
}

/** Returns a hint for a user who mistyped an interface. */
export function interfaceHint(name: string): string {
  const names = interfaceNames();
  const [nearest] = isPattern(name) ? [] : similarNames(name, names);
  if (nearest !== undefined) return `Did you mean "${nearest}"?`;
  if (names.length === 0) return "This host has no interface besides the loopback one.";
  return `Name one of ${names.join(", ")}.`;
}
