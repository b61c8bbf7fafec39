/**
 * OpenBSD's numbers and structures a second time, independent of src/platform/openbsd/: what both
 * agree on is not a typo made once.
 *
 * Each has its place, `file:line` of the sources of 7.8. The numbers have been the same since 7.2;
 * the offload of tun(4) came with 7.7, its capabilities with 7.4. They do not differ on amd64 and
 * arm64. `check_places.ts` compares them with a source tree.
 *
 * @module
 */

export { align, CONTROL_MACROS, type Layouts, layoutsOf } from "./abi_structures.ts";

/** A number and its place. */
type Placed<T> = readonly [value: T, place: string];

/** Requests of ioctl(2) and handlers of signal(3), which are as wide as an address. */
export const PLACED_WORDS = {
  // What `_IOW('t', ...)` and `_IOR('t', ...)` give: sys/sys/ioccom.h:60.
  TUNSIFINFO: [0x800c745bn, "sys/net/if_tun.h:104"],
  TUNGIFINFO: [0x400c745cn, "sys/net/if_tun.h:105"],
  TUNSCAP: [0x800474c4n, "sys/net/if_tun.h:118"],
  SIG_IGN: [1n, "sys/sys/signal.h:98"],
  SIG_ERR: [0xffff_ffff_ffff_ffffn, "sys/sys/signal.h:99"],
} as const satisfies Readonly<Record<string, Placed<bigint>>>;

/** Requests of ioctl(2). */
export const REQUESTS = {
  TUNSIFINFO: PLACED_WORDS.TUNSIFINFO[0],
  TUNGIFINFO: PLACED_WORDS.TUNGIFINFO[0],
  TUNSCAP: PLACED_WORDS.TUNSCAP[0],
} as const;

/** Flags and options with their places. */
export const PLACED_NUMBERS = {
  O_RDWR: [2, "sys/sys/fcntl.h:64"],
  O_NONBLOCK: [0x4, "sys/sys/fcntl.h:79"],
  O_CLOEXEC: [0x10000, "sys/sys/fcntl.h:109"],
  AF_INET: [2, "sys/sys/socket.h:170"],
  AF_ROUTE: [17, "sys/sys/socket.h:186"],
  AF_LINK: [18, "sys/sys/socket.h:187"],
  AF_INET6: [24, "sys/sys/socket.h:193"],
  SOCK_STREAM: [1, "sys/sys/socket.h:63"],
  SOCK_DGRAM: [2, "sys/sys/socket.h:64"],
  SOCK_RAW: [3, "sys/sys/socket.h:65"],
  SOCK_NONBLOCK: [0x4000, "sys/sys/socket.h:77"],
  SOCK_CLOEXEC: [0x8000, "sys/sys/socket.h:76"],
  SOL_SOCKET: [0xffff, "sys/sys/socket.h:162"],
  SO_SNDBUF: [0x1001, "sys/sys/socket.h:109"],
  SO_RCVBUF: [0x1002, "sys/sys/socket.h:110"],
  SO_RTABLE: [0x1021, "sys/sys/socket.h:117"],
  MSG_TRUNC: [0x10, "sys/sys/socket.h:510"],
  MSG_CTRUNC: [0x20, "sys/sys/socket.h:511"],
  MSG_DONTWAIT: [0x80, "sys/sys/socket.h:513"],
  IPPROTO_IP: [0, "sys/netinet/in.h:70"],
  IP_RECVDSTADDR: [7, "sys/netinet/in.h:292"],
  IP_SENDSRCADDR: [7, "sys/netinet/in.h:318"],
  IPPROTO_IPV6: [41, "sys/netinet/in.h:83"],
  IPV6_V6ONLY: [27, "sys/netinet6/in6.h:299"],
  IPV6_RECVPKTINFO: [36, "sys/netinet6/in6.h:304"],
  IPV6_PKTINFO: [46, "sys/netinet6/in6.h:317"],
  IPV6_DONTFRAG: [62, "sys/netinet6/in6.h:336"],
  TUN_H_VTAG: [0x10, "sys/net/if_tun.h:63"],
  TUN_H_TCP_MSS: [0x20, "sys/net/if_tun.h:64"],
  TUN_H_IPV4_CSUM: [0x100, "sys/net/if_tun.h:66"],
  TUN_H_TCP_CSUM: [0x200, "sys/net/if_tun.h:67"],
  TUN_H_UDP_CSUM: [0x400, "sys/net/if_tun.h:68"],
  TUN_H_ICMP_CSUM: [0x800, "sys/net/if_tun.h:69"],
  IFCAP_CSUM_IPv4: [0x1, "sys/net/if.h:247"],
  IFCAP_CSUM_TCPv4: [0x2, "sys/net/if.h:248"],
  IFCAP_CSUM_UDPv4: [0x4, "sys/net/if.h:249"],
  IFCAP_CSUM_TCPv6: [0x80, "sys/net/if.h:253"],
  IFCAP_CSUM_UDPv6: [0x100, "sys/net/if.h:254"],
  IFCAP_TSOv4: [0x1000, "sys/net/if.h:255"],
  IFCAP_TSOv6: [0x2000, "sys/net/if.h:256"],
  IFCAP_LRO: [0x4000, "sys/net/if.h:257"],
  IFF_UP: [0x1, "sys/net/if.h:203"],
  IFF_BROADCAST: [0x2, "sys/net/if.h:204"],
  IFF_POINTOPOINT: [0x10, "sys/net/if.h:207"],
  IFF_RUNNING: [0x40, "sys/net/if.h:209"],
  IFF_MULTICAST: [0x8000, "sys/net/if.h:218"],
  IFNAMSIZ: [16, "sys/net/if.h:187"],
  LINK_STATE_UNKNOWN: [0, "sys/net/if.h:138"],
  LINK_STATE_DOWN: [2, "sys/net/if.h:140"],
  LINK_STATE_UP: [4, "sys/net/if.h:142"],
  IFAN_ARRIVAL: [0, "sys/net/if.h:329"],
  IFAN_DEPARTURE: [1, "sys/net/if.h:330"],
  RTM_VERSION: [5, "sys/net/route.h:241"],
  RTM_MAXSIZE: [2048, "sys/net/route.h:243"],
  RTM_ADD: [0x1, "sys/net/route.h:246"],
  RTM_DELETE: [0x2, "sys/net/route.h:247"],
  RTM_CHANGE: [0x3, "sys/net/route.h:248"],
  RTM_GET: [0x4, "sys/net/route.h:249"],
  RTM_NEWADDR: [0xc, "sys/net/route.h:254"],
  RTM_DELADDR: [0xd, "sys/net/route.h:255"],
  RTM_IFINFO: [0xe, "sys/net/route.h:256"],
  RTM_IFANNOUNCE: [0xf, "sys/net/route.h:257"],
  RTM_DESYNC: [0x10, "sys/net/route.h:258"],
  RTF_UP: [0x1, "sys/net/route.h:146"],
  RTF_REJECT: [0x8, "sys/net/route.h:149"],
  RTF_BLACKHOLE: [0x1000, "sys/net/route.h:157"],
  RTA_DST: [0x1, "sys/net/route.h:278"],
  RTA_NETMASK: [0x4, "sys/net/route.h:280"],
  RTA_IFP: [0x10, "sys/net/route.h:282"],
  ROUTE_MSGFILTER: [1, "sys/net/route.h:317"],
  ROUTE_TABLEFILTER: [2, "sys/net/route.h:319"],
  RTABLE_ANY: [0xffffffff, "sys/net/route.h:328"],
  POLLIN: [0x1, "sys/sys/poll.h:39"],
  POLLOUT: [0x4, "sys/sys/poll.h:41"],
  POLLERR: [0x8, "sys/sys/poll.h:42"],
  POLLHUP: [0x10, "sys/sys/poll.h:43"],
  POLLNVAL: [0x20, "sys/sys/poll.h:44"],
  SIGKILL: [9, "sys/sys/signal.h:62"],
  SIGTERM: [15, "sys/sys/signal.h:68"],
  SIGUSR1: [30, "sys/sys/signal.h:87"],
} as const satisfies Readonly<Record<string, Placed<number>>>;

