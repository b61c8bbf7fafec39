/**
 * Where the members of OpenBSD's structures are: sizes and offsets in bytes, each named after the
 * structure and its member. They are the same on amd64 and arm64, and both are little-endian.
 *
 * tests/platform/openbsd/abi_structures.ts holds them a second time, with their places in the headers.
 *
 * @module
 */

// <netinet/in.h>: inet(4). Port and addresses are in network order.
export const SOCKADDR_IN_BYTES = 16;
/** u8: the size of the whole; the same in every socket address. */
export const SOCKADDR_IN_LEN = 0;
/** u8: the same in every socket address. */
export const SOCKADDR_IN_FAMILY = 1;
/** u16: the same in both socket addresses. */
export const SOCKADDR_IN_PORT = 2;
export const SOCKADDR_IN_ADDR = 4;
/** What IP_RECVDSTADDR and IP_SENDSRCADDR carry. */
export const IN_ADDR_BYTES = 4;

// <netinet6/in6.h>: inet6(4)
/** The larger of the two socket addresses. */
export const SOCKADDR_IN6_BYTES = 28;
export const SOCKADDR_IN6_ADDR = 8;
/** u32 */
export const SOCKADDR_IN6_SCOPE_ID = 24;
/** What IPV6_PKTINFO carries: the address, then the interface. */
export const IN6_PKTINFO_BYTES = 20;
/** u32 */
export const IN6_PKTINFO_IFINDEX = 16;

// <sys/uio.h>: readv(2)
export const IOVEC_BYTES = 16;
/** Address */
export const IOVEC_BASE = 0;
/** u64 */
export const IOVEC_LEN = 8;

// <sys/socket.h>: recvmmsg(2) and sendmmsg(2). A mmsghdr begins with a msghdr.
export const MMSGHDR_BYTES = 56;
/** u32: bytes of the datagram. */
export const MMSGHDR_LEN = 48;
/** Address */
export const MSGHDR_NAME = 0;
/** u32 */
export const MSGHDR_NAMELEN = 8;
/** Address */
export const MSGHDR_IOV = 16;
/** u32, not the u64 of Linux; so are the other lengths. */
export const MSGHDR_IOVLEN = 24;
/** Address */
export const MSGHDR_CONTROL = 32;
/** u32 */
export const MSGHDR_CONTROLLEN = 40;
/** i32 */
export const MSGHDR_FLAGS = 44;

// <sys/socket.h>: control messages, CMSG_DATA(3)
/** u32: `CMSG_LEN()` of the data. */
export const CMSGHDR_LEN = 0;
/** i32 */
export const CMSGHDR_LEVEL = 4;
/** i32 */
export const CMSGHDR_TYPE = 8;

/** Bytes up to the end of the data, `CMSG_LEN()`: the header has 12 and is aligned to 8. */
export function controlLength(dataBytes: number): number {
  return 16 + dataBytes;
}

/** Bytes up to the next control message, `CMSG_SPACE()`: the data is aligned to 8 too. */
export function controlSpace(dataBytes: number): number {
  return 16 + (dataBytes + 7 >>> 3) * 8;
}

/** Where the data of a control message begins. */
export const CMSG_DATA: number = controlLength(0);

// <sys/poll.h>: poll(2)
export const POLLFD_BYTES = 8;
/** i32 */
export const POLLFD_FD = 0;
/** u16 */
export const POLLFD_EVENTS = 4;
/** u16 */
export const POLLFD_REVENTS = 6;

// <sys/_time.h>: clock_gettime(2)
export const TIMESPEC_BYTES = 16;
/** i64 */
export const TIMESPEC_SEC = 0;
/** i64 */
export const TIMESPEC_NSEC = 8;

// <net/route.h>, <net/if.h>: route(4). Every message begins like a rt_msghdr.
export const RT_MSGHDR_BYTES = 96;
/** u16: the size of the whole. */
export const RT_MSGHDR_MSGLEN = 0;
/** u8 */
export const RT_MSGHDR_VERSION = 2;
/** u8: RTM_... */
export const RT_MSGHDR_TYPE = 3;
/** u16: where the socket addresses begin. */
export const RT_MSGHDR_HDRLEN = 4;
/** u16: number of the interface. */
export const RT_MSGHDR_INDEX = 6;
/** u16: the routing table; of interfaces and addresses the routing domain. */
export const RT_MSGHDR_TABLEID = 8;
/** u32: RTA_..., the socket addresses that there are. */
export const RT_MSGHDR_ADDRS = 12;
/** u32: RTF_... */
export const RT_MSGHDR_FLAGS = 16;
/** i32 */
export const RT_MSGHDR_SEQ = 28;
/** i32 */
export const RT_MSGHDR_ERRNO = 32;
export const IF_MSGHDR_BYTES = 168;
/** u32: IFF_... */
export const IF_MSGHDR_FLAGS = 16;
/** A struct if_data. */
export const IF_MSGHDR_DATA = 24;
/** u8: LINK_STATE_... */
export const IF_DATA_LINK_STATE = 3;
/** u32 */
export const IF_DATA_MTU = 4;
export const IFA_MSGHDR_BYTES = 24;
export const IF_ANNOUNCEMSGHDR_BYTES = 26;
/** u16: IFAN_... */
export const IF_ANNOUNCEMSGHDR_WHAT = 8;
/** A C string of IFNAMSIZ bytes. */
export const IF_ANNOUNCEMSGHDR_NAME = 10;

// <net/if_dl.h>: the socket address of an interface
/** u8: bytes of its name. */
export const SOCKADDR_DL_NLEN = 5;
/** The name, then the address of the interface. */
export const SOCKADDR_DL_DATA = 8;

// <net/if_tun.h>: tun(4)
export const TUNINFO_BYTES = 12;
/** u32; the rest, type and flags, goes back as the kernel gave it. */
export const TUNINFO_MTU = 0;
/** Of a u32 of IFCAP_... */
export const TUN_CAPABILITIES_BYTES = 4;
export const TUN_HDR_BYTES = 8;
/** u16 of TUN_H_... */
export const TUN_HDR_FLAGS = 0;
/** u16: payload in a segment. */
export const TUN_HDR_MSS = 6;
