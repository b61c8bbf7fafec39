/**
 * OpenBSD's numbers and structures a second time, independent of
 * src/platform/openbsd/: what both have in common is not a typo made once.
 *
 * Numbers are those of rust-lang/libc (src/unix/bsd/mod.rs, src/unix/bsd/netbsdlike/mod.rs and
 * src/unix/bsd/netbsdlike/openbsd/mod.rs), except where said otherwise. Requests of ioctl(2) are
 * computed from their declaration in sys/net/if_tun.h by the macros of sys/sys/ioccom.h.
 *
 * @module
 */

import { type Declaration, type Layout, layOut, type Machine } from "./c_layout.ts";

const IN_ADDR: Declaration = { members: [["s_addr", "int"]] };
const IN6_ADDR: Declaration = { members: [["s6_addr", "char", 16]] };
const MSGHDR: Declaration = {
  members: [
    ["msg_name", "pointer"],
    ["msg_namelen", "int"],
    ["msg_iov", "pointer"],
    ["msg_iovlen", "int"],
    ["msg_control", "pointer"],
    ["msg_controllen", "int"],
    ["msg_flags", "int"],
  ],
};

const DECLARATIONS = {
  sockaddr_in: {
    members: [
      ["sin_len", "char"],
      ["sin_family", "char"],
      ["sin_port", "short"],
      ["sin_addr", IN_ADDR],
      ["sin_zero", "char", 8],
    ],
  },
  // in6_addr is a union with 32-bit members, but starts at a multiple of 4 anyway.
  sockaddr_in6: {
    members: [
      ["sin6_len", "char"],
      ["sin6_family", "char"],
      ["sin6_port", "short"],
      ["sin6_flowinfo", "int"],
      ["sin6_addr", IN6_ADDR],
      ["sin6_scope_id", "int"],
    ],
  },
  iovec: { members: [["iov_base", "pointer"], ["iov_len", "long"]] },
  msghdr: MSGHDR,
  mmsghdr: { members: [["msg_hdr", MSGHDR], ["msg_len", "int"]] },
  cmsghdr: { members: [["cmsg_len", "int"], ["cmsg_level", "int"], ["cmsg_type", "int"]] },
  in_addr: IN_ADDR,
  in6_pktinfo: { members: [["ipi6_addr", IN6_ADDR], ["ipi6_ifindex", "int"]] },
  pollfd: { members: [["fd", "int"], ["events", "short"], ["revents", "short"]] },
  timespec: { members: [["tv_sec", "long long"], ["tv_nsec", "long"]] },
  // sys/net/if_tun.h
  tuninfo: {
    members: [["mtu", "int"], ["type", "short"], ["flags", "short"], ["baudrate", "int"]],
  },
  tun_capabilities: { members: [["tun_if_capabilities", "int"]] },
  tun_hdr: {
    members: [["th_flags", "short"], ["th_pad", "short"], ["th_vtag", "short"], [
      "th_mss",
      "short",
    ]],
  },
} as const satisfies Readonly<Record<string, Declaration>>;

/** Structures by name. */
export type Layouts = Readonly<Record<keyof typeof DECLARATIONS, Layout>>;

/** Returns every structure as `machine` has it. */
export function layoutsOf(machine: Machine): Layouts {
  const entries = Object.entries(DECLARATIONS).map(([name, declaration]) =>
    [name, layOut(declaration, machine)] as const
  );
  return Object.fromEntries(entries) as unknown as Layouts;
}

/** `_ALIGN()` of sys/sys/param.h: control messages begin and their data begins at multiples. */
export function align(bytes: number): number {
  return (bytes + 7) & ~7;
}

// sys/sys/ioccom.h
const IOC_OUT = 0x4000_0000;
const IOC_IN = 0x8000_0000;
const ioc = (direction: number, group: string, number: number, size: number): bigint =>
  BigInt(direction) | BigInt(size & 0x1fff) << 16n | BigInt(group.charCodeAt(0)) << 8n |
  BigInt(number);

/** Requests of ioctl(2). */
export const REQUESTS = {
  TUNSIFINFO: ioc(IOC_IN, "t", 91, layOut(DECLARATIONS.tuninfo, "amd64").size),
  TUNGIFINFO: ioc(IOC_OUT, "t", 92, layOut(DECLARATIONS.tuninfo, "amd64").size),
  TUNSCAP: ioc(IOC_IN, "t", 196, layOut(DECLARATIONS.tun_capabilities, "amd64").size),
} as const;