/** Flags and options. */
export const NUMBERS = Object.fromEntries(
  Object.entries(PLACED_NUMBERS).map(([name, [value]]) => [name, value]),
) as Readonly<Record<keyof typeof PLACED_NUMBERS, number>>;

/** Error numbers, their places, and what strerror(3) says: lib/libc/gen/errlist.c. */
export const ERRORS: Readonly<
  Record<string, readonly [number: number, place: string, text: string]>
> = {
  EPERM: [1, "sys/sys/errno.h:42", "Operation not permitted"],
  ENOENT: [2, "sys/sys/errno.h:43", "No such file or directory"],
  EINTR: [4, "sys/sys/errno.h:45", "Interrupted system call"],
  EIO: [5, "sys/sys/errno.h:46", "Input/output error"],
  ENXIO: [6, "sys/sys/errno.h:47", "Device not configured"],
  EBADF: [9, "sys/sys/errno.h:50", "Bad file descriptor"],
  ENOMEM: [12, "sys/sys/errno.h:54", "Cannot allocate memory"],
  EACCES: [13, "sys/sys/errno.h:55", "Permission denied"],
  EFAULT: [14, "sys/sys/errno.h:56", "Bad address"],
  EBUSY: [16, "sys/sys/errno.h:60", "Device busy"],
  EEXIST: [17, "sys/sys/errno.h:61", "File exists"],
  ENODEV: [19, "sys/sys/errno.h:63", "Operation not supported by device"],
  EINVAL: [22, "sys/sys/errno.h:66", "Invalid argument"],
  ENOTTY: [25, "sys/sys/errno.h:69", "Inappropriate ioctl for device"],
  EAGAIN: [35, "sys/sys/errno.h:83", "Resource temporarily unavailable"],
  ENOTSOCK: [38, "sys/sys/errno.h:89", "Socket operation on non-socket"],
  EMSGSIZE: [40, "sys/sys/errno.h:91", "Message too long"],
  ENOPROTOOPT: [42, "sys/sys/errno.h:93", "Protocol not available"],
  EAFNOSUPPORT: [47, "sys/sys/errno.h:102", "Address family not supported by protocol family"],
  EADDRINUSE: [48, "sys/sys/errno.h:103", "Address already in use"],
  EADDRNOTAVAIL: [49, "sys/sys/errno.h:104", "Can't assign requested address"],
  ENETDOWN: [50, "sys/sys/errno.h:107", "Network is down"],
  ENETUNREACH: [51, "sys/sys/errno.h:108", "Network is unreachable"],
  ENOBUFS: [55, "sys/sys/errno.h:112", "No buffer space available"],
  ENOTCONN: [57, "sys/sys/errno.h:114", "Socket is not connected"],
  ECONNREFUSED: [61, "sys/sys/errno.h:120", "Connection refused"],
  EHOSTDOWN: [64, "sys/sys/errno.h:127", "Host is down"],
  EHOSTUNREACH: [65, "sys/sys/errno.h:129", "No route to host"],
  EMFILE: [24, "sys/sys/errno.h:68", "Too many open files"],
  ESRCH: [3, "sys/sys/errno.h:44", "No such process"],
  ENOSYS: [78, "sys/sys/errno.h:151", "Function not implemented"],
};
