/**
 * Where the headers of OpenBSD 7.8 have each number that the port rests on, and what it is there:
 * file and line below /usr/src. Sizes and offsets of structures are those that clang gives for
 * amd64 and for arm64, which agree.
 *
 * `abi.ts` has the same numbers from other sources; a test compares all three.
 *
 * @module
 */

/** A number and its place. */
export type Place = readonly [value: number, place: string];

/** Flags, options, signals and requests. */
export const NUMBERS_IN_HEADERS: Readonly<Record<string, Place>> = {
  AF_INET: [2, "sys/sys/socket.h:170"],
  AF_INET6: [24, "sys/sys/socket.h:193"],
  IFCAP_CSUM_TCPv4: [0x2, "sys/net/if.h:248"],
  IFCAP_CSUM_TCPv6: [0x80, "sys/net/if.h:253"],
  IFCAP_CSUM_UDPv4: [0x4, "sys/net/if.h:249"],
  IFCAP_CSUM_UDPv6: [0x100, "sys/net/if.h:254"],
  IFCAP_TSOv4: [0x1000, "sys/net/if.h:255"],
  IFCAP_TSOv6: [0x2000, "sys/net/if.h:256"],
  IFNAMSIZ: [16, "sys/net/if.h:187"],
  IPPROTO_IP: [0, "sys/netinet/in.h:70"],
  IPPROTO_IPV6: [41, "sys/netinet/in.h:83"],
  IPV6_DONTFRAG: [62, "sys/netinet6/in6.h:336"],
  IPV6_PKTINFO: [46, "sys/netinet6/in6.h:317"],
  IPV6_RECVPKTINFO: [36, "sys/netinet6/in6.h:304"],
  IPV6_V6ONLY: [27, "sys/netinet6/in6.h:299"],
  IP_RECVDSTADDR: [7, "sys/netinet/in.h:292"],
  IP_SENDSRCADDR: [7, "sys/netinet/in.h:318"],
  MSG_DONTWAIT: [0x80, "sys/sys/socket.h:513"],
  MSG_TRUNC: [0x10, "sys/sys/socket.h:510"],
  O_CLOEXEC: [0x10000, "sys/sys/fcntl.h:109"],
  O_NONBLOCK: [0x4, "sys/sys/fcntl.h:79"],
  O_RDWR: [0x2, "sys/sys/fcntl.h:64"],
  POLLIN: [0x1, "sys/sys/poll.h:39"],
  POLLOUT: [0x4, "sys/sys/poll.h:41"],
  SIGKILL: [9, "sys/sys/signal.h:62"],
  SIGUSR1: [30, "sys/sys/signal.h:87"],
  SOCK_CLOEXEC: [0x8000, "sys/sys/socket.h:76"],
  SOCK_DGRAM: [2, "sys/sys/socket.h:64"],
  SOCK_NONBLOCK: [0x4000, "sys/sys/socket.h:77"],
  SOL_SOCKET: [0xffff, "sys/sys/socket.h:162"],
  SO_RCVBUF: [0x1002, "sys/sys/socket.h:110"],
  SO_RTABLE: [0x1021, "sys/sys/socket.h:117"],
  TUNGIFINFO: [0x400c_745c, "sys/net/if_tun.h:105"],
  TUNSCAP: [0x8004_74c4, "sys/net/if_tun.h:118"],
  TUNSIFINFO: [0x800c_745b, "sys/net/if_tun.h:104"],
  TUN_H_ICMP_CSUM: [0x800, "sys/net/if_tun.h:69"],
  TUN_H_IPV4_CSUM: [0x100, "sys/net/if_tun.h:66"],
  TUN_H_TCP_CSUM: [0x200, "sys/net/if_tun.h:67"],
  TUN_H_TCP_MSS: [32, "sys/net/if_tun.h:64"],
  TUN_H_UDP_CSUM: [0x400, "sys/net/if_tun.h:68"],
  SO_SNDBUF: [0x1001, "sys/sys/socket.h:109"],
  MSG_CTRUNC: [0x20, "sys/sys/socket.h:511"],
  TUN_H_VTAG: [16, "sys/net/if_tun.h:63"],
  IFCAP_CSUM_IPv4: [0x1, "sys/net/if.h:247"],
  IFCAP_LRO: [0x4000, "sys/net/if.h:257"],
  IFF_UP: [0x1, "sys/net/if.h:203"],
  IFF_BROADCAST: [0x2, "sys/net/if.h:204"],
  IFF_POINTOPOINT: [0x10, "sys/net/if.h:207"],
  IFF_RUNNING: [0x40, "sys/net/if.h:209"],
  IFF_MULTICAST: [0x8000, "sys/net/if.h:218"],
  POLLERR: [0x8, "sys/sys/poll.h:42"],
  POLLHUP: [0x10, "sys/sys/poll.h:43"],
  POLLNVAL: [0x20, "sys/sys/poll.h:44"],
  SIG_IGN: [1, "sys/sys/signal.h:98"],
  SIG_ERR: [-1, "sys/sys/signal.h:99"],
};

