/**
 * Which offloads tun(4) has: none before OpenBSD 7.7, whose TUNSCAP is asked for everything first,
 * then for less. After pledge(2) it can no longer be asked.
 *
 * Writes may be super-packets and lack checksums as soon as the header is in use, whatever the
 * capabilities say: those only say what this program handles in what it reads.
 *
 * Source: tun_set_capabilities() of sys/net/if_tun.c. Closing the device ends it.
 *
 * @module
 */

import type { MergeRules } from "../../offload/merger.ts";
import type { TunOffload } from "../offload_tun.ts";
import {
  IFCAP_CSUM_TCPv4,
  IFCAP_CSUM_TCPv6,
  IFCAP_CSUM_UDPv4,
  IFCAP_CSUM_UDPv6,
  IFCAP_TSOv4,
  IFCAP_TSOv6,
  TUNSCAP,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { TUN_CAPABILITIES_BYTES } from "./structures.ts";
import { OFFLOAD_FRAMING } from "./tun_header.ts";

const CHECKSUMS = IFCAP_CSUM_TCPv4 | IFCAP_CSUM_UDPv4 | IFCAP_CSUM_TCPv6 | IFCAP_CSUM_UDPv6;

/** What is asked for, and what the interface then has. Only TCP has super-packets. */
const OFFLOADS: readonly (readonly [capabilities: number, name: string])[] = [
  [CHECKSUMS | IFCAP_TSOv4 | IFCAP_TSOv6, "checksum, TSO"],
  [CHECKSUMS, "checksum, TSO of writes"],
  [0, "checksum of writes, TSO of writes"],
];

/**
 * The kernel's own super-packets leave room for a link header in MAXMCLBYTES, 64 KiB, since
 * network cards take no larger frames: tcp_output() of sys/netinet/tcp_output.c. So do ours, and
 * with header and family they then fit one piece of memory. Each segment but the first gets a
 * random identification: tcp_softtso_chop().
 */
const RULES: MergeRules = { udp: false, renumbers: true, mostBytes: 65_536 - 64 - 12 };

/** Turns on as much as the interface of `fd` has; undefined when that is nothing. */
export function startOffload(libc: Libc, fd: number): TunOffload | undefined {
  for (const [capabilities, name] of OFFLOADS) {
    // struct tun_capabilities has this one member.
    const wanted = new Uint32Array(TUN_CAPABILITIES_BYTES / 4).fill(capabilities);
    if (libc.symbols.ioctl(fd, TUNSCAP, wanted) >= 0) {
      return { name, framing: OFFLOAD_FRAMING, rules: RULES };
    }
    // EINVAL: try fewer capabilities. ENOTTY: there is no such request.
    if (libc.errno("ioctl") !== ERRNO.EINVAL) return undefined;
  }
  return undefined;
}
