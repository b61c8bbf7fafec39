/**
 * Numbers of the OpenBSD system-call interface, each with the header that
 * defines it. They are the same on amd64 and arm64. Requests of ioctl(2) are
 * unsigned longs, hence BigInts.
 *
 * tests/platform/openbsd/abi.ts holds them a second time, each with its place in the headers.
 *
 * @module
 */

// <sys/fcntl.h>: open(2)
export const O_RDWR = 0x2;
export const O_NONBLOCK = 0x4;
export const O_CLOEXEC = 0x1_0000;

// <net/if_tun.h>: tun(4)
/** `_IOW('t', 91, struct tuninfo)`: type and flags must be those that are set already. */
export const TUNSIFINFO = 0x800c_745bn;
/** `_IOR('t', 92, struct tuninfo)` */
export const TUNGIFINFO = 0x400c_745cn;
/** `_IOW('t', 196, struct tun_capabilities)`, which is a u32 of IFCAP_...; since 7.7. */
export const TUNSCAP = 0x8004_74c4n;
/** Flags of struct tun_hdr: a super-packet, whose segments have `mss` bytes of payload. */
export const TUN_H_TCP_MSS = 1 << 5;
/** Checksums that are left to compute. */
export const TUN_H_IPV4_CSUM = 1 << 8;
export const TUN_H_TCP_CSUM = 1 << 9;
export const TUN_H_UDP_CSUM = 1 << 10;
export const TUN_H_ICMP_CSUM = 1 << 11;

// <net/if.h>: what an interface does by itself
/** Checksums of TCP over IPv4. */
export const IFCAP_CSUM_TCPv4 = 0x2;
/** Checksums of UDP over IPv4. */
export const IFCAP_CSUM_UDPv4 = 0x4;
/** Checksums of TCP over IPv6. */
export const IFCAP_CSUM_TCPv6 = 0x80;
/** Checksums of UDP over IPv6. */
export const IFCAP_CSUM_UDPv6 = 0x100;
/** Cutting super-packets of TCP over IPv4. */
export const IFCAP_TSOv4 = 0x1000;
/** Cutting super-packets of TCP over IPv6. */
export const IFCAP_TSOv6 = 0x2000;

// <net/if.h>: netintro(4)
/** Bytes of an interface name with its NUL. */
export const IFNAMSIZ = 16;

/** Flag of an interface that is up. */
export const IFF_UP = 0x1;
/** The state of its link is not known. */
export const LINK_STATE_UNKNOWN = 0;
/** The least state of a link that is up. */
export const LINK_STATE_UP = 4;
/** The interface is leaving. */
export const IFAN_DEPARTURE = 1;

// <net/route.h>: route(4)
export const RTM_VERSION = 5;
/** Longest message in bytes. */
export const RTM_MAXSIZE = 2048;
export const RTM_ADD = 0x1;
export const RTM_DELETE = 0x2;
export const RTM_CHANGE = 0x3;
export const RTM_GET = 0x4;
export const RTM_NEWADDR = 0xc;
export const RTM_DELADDR = 0xd;
export const RTM_IFINFO = 0xe;
export const RTM_IFANNOUNCE = 0xf;
/** Messages were lost, since the buffer was full; always told. */
export const RTM_DESYNC = 0x10;
/** Flags of a route. */
export const RTF_UP = 0x1;
export const RTF_REJECT = 0x8;
export const RTF_BLACKHOLE = 0x1000;
/** Which socket addresses follow a message, in this order. */
export const RTA_DST = 0x1;
export const RTA_NETMASK = 0x4;
export const RTA_IFP = 0x10;
/** Options of the socket: which messages (a set of bits), and of which table. */
export const ROUTE_MSGFILTER = 1;
export const ROUTE_TABLEFILTER = 2;
export const RTABLE_ANY = 0xffff_ffff;

// <sys/socket.h>: socket(2)
export const AF_INET = 2;
export const AF_ROUTE = 17;
export const AF_INET6 = 24;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0x4000;
export const SOCK_CLOEXEC = 0x8000;

// <sys/socket.h>: recv(2)
export const MSG_TRUNC = 0x10;
export const MSG_DONTWAIT = 0x80;

// <sys/socket.h>: getsockopt(2)
export const SOL_SOCKET = 0xffff;
export const SO_RCVBUF = 0x1002;
/** Routing table of a socket that has no local port yet. */
export const SO_RTABLE = 0x1021;

// <netinet/in.h>: ip(4)
export const IPPROTO_IP = 0;
/** Asks for a control message of the same number with the destination address. */
export const IP_RECVDSTADDR = 7;
/** Control message that sets the source address. */
export const IP_SENDSRCADDR = 7;

// <netinet6/in6.h>: ip6(4), RFC 3542
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 27;
export const IPV6_RECVPKTINFO = 36;
export const IPV6_PKTINFO = 46;
export const IPV6_DONTFRAG = 62;

// <sys/poll.h>: poll(2)
export const POLLIN = 0x1;
export const POLLOUT = 0x4;

// <sys/signal.h>: sigaction(2)
export const SIGKILL = 9;
export const SIGTERM = 15;
export const SIGUSR1 = 30;
/** The handler that ignores a signal. */
export const SIG_IGN = 1n;
/** What signal(3) returns on failure, as an unsigned address. */
export const SIG_ERR = 0xffff_ffff_ffff_ffffn;