/** Errors. */
export const ERRORS_IN_HEADERS: Readonly<Record<string, Place>> = {
  EPERM: [1, "sys/sys/errno.h:42"],
  ENOENT: [2, "sys/sys/errno.h:43"],
  EINTR: [4, "sys/sys/errno.h:45"],
  EIO: [5, "sys/sys/errno.h:46"],
  ENXIO: [6, "sys/sys/errno.h:47"],
  EBADF: [9, "sys/sys/errno.h:50"],
  ENOMEM: [12, "sys/sys/errno.h:54"],
  EACCES: [13, "sys/sys/errno.h:55"],
  EFAULT: [14, "sys/sys/errno.h:56"],
  EBUSY: [16, "sys/sys/errno.h:60"],
  EEXIST: [17, "sys/sys/errno.h:61"],
  ENODEV: [19, "sys/sys/errno.h:63"],
  EINVAL: [22, "sys/sys/errno.h:66"],
  EAGAIN: [35, "sys/sys/errno.h:83"],
  ENOTSOCK: [38, "sys/sys/errno.h:89"],
  EMSGSIZE: [40, "sys/sys/errno.h:91"],
  EAFNOSUPPORT: [47, "sys/sys/errno.h:102"],
  EADDRINUSE: [48, "sys/sys/errno.h:103"],
  EADDRNOTAVAIL: [49, "sys/sys/errno.h:104"],
  ENETDOWN: [50, "sys/sys/errno.h:107"],
  ENETUNREACH: [51, "sys/sys/errno.h:108"],
  ENOBUFS: [55, "sys/sys/errno.h:112"],
  ECONNREFUSED: [61, "sys/sys/errno.h:120"],
  EHOSTDOWN: [64, "sys/sys/errno.h:127"],
  EHOSTUNREACH: [65, "sys/sys/errno.h:129"],
  ENOSYS: [78, "sys/sys/errno.h:151"],
  ENOTTY: [25, "sys/sys/errno.h:69"],
  ENOPROTOOPT: [42, "sys/sys/errno.h:93"],
  EMFILE: [24, "sys/sys/errno.h:68"],
  ESRCH: [3, "sys/sys/errno.h:44"],
};

/** Structures: place, size in bytes, and the offset of each member. */
export const STRUCTURES_IN_HEADERS: Readonly<
  Record<string, readonly [place: string, size: number, offsets: Readonly<Record<string, number>>]>
> = {
  sockaddr_in: ["sys/netinet/in.h:258", 16, {
    "sin_len": 0,
    "sin_family": 1,
    "sin_port": 2,
    "sin_addr": 4,
    "sin_zero": 8,
  }],
  sockaddr_in6: ["sys/netinet6/in6.h:106", 28, {
    "sin6_len": 0,
    "sin6_family": 1,
    "sin6_port": 2,
    "sin6_flowinfo": 4,
    "sin6_addr": 8,
    "sin6_scope_id": 24,
  }],
  iovec: ["sys/sys/uio.h:51", 16, { "iov_base": 0, "iov_len": 8 }],
  msghdr: ["sys/sys/socket.h:489", 48, {
    "msg_name": 0,
    "msg_namelen": 8,
    "msg_iov": 16,
    "msg_iovlen": 24,
    "msg_control": 32,
    "msg_controllen": 40,
    "msg_flags": 44,
  }],
  mmsghdr: ["sys/sys/socket.h:499", 56, { "msg_hdr": 0, "msg_len": 48 }],
  cmsghdr: ["sys/sys/socket.h:527", 12, { "cmsg_len": 0, "cmsg_level": 4, "cmsg_type": 8 }],
  in_addr: ["sys/netinet/in.h:167", 4, { "s_addr": 0 }],
  in6_pktinfo: ["sys/netinet6/in6.h:365", 20, { "ipi6_addr": 0, "ipi6_ifindex": 16 }],
  pollfd: ["sys/sys/poll.h:31", 8, { "fd": 0, "events": 4, "revents": 6 }],
  timespec: ["sys/sys/time.h:57", 16, { "tv_sec": 0, "tv_nsec": 8 }],
  tuninfo: ["sys/net/if_tun.h:98", 12, { "mtu": 0, "type": 4, "flags": 6, "baudrate": 8 }],
  tun_capabilities: ["sys/net/if_tun.h:114", 4, { "tun_if_capabilities": 0 }],
  tun_hdr: ["sys/net/if_tun.h:60", 8, { "th_flags": 0, "th_pad": 2, "th_vtag": 4, "th_mss": 6 }],
};
