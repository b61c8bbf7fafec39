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

const TIMEVAL: Declaration = {
  place: "sys/sys/time.h:46",
  size: 16,
  members: [["tv_sec", "long long", 0, 47], ["tv_usec", "long", 8, 48]],
};
const RT_METRICS: Declaration = {
  place: "sys/net/route.h:72",
  size: 56,
  members: [
    ["rmx_pksent", "long long", 0, 73],
    ["rmx_expire", "long long", 8, 74],
    ["rmx_locks", "int", 16, 75],
    ["rmx_mtu", "int", 20, 76],
    ["rmx_refcnt", "int", 24, 77],
    ["rmx_hopcount", "int", 28, 79],
    ["rmx_recvpipe", "int", 32, 80],
    ["rmx_sendpipe", "int", 36, 81],
    ["rmx_ssthresh", "int", 40, 82],
    ["rmx_rtt", "int", 44, 83],
    ["rmx_rttvar", "int", 48, 84],
    ["rmx_pad", "int", 52, 85],
  ],
};
const IF_DATA: Declaration = {
  place: "sys/net/if.h:101",
  size: 144,
  members: [
    ["ifi_type", "char", 0, 103],
    ["ifi_addrlen", "char", 1, 104],
    ["ifi_hdrlen", "char", 2, 105],
    ["ifi_link_state", "char", 3, 106],
    ["ifi_mtu", "int", 4, 107],
    ["ifi_metric", "int", 8, 108],
    ["ifi_rdomain", "int", 12, 109],
    ["ifi_baudrate", "long long", 16, 110],
    ["ifi_ipackets", "long long", 24, 112],
    ["ifi_ierrors", "long long", 32, 113],
    ["ifi_opackets", "long long", 40, 114],
    ["ifi_oerrors", "long long", 48, 115],
    ["ifi_collisions", "long long", 56, 116],
    ["ifi_ibytes", "long long", 64, 117],
    ["ifi_obytes", "long long", 72, 118],
    ["ifi_imcasts", "long long", 80, 119],
    ["ifi_omcasts", "long long", 88, 120],
    ["ifi_iqdrops", "long long", 96, 121],
    ["ifi_oqdrops", "long long", 104, 122],
    ["ifi_noproto", "long long", 112, 123],
    ["ifi_capabilities", "int", 120, 124],
    ["ifi_lastchange", TIMEVAL, 128, 125],
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
  rt_metrics: RT_METRICS,
  rt_msghdr: {
    place: "sys/net/route.h:220",
    size: 96,
    members: [
      ["rtm_msglen", "short", 0, 221],
      ["rtm_version", "char", 2, 222],
      ["rtm_type", "char", 3, 223],
      ["rtm_hdrlen", "short", 4, 224],
      ["rtm_index", "short", 6, 225],
      ["rtm_tableid", "short", 8, 226],
      ["rtm_priority", "char", 10, 227],
      ["rtm_mpls", "char", 11, 228],
      ["rtm_addrs", "int", 12, 229],
      ["rtm_flags", "int", 16, 230],
      ["rtm_fmask", "int", 20, 231],
      ["rtm_pid", "int", 24, 232],
      ["rtm_seq", "int", 28, 233],
      ["rtm_errno", "int", 32, 234],
      ["rtm_inits", "int", 36, 235],
      ["rtm_rmx", RT_METRICS, 40, 236],
    ],
  },
  if_data: IF_DATA,
  if_msghdr: {
    place: "sys/net/if.h:283",
    size: 168,
    members: [
      ["ifm_msglen", "short", 0, 284],
      ["ifm_version", "char", 2, 285],
      ["ifm_type", "char", 3, 286],
      ["ifm_hdrlen", "short", 4, 287],
      ["ifm_index", "short", 6, 288],
      ["ifm_tableid", "short", 8, 289],
      ["ifm_pad1", "char", 10, 290],
      ["ifm_pad2", "char", 11, 291],
      ["ifm_addrs", "int", 12, 292],
      ["ifm_flags", "int", 16, 293],
      ["ifm_xflags", "int", 20, 294],
      ["ifm_data", IF_DATA, 24, 295],
    ],
  },
  ifa_msghdr: {
    place: "sys/net/if.h:302",
    size: 24,
    members: [
      ["ifam_msglen", "short", 0, 303],
      ["ifam_version", "char", 2, 304],
      ["ifam_type", "char", 3, 305],
      ["ifam_hdrlen", "short", 4, 306],
      ["ifam_index", "short", 6, 307],
      ["ifam_tableid", "short", 8, 308],
      ["ifam_pad1", "char", 10, 309],
      ["ifam_pad2", "char", 11, 310],
      ["ifam_addrs", "int", 12, 311],
      ["ifam_flags", "int", 16, 312],
      ["ifam_metric", "int", 20, 313],
    ],
  },
  if_announcemsghdr: {
    place: "sys/net/if.h:319",
    size: 26,
    members: [
      ["ifan_msglen", "short", 0, 320],
      ["ifan_version", "char", 2, 321],
      ["ifan_type", "char", 3, 322],
      ["ifan_hdrlen", "short", 4, 323],
      ["ifan_index", "short", 6, 324],
      ["ifan_what", "short", 8, 325],
      ["ifan_name", "char", 10, 326, 16],
    ],
  },
  sockaddr_dl: {
    place: "sys/net/if_dl.h:59",
    size: 32,
    members: [
      ["sdl_len", "char", 0, 60],
      ["sdl_family", "char", 1, 61],
      ["sdl_index", "short", 2, 62],
      ["sdl_type", "char", 4, 63],
      ["sdl_nlen", "char", 5, 64],
      ["sdl_alen", "char", 6, 65],
      ["sdl_slen", "char", 7, 66],
      ["sdl_data", "char", 8, 67, 24],
    ],
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
