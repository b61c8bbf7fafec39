/**
 * Messages to services of this host, each a datagram to a Unix socket: unix(7).
 *
 * A datagram is sent to a path and not to what listened there once, so a service that is started
 * again gets the next one. `struct sockaddr_un` is the family, 16 bits, and the path; a path that
 * begins with a NUL is an abstract name, which ends where the address does.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import type { MessageSink, SyslogSink } from "../platform.ts";
import {
  AF_UNIX,
  CLOCK_MONOTONIC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SUN_PATH_BYTES,
} from "./constants.ts";
import { type Libc, systemError } from "./libc.ts";

/** Where syslog(3) sends to: <paths.h>. */
const PATH_LOG = "/dev/log";

/** Opens a socket that sends to `path`; "@" begins an abstract name. Throws AggvpnError. */
export function openUnixDatagrams(libc: Libc, path: string): MessageSink {
  const { symbols } = libc;
  const to = writeUnixAddress(path);
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw systemError(libc, "Cannot open a Unix socket", libc.errno());
  return {
    send(message): boolean {
      const { length } = message;
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      return symbols.sendto(fd, message, BigInt(length), flags, to, to.length) === length;
    },
    close: () => void symbols.close(fd),
  };
}

/** Opens the way to the system's log. Throws AggvpnError. */
export function openSyslog(libc: Libc, path = PATH_LOG): SyslogSink {
  return { ...openUnixDatagrams(libc, path), wantsTime: true };
}

/** Writes the address of `path`. Throws AggvpnError when it is none. */
export function writeUnixAddress(path: string): Uint8Array<ArrayBuffer> {
  const isAbstract = path.startsWith("@");
  const name = new TextEncoder().encode(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (!isAbstract && !path.startsWith("/") || name.length > SUN_PATH_BYTES) {
    throw new AggvpnError(`Not the path of a Unix socket: ${JSON.stringify(path)}`);
  }
  const address = new Uint8Array(2 + name.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}

/** Microseconds of CLOCK_MONOTONIC: clock_gettime(2). */
export function monotonicUs(libc: Libc): number {
  // struct timespec: seconds and nanoseconds, 64 bits each.
  const now = new BigInt64Array(2);
  if (libc.symbols.clock_gettime(CLOCK_MONOTONIC, now) !== 0) {
    throw systemError(libc, "Cannot read the clock", libc.errno());
  }
  return Number(now[0]! * 1_000_000n + now[1]! / 1000n);
}
