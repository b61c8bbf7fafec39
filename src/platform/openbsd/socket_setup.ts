/**
 * What is set up on a UDP socket before its first datagram.
 *
 * @module
 */

import { Address } from "../../address.ts";
import { AbsentError, AggvpnError } from "../../errors.ts";
import { Remote, REMOTE_BYTES, remoteOf } from "../../remote.ts";
import { cString } from "../ffi.ts";
import type { SocketOptions } from "../platform.ts";
import {
  AF_INET,
  AF_INET6,
  IFNAMSIZ,
  IP_RECVDSTADDR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_DONTFRAG,
  IPV6_RECVPKTINFO,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SO_RTABLE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { openFilesHint } from "./open_files.ts";
import { readSockaddr, writeSockaddr } from "./sockaddr.ts";
import { SOCKADDR_IN6_BYTES } from "./structures.ts";

/**
 * Receive buffer asked for, in bytes: a burst that arrives while the program is busy must fit, or
 * the congestion control of every flow inside sees it as loss. It is SB_MAX of <sys/socketvar.h>,
 * which the kernel grants. Nothing waits in the send buffer of a UDP socket: it only bounds a
 * datagram to 9216 bytes, so it is left alone.
 */
export const RECEIVE_BUFFER_BYTES = 2 << 20;
/** No less is asked for: half of it is less than every socket has anyway (udp_recvspace, 41600). */
const LEAST_BUFFER_BYTES = 64 << 10;

/** Opens a socket of the family of `options`, with everything set that needs no address. */
export function openDescriptor(libc: Libc, options: SocketOptions): number {
  const family = options.address?.family ?? options.family;
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = libc.symbols.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const errno = libc.errno("socket");
    throw systemError(libc, `Cannot open an IPv${family} socket`, errno, openFilesHint(errno));
  }
  // All of these are refinements: a kernel that refuses one still carries datagrams.
  growReceiveBuffer(libc, fd);
  if (family === 6) {
    refine(libc, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    refine(libc, fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
  }
  return fd;
}

/** Ties the socket to its routing table, address and port, in this order: a port fixes the table. */
export function bindSocket(libc: Libc, fd: number, options: SocketOptions): void {
  if (options.rdomain !== undefined) setRoutingTable(libc, fd, options.rdomain);
  bindToAddress(libc, fd, options);
}

/** Returns the address the socket is bound to. */
export function localRemote(libc: Libc, fd: number): Remote {
  const name = new Uint8Array(SOCKADDR_IN6_BYTES);
  const length = Uint32Array.of(SOCKADDR_IN6_BYTES);
  if (libc.symbols.getsockname(fd, name, length) < 0) {
    throw systemError(libc, "Cannot tell a socket's address", libc.errno("getsockname"));
  }
  const record = new Uint8Array(REMOTE_BYTES);
  readSockaddr(name, 0, name, -1, record, 0);
  return new Remote(record);
}

/** SO_RTABLE, getsockopt(2): a link's datagrams are routed by its own table. */
function setRoutingTable(libc: Libc, fd: number, table: number): void {
  if (setOption(libc, fd, SOL_SOCKET, SO_RTABLE, table)) return;
  const errno = libc.errno("setsockopt");
  const what = `Cannot use rdomain ${table}`;
  switch (errno) {
    case ERRNO.EINVAL:
      throw systemError(
        libc,
        `${what}, which does not exist`,
        errno,
        `Put the link's interface there, such as "ifconfig em0 rdomain ${table}"; ` +
          `"netstat -R" lists those there are.`,
        AbsentError,
      );
    case ERRNO.EPERM: {
      const own = libc.symbols.getrtable();
      throw systemError(
        libc,
        `${what} from rdomain ${own}, which this process was started in`,
        errno,
        `Start it without "route -T ${own} exec", or as root.`,
      );
    }
    case ERRNO.EBUSY:
      throw systemError(
        libc,
        `${what} for a socket that has a port already`,
        errno,
        "This is a bug of aggvpn: report it, please.",
      );
    default:
      throw systemError(libc, what, errno);
  }
}

function bindToAddress(libc: Libc, fd: number, options: SocketOptions): void {
  const { address, family } = options;
  const local = address ?? new Address(new Uint8Array(family === 4 ? 4 : 16));
  if (address?.isUnspecified) reportDestinations(libc, fd, address);
  const scope = local.zone === undefined ? 0 : zoneIndex(libc, local.zone);
  const remote = remoteOf(local.bytes, options.port ?? 0, scope);
  const sockaddr = writeSockaddr(remote);
  if (libc.symbols.bind(fd, sockaddr, sockaddr.length) === 0) return;
  const errno = libc.errno("bind");
  const where = options.rdomain === undefined ? "" : ` in rdomain ${options.rdomain}`;
  const isAbsent = errno === ERRNO.EADDRNOTAVAIL || errno === ERRNO.ENXIO;
  throw systemError(
    libc,
    `Cannot bind to ${remote}${where}`,
    errno,
    bindHint(errno, options),
    isAbsent ? AbsentError : AggvpnError,
  );
}

/** Makes the kernel report which of this host's addresses each datagram was sent to. */
function reportDestinations(libc: Libc, fd: number, local: Address): void {
  if (local.family === 4) refine(libc, fd, IPPROTO_IP, IP_RECVDSTADDR, 1);
  else refine(libc, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

function zoneIndex(libc: Libc, zone: string): number {
  const index = /^\d+$/.test(zone) ? Number(zone) : interfaceIndex(libc, zone);
  if (index > 0) return index;
  throw new AbsentError(`Cannot find interface "${zone}"`, {
    hint: `"ifconfig" lists those of this host.`,
  });
}

function interfaceIndex(libc: Libc, name: string): number {
  return name.length < IFNAMSIZ ? libc.symbols.if_nametoindex(cString(name)) : 0;
}

function bindHint(errno: number, { port, rdomain = 0 }: SocketOptions): string | undefined {
  const hints: Record<number, string> = {
    [ERRNO.EADDRINUSE]: `Another program uses the port; "fstat -n | grep :${port}" names it.`,
    [ERRNO.EADDRNOTAVAIL]:
      `No interface in rdomain ${rdomain} has this address; "ifconfig" lists those of this host.`,
    [ERRNO.EACCES]: "Ports below 1024 need root.",
    [ERRNO.EINVAL]: "A link-local address needs its interface, such as fe80::1%em0.",
  };
  return hints[errno];
}

/**
 * Sets the receive buffer to as much as the kernel allows: it refuses, with ENOBUFS, more than
 * SB_MAX (2 MiB), or more than there is while it is short of memory, instead of granting less.
 */
function growReceiveBuffer(libc: Libc, fd: number): void {
  for (let size = RECEIVE_BUFFER_BYTES; size >= LEAST_BUFFER_BYTES; size >>= 1) {
    if (refine(libc, fd, SOL_SOCKET, SO_RCVBUF, size)) return;
  }
}

/** Sets an option that the socket can do without; returns whether the kernel took it. */
function refine(libc: Libc, fd: number, level: number, option: number, value: number): boolean {
  if (setOption(libc, fd, level, option, value)) return true;
  libc.errno("setsockopt");
  return false;
}

/** Sets an integer option; returns whether the kernel took it. */
function setOption(libc: Libc, fd: number, level: number, option: number, value: number): boolean {
  return libc.symbols.setsockopt(fd, level, option, Uint32Array.of(value), 4) === 0;
}
