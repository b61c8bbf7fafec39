/**
 * OpenBSD's structures a second time, independent of src/platform/openbsd/: declarations with what
 * the C compiler makes of them on amd64 and arm64, and where each is in the headers of 7.8.
 *
 * `check_places.ts` compares them with a source tree.
 *
 * @module
 */

import { type Declaration, type Layout, layOut, type Machine } from "./c_layout.ts";

const IN_ADDR: Declaration = {
  place: "sys/netinet/in.h:167",
  size: 4,
  members: [["s_addr", "int", 0, 168]],
};
/** A union with 32-bit members; wherever it is used, it starts at a multiple of 4 anyway. */
const IN6_ADDR: Declaration = {
  place: "sys/netinet6/in6.h:81",
  size: 16,
  members: [["__u6_addr8", "char", 0, 83, 16]],
};
const MSGHDR: Declaration = {
  place: "sys/sys/socket.h:489",
  size: 48,
  members: [
    ["msg_name", "pointer", 0, 490],
    ["msg_namelen", "int", 8, 491],
    ["msg_iov", "pointer", 16, 492],
    ["msg_iovlen", "int", 24, 493],
    ["msg_control", "pointer", 32, 494],
    ["msg_controllen", "int", 40, 495],
    ["msg_flags", "int", 44, 496],
  ],
};

/** Structures by name. */
export const DECLARATIONS = {
  sockaddr_in: {
    place: "sys/netinet/in.h:258",
    size: 16,
    members: [
      ["sin_len", "char", 0, 259],
      ["sin_family", "char", 1, 260],
      ["sin_port", "short", 2, 261],
      ["sin_addr", IN_ADDR, 4, 262],
      ["sin_zero", "char", 8, 263, 8],
    ],
  },
  sockaddr_in6: {
    place: "sys/netinet6/in6.h:106",
    size: 28,
    members: [
      ["sin6_len", "char", 0, 107],
      ["sin6_family", "char", 1, 108],
      ["sin6_port", "short", 2, 109],
      ["sin6_flowinfo", "int", 4, 110],
      ["sin6_addr", IN6_ADDR, 8, 111],
      ["sin6_scope_id", "int", 24, 112],
    ],
  },
  iovec: {
    place: "sys/sys/uio.h:51",
    size: 16,
    members: [["iov_base", "pointer", 0, 52], ["iov_len", "long", 8, 53]],
  },
  msghdr: MSGHDR,
  mmsghdr: {
    place: "sys/sys/socket.h:499",
    size: 56,
    members: [["msg_hdr", MSGHDR, 0, 500], ["msg_len", "int", 48, 501]],
  },
  cmsghdr: {
    place: "sys/sys/socket.h:527",
    size: 12,
    members: [
      ["cmsg_len", "int", 0, 528],
      ["cmsg_level", "int", 4, 529],
      ["cmsg_type", "int", 8, 530],
    ],
  },
  in_addr: IN_ADDR,
  in6_addr: IN6_ADDR,
  in6_pktinfo: {
    place: "sys/netinet6/in6.h:365",
    size: 20,
    members: [["ipi6_addr", IN6_ADDR, 0, 366], ["ipi6_ifindex", "int", 16, 367]],
  },
  pollfd: {
    place: "sys/sys/poll.h:31",
    size: 8,
    members: [["fd", "int", 0, 32], ["events", "short", 4, 33], ["revents", "short", 6, 34]],
  },
  timespec: {
    place: "sys/sys/_time.h:56",
    size: 16,
    members: [["tv_sec", "long long", 0, 57], ["tv_nsec", "long", 8, 58]],
  },
  tuninfo: {
    place: "sys/net/if_tun.h:98",
    size: 12,
    members: [
      ["mtu", "int", 0, 99],
      ["type", "short", 4, 100],
      ["flags", "short", 6, 101],
      ["baudrate", "int", 8, 102],
    ],
  },
  tun_capabilities: {
    place: "sys/net/if_tun.h:114",
    size: 4,
    members: [["tun_if_capabilities", "int", 0, 115]],
  },
  tun_hdr: {
    place: "sys/net/if_tun.h:60",
    size: 8,
    members: [
      ["th_flags", "short", 0, 61],
      ["th_pad", "short", 2, 71],
      ["th_vtag", "short", 4, 73],
      ["th_mss", "short", 6, 74],
    ],
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

/**
 * `_ALIGN()`: control messages begin and their data begins at multiples;
 * sys/arch/amd64/include/_types.h:50 and sys/arch/arm64/include/_types.h:55.
 */
export function align(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** What the macros for control messages give: number of bytes, result. */
export const CONTROL_MACROS = {
  CMSG_LEN: { place: "sys/sys/socket.h:561", results: [[0, 16], [4, 20], [20, 36]] },
  CMSG_SPACE: { place: "sys/sys/socket.h:564", results: [[0, 16], [4, 24], [20, 40]] },
} as const;
