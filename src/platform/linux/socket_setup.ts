/**
 * What is set up on a UDP socket before its first datagram.
 *
 * @module
 */

import { AbsentError, AggvpnError } from "../../errors.ts";
import { Remote, REMOTE_BYTES, remoteOf } from "../../remote.ts";
import { Address } from "../../address.ts";
import { cString } from "../ffi.ts";
import type { SocketOptions } from "../platform.ts";
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_PROBE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_DONTFRAG,
  IPV6_MTU_DISCOVER,
  IPV6_PMTUDISC_PROBE,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  SO_BINDTODEVICE,
  SO_MARK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { interfaceHint, interfaceIndex, isInterfaceName } from "./interfaces.ts";
import { type Libc, systemError } from "./libc.ts";
import { readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";

/**
 * Receive buffer asked for, in bytes: a burst that arrives while the program is busy must fit, or
 * the congestion control of every flow inside sees it as loss.
 */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/**
 * Send buffer asked for: a few full batches. What waits here has been committed to a
 * link and delays everything after it, so it stays small.
 */
const SEND_BUFFER_BYTES = 512 << 10;

/** Opens a socket of the family of `options`, with everything set that needs no address. */
export function openDescriptor(libc: Libc, options: SocketOptions): number {
  const family = options.address?.family ?? options.family;
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = libc.symbols.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const hint = family === 6 ? "This host may have IPv6 switched off." : undefined;
    throw systemError(libc, `Cannot open an IPv${family} socket`, libc.errno(), hint);
  }
  // All of these are refinements: a kernel that refuses one still carries datagrams.
  setBuffer(libc, fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  setBuffer(libc, fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES);
  setOption(libc, fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (family === 4) {
    setOption(libc, fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  } else {
    setOption(libc, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    setOption(libc, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    setOption(libc, fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  }
  return fd;
}

/** Ties the socket to interface, mark, address and port. */
export function bindSocket(libc: Libc, fd: number, options: SocketOptions): void {
  if (options.interface !== undefined) bindToInterface(libc, fd, options.interface);
  if (options.mark !== undefined && !setOption(libc, fd, SOL_SOCKET, SO_MARK, options.mark)) {
    const hint = "Run as root, or grant CAP_NET_ADMIN.";
    throw systemError(libc, `Cannot set mark ${options.mark}`, libc.errno(), hint);
  }
  bindToAddress(libc, fd, options);
}

/** Returns the address the socket is bound to. */
export function localRemote(libc: Libc, fd: number): Remote {
  const name = new Uint8Array(SOCKADDR_BYTES);
  const length = Uint32Array.of(SOCKADDR_BYTES);
  if (libc.symbols.getsockname(fd, name, length) < 0) {
    throw systemError(libc, "Cannot tell a socket's address", libc.errno());
  }
  const record = new Uint8Array(REMOTE_BYTES);
  readSockaddr(name, 0, name, -1, record, 0);
  return new Remote(record);
}

function bindToInterface(libc: Libc, fd: number, name: string): void {
  const what = `Cannot bind to interface ${JSON.stringify(name)}`;
  // The kernel would cut a name that is too long, and bind to another interface.
  if (!isInterfaceName(name)) throw systemError(libc, what, ERRNO.EINVAL, interfaceHint(name));
  const value = cString(name);
  if (libc.symbols.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, value, value.length) === 0) return;
  const errno = libc.errno();
  const denied = errno === ERRNO.EPERM;
  const hint = denied ? "Run as root, or grant CAP_NET_RAW." : interfaceHint(name);
  throw systemError(libc, what, errno, hint, kindOf(errno));
}

function bindToAddress(libc: Libc, fd: number, options: SocketOptions): void {
  const { address, family } = options;
  const local = address ?? new Address(new Uint8Array(family === 4 ? 4 : 16));
  if (address?.isUnspecified) reportDestinations(libc, fd, address);
  const scope = local.zone === undefined ? 0 : zoneIndex(libc, local.zone);
  const remote = remoteOf(local.bytes, options.port ?? 0, scope);
  const sockaddr = writeSockaddr(remote);
  if (libc.symbols.bind(fd, sockaddr, sockaddr.length) === 0) return;
  const errno = libc.errno();
  throw systemError(
    libc,
    `Cannot bind to ${remote}`,
    errno,
    bindHint(errno, remote),
    kindOf(errno),
  );
}

/** Makes the kernel report which of this host's addresses each datagram was sent to. */
function reportDestinations(libc: Libc, fd: number, local: Address): void {
  if (local.family === 4) setOption(libc, fd, IPPROTO_IP, IP_PKTINFO, 1);
  else setOption(libc, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

function zoneIndex(libc: Libc, zone: string): number {
  const index = /^\d+$/.test(zone) ? Number(zone) : interfaceIndex(libc, zone);
  if (index > 0) return index;
  throw new AbsentError(`Cannot find interface "${zone}"`, { hint: interfaceHint(zone) });
}

/** An interface or an address may appear later; any other error stays. */
function kindOf(errno: number): typeof AggvpnError {
  return errno === ERRNO.ENODEV || errno === ERRNO.EADDRNOTAVAIL ? AbsentError : AggvpnError;
}

function bindHint(errno: number, remote: Remote): string | undefined {
  const port = new DataView(remote.bytes.buffer).getUint16(2);
  const hints: Record<number, string> = {
    [ERRNO.EADDRINUSE]: `Another program uses the port; "ss -ulpn sport = :${port}" names it.`,
    [ERRNO.EADDRNOTAVAIL]: `No interface has this address; "ip address" lists those of this host.`,
    [ERRNO.EACCES]: "Ports below 1024 need root or CAP_NET_BIND_SERVICE.",
    [ERRNO.EINVAL]: "A link-local address needs its interface, such as fe80::1%eth0.",
  };
  return hints[errno];
}

/** Sets a buffer beyond the system's limit, or only up to it without CAP_NET_ADMIN. */
function setBuffer(libc: Libc, fd: number, force: number, plain: number, bytes: number): void {
  if (!setOption(libc, fd, SOL_SOCKET, force, bytes)) setOption(libc, fd, SOL_SOCKET, plain, bytes);
}

/** Sets an integer option; returns whether the kernel took it. */
function setOption(libc: Libc, fd: number, level: number, option: number, value: number): boolean {
  return libc.symbols.setsockopt(fd, level, option, Uint32Array.of(value), 4) === 0;
}
