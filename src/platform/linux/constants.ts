/**
 * Numbers of the Linux system-call interface, each with the header that defines
 * it. They are the same on x86-64 and arm64. Requests of ioctl(2) are unsigned
 * longs, hence BigInts.
 *
 * @module
 */

// <asm-generic/fcntl.h>: open(2)
export const O_RDWR = 0x2;
export const O_NONBLOCK = 0x800;
export const O_CLOEXEC = 0x8_0000;

// <linux/if_tun.h>: kernel Documentation/networking/tuntap.rst
/** `_IOW('T', 202, int)`, although it takes a struct ifreq. */
export const TUNSETIFF = 0x4004_54can;
export const TUNGETFEATURES = 0x8004_54cfn;
/** Takes its argument by value. */
export const TUNSETOFFLOAD = 0x4004_54d0n;
export const TUNSETVNETHDRSZ = 0x4004_54d8n;
/** Layer 3, no link header. */
export const IFF_TUN = 0x1;
/** No four-byte packet information prefix. */
export const IFF_NO_PI = 0x1000;
/** A struct virtio_net_hdr in front of every packet. */
export const IFF_VNET_HDR = 0x4000;
/** Packets without checksum; needed for all others. */
export const TUN_F_CSUM = 0x01n;
/** Super-packets of TCP over IPv4 and IPv6, and those that begin with CWR. */
export const TUN_F_TSO4 = 0x02n;
export const TUN_F_TSO6 = 0x04n;
export const TUN_F_TSO_ECN = 0x08n;
/** Super-packets of UDP; only both together (Linux 6.2). */
export const TUN_F_USO4 = 0x20n;
export const TUN_F_USO6 = 0x40n;

// <linux/if.h>, <linux/sockios.h>: netdevice(7)
/** Bytes of an interface name with its NUL. */
export const IFNAMSIZ = 16;
/** Bytes of struct ifreq: name 16, union 24. */
export const IFREQ_BYTES = 40;
/** Where the union of struct ifreq starts, and with it `ifr_flags` (u16) and `ifr_mtu` (i32). */
export const IFREQ_FLAGS = 16;
export const IFREQ_MTU = 16;
export const SIOCGIFFLAGS = 0x8913n;
export const SIOCGIFMTU = 0x8921n;
/** The interface was brought up by the administrator. */
export const IFF_UP = 0x1;
/** It has one other end, which needs no route to be reached. */
export const IFF_POINTOPOINT = 0x10;
/** The interface is operational: up and with a carrier. */
export const IFF_RUNNING = 0x40;

// <bits/socket.h>: socket(2)
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
/** <linux/timex.h>: the clock is not synchronized. */
export const STA_UNSYNC = 0x40;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x8_0000;

// <bits/socket.h>: recv(2)
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

// <linux/un.h>: unix(7)
/** Bytes of a path with its NUL, or of an abstract name with the NUL before it. */
export const SUN_PATH_BYTES = 108;

// <linux/time.h>: clock_gettime(2)
export const CLOCK_MONOTONIC = 1;

// <asm-generic/socket.h>: socket(7)
export const SOL_SOCKET = 1;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_MARK = 36;
export const SO_RXQ_OVFL = 40;

// <linux/in.h>: ip(7)
export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
export const IP_MTU_DISCOVER = 10;
/** Sets DF and ignores the path MTU the kernel knows. */
export const IP_PMTUDISC_PROBE = 3;

// <linux/udp.h>: udp(7)
export const SOL_UDP = 17;
/** Length that a message is cut at, as a u16: Linux 4.18. */
export const UDP_SEGMENT = 103;
/** Datagrams may arrive joined, with their length as an int: Linux 5.0. */
export const UDP_GRO = 104;

// <linux/in6.h>: ipv6(7), RFC 3542
export const IPPROTO_IPV6 = 41;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_PMTUDISC_PROBE = 3;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_DONTFRAG = 62;

// <linux/netlink.h>: netlink(7)
export const NETLINK_ROUTE = 0;
export const NLM_F_REQUEST = 0x1;
/** NLM_F_ROOT | NLM_F_MATCH: everything there is. */
export const NLM_F_DUMP = 0x300;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

// <linux/rtnetlink.h>: rtnetlink(7)
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
/** Groups of messages; group n is bit n - 1 of a mask. */
export const RTNLGRP_LINK = 1;
export const RTNLGRP_IPV4_IFADDR = 5;
export const RTNLGRP_IPV4_ROUTE = 7;
export const RTNLGRP_IPV6_IFADDR = 9;
export const RTNLGRP_IPV6_ROUTE = 11;
export const RTA_DST = 1;
export const RTA_SRC = 2;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_TABLE = 15;
export const RTA_MARK = 16;
/** A gateway of another family than the route: family u16 0, address 2. */
export const RTA_VIA = 18;
export const RTN_UNICAST = 1;
export const RT_TABLE_MAIN = 254;
/** An answer only from a route that exists, not from what is assumed without one: Linux 4.13. */
export const RTM_F_FIB_MATCH = 0x2000;
/** An answer without statistics. */
export const RTEXT_FILTER_SKIP_STATS = 0x8;

// <linux/if_link.h>, <linux/if_addr.h>: rtnetlink(7)
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_EXT_MASK = 29;
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
/** An address that soon gives way to another one (RFC 8981). */
export const IFA_F_TEMPORARY = 0x1;
export const RT_SCOPE_UNIVERSE = 0;

// <asm-generic/poll.h>: poll(2)
export const POLLIN = 0x1;
export const POLLOUT = 0x4;

// <bits/eventfd.h>: eventfd(2)
export const EFD_NONBLOCK = 0x800;
export const EFD_CLOEXEC = 0x8_0000;

// <asm/signal.h>, <asm-generic/signal-defs.h>: signal(7)
export const SIGKILL = 9;
export const SIGTERM = 15;
export const SIGUSR1 = 10;
/** The handler that ignores a signal. */
export const SIG_IGN = 1n;
/** What signal(2) returns on failure, as an unsigned address. */
export const SIG_ERR = 0xffff_ffff_ffff_ffffn;

// <linux/capability.h>: capabilities(7)
export const CAP_NET_ADMIN = 12;

// <sys/resource.h>
export const PRIO_PROCESS = 0;
