/**
 * Limits of the kernel that are in no libc header, with `file:line` of the sources of 7.8.
 *
 * @module
 */

/** By the name in that line. */
export const PLACED_LIMITS = {
  /** Largest socket buffer in bytes. */
  SB_MAX: [2 << 20, "sys/sys/socketvar.h:106"],
  /** Bytes of the buffers that every UDP socket has. */
  udp_sendspace: [9216, "sys/netinet/udp_usrreq.c:124"],
  udp_recvspace: [41600, "sys/netinet/udp_usrreq.c:125"],
  /** Most datagrams of one recvmmsg(2) or sendmmsg(2). */
  vlen: [1024, "sys/kern/uipc_syscalls.c:632"],
  /** Descriptors of a process of the login class daemon. */
  "openfiles-cur": [128, "etc/etc.amd64/login.conf:65"],
  /** Type of a tun interface. */
  IFT_TUNNEL: [0x83, "sys/net/if_types.h:176"],
  /** MTUs of a tun interface. */
  ETHERMIN: [46, "sys/netinet/if_ether.h:138"],
  TUNMRU: [16384, "sys/net/if_tun.h:95"],
  /** Bytes of the largest piece of packet memory. */
  MAXMCLBYTES: [65536, "sys/sys/mbuf.h:59"],
  /** Room for a link header in bytes. */
  max_linkhdr: [64, "sys/kern/uipc_domain.c:98"],
} as const satisfies Readonly<Record<string, readonly [value: number, place: string]>>;

/** The numbers alone. */
export const LIMITS = Object.fromEntries(
  Object.entries(PLACED_LIMITS).map(([name, [value]]) => [name, value]),
) as Readonly<Record<keyof typeof PLACED_LIMITS, number>>;