/** Flags and options. */
export const NUMBERS = {
  O_RDWR: 2,
  O_NONBLOCK: 0x4,
  O_CLOEXEC: 0x10000,
  AF_INET: 2,
  AF_INET6: 24,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0x4000,
  SOCK_CLOEXEC: 0x8000,
  SOL_SOCKET: 0xffff,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  SO_RTABLE: 0x1021,
  MSG_TRUNC: 0x10,
  MSG_CTRUNC: 0x20,
  MSG_DONTWAIT: 0x80,
  IPPROTO_IP: 0,
  IP_RECVDSTADDR: 7,
  IP_SENDSRCADDR: 7,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 27,
  IPV6_RECVPKTINFO: 36,
  IPV6_PKTINFO: 46,
  IPV6_DONTFRAG: 62,
  // sys/net/if_tun.h of 7.8, lines 63 to 69
  TUN_H_VTAG: 0x10,
  TUN_H_TCP_MSS: 0x20,
  TUN_H_IPV4_CSUM: 0x100,
  TUN_H_TCP_CSUM: 0x200,
  TUN_H_UDP_CSUM: 0x400,
  TUN_H_ICMP_CSUM: 0x800,
  // sys/net/if.h of 7.8, lines 247 to 257
  IFCAP_CSUM_IPv4: 0x1,
  IFCAP_CSUM_TCPv4: 0x2,
  IFCAP_CSUM_UDPv4: 0x4,
  IFCAP_CSUM_TCPv6: 0x80,
  IFCAP_CSUM_UDPv6: 0x100,
  IFCAP_TSOv4: 0x1000,
  IFCAP_TSOv6: 0x2000,
  IFCAP_LRO: 0x4000,
  IFF_UP: 0x1,
  IFF_BROADCAST: 0x2,
  IFF_POINTOPOINT: 0x10,
  IFF_RUNNING: 0x40,
  IFF_MULTICAST: 0x8000,
  // sys/net/if.h; rust-lang/libc has it for NetBSD only.
  IFNAMSIZ: 16,
  POLLIN: 0x1,
  POLLOUT: 0x4,
  POLLERR: 0x8,
  POLLHUP: 0x10,
  POLLNVAL: 0x20,
  SIGKILL: 9,
  SIGUSR1: 30,
} as const;

/** Error numbers, and what strerror(3) says: lib/libc/gen/errlist.c. */
export const ERRORS: Readonly<Record<string, readonly [number: number, text: string]>> = {
  EPERM: [1, "Operation not permitted"],
  ENOENT: [2, "No such file or directory"],
  EINTR: [4, "Interrupted system call"],
  EIO: [5, "Input/output error"],
  ENXIO: [6, "Device not configured"],
  EBADF: [9, "Bad file descriptor"],
  ENOMEM: [12, "Cannot allocate memory"],
  EACCES: [13, "Permission denied"],
  EFAULT: [14, "Bad address"],
  EBUSY: [16, "Device busy"],
  EEXIST: [17, "File exists"],
  ENODEV: [19, "Operation not supported by device"],
  EINVAL: [22, "Invalid argument"],
  EMFILE: [24, "Too many open files"],
  ENOTTY: [25, "Inappropriate ioctl for device"],
  EAGAIN: [35, "Resource temporarily unavailable"],
  ENOTSOCK: [38, "Socket operation on non-socket"],
  EMSGSIZE: [40, "Message too long"],
  ENOPROTOOPT: [42, "Protocol not available"],
  EAFNOSUPPORT: [47, "Address family not supported by protocol family"],
  EADDRINUSE: [48, "Address already in use"],
  EADDRNOTAVAIL: [49, "Can't assign requested address"],
  ENETDOWN: [50, "Network is down"],
  ENETUNREACH: [51, "Network is unreachable"],
  ENOBUFS: [55, "No buffer space available"],
  ECONNREFUSED: [61, "Connection refused"],
  EHOSTDOWN: [64, "Host is down"],
  EHOSTUNREACH: [65, "No route to host"],
  ESRCH: [3, "No such process"],
  ENOSYS: [78, "Function not implemented"],
};
