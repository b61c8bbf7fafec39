/**
 * Which offloads the kernel's TUN driver has: asks for all of them, then for fewer.
 *
 * Source: <linux/if_tun.h>; `set_offload()` of drivers/net/tun.c. USO came with Linux 6.2.
 *
 * @module
 */

import { VNET_FRAMING } from "../../offload/framing.ts";
import { VNET_HEADER_BYTES } from "../../offload/vnet_header.ts";
import type { TunOffload } from "../offload_tun.ts";
import {
  IFF_VNET_HDR,
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_TSO_ECN,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNGETFEATURES,
  TUNSETOFFLOAD,
  TUNSETVNETHDRSZ,
} from "./constants.ts";
import type { Libc } from "./libc.ts";

/** What this program is asked to take care of, and what the kernel then does. */
interface Offload {
  readonly name: string;
  readonly flags: bigint;
  /** Whether it hands out super-packets of UDP, and so also takes them. */
  readonly uso: boolean;
}

/** A super-packet's length has 16 bits. */
const MOST_BYTES = 65_535;

const TSO = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

const OFFLOADS: readonly Offload[] = [
  {
    name: "checksum, TSO, ECN, USO",
    flags: TSO | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
    uso: true,
  },
  { name: "checksum, TSO, ECN", flags: TSO | TUN_F_TSO_ECN, uso: false },
  { name: "checksum, TSO", flags: TSO, uso: false },
  { name: "checksum", flags: TUN_F_CSUM, uso: false },
];

/** What remains when the kernel refuses everything. */
const NONE: Offload = { name: "none", flags: 0n, uso: false };

/** Tells whether the driver behind `fd` can put a header in front of packets. */
export function hasVnetHeader(libc: Libc, fd: number): boolean {
  const features = new Uint32Array(1);
  const result = libc.symbols.ioctl(fd, TUNGETFEATURES, features);
  return result >= 0 && (features[0]! & IFF_VNET_HDR) !== 0;
}

/** Turns on as much as the interface of `fd`, which was attached with a header, has. */
export function startOffload(libc: Libc, fd: number): TunOffload {
  // Whoever had the interface before may have wanted a longer header.
  libc.symbols.ioctl(fd, TUNSETVNETHDRSZ, Int32Array.of(VNET_HEADER_BYTES));
  for (const offload of OFFLOADS) {
    if (libc.symbols.ioctlValue(fd, TUNSETOFFLOAD, offload.flags) >= 0) return describe(offload);
  }
  stopOffload(libc, fd);
  return describe(NONE);
}

function describe({ name, uso }: Offload): TunOffload {
  // Cutting increments the identification: inet_gso_segment() of net/ipv4/af_inet.c.
  const rules = { udp: uso, renumbers: false, mostBytes: MOST_BYTES };
  return { name, framing: VNET_FRAMING, rules };
}

/** Makes the interface of `fd` hand out complete, ordinary packets. */
export function stopOffload(libc: Libc, fd: number): void {
  libc.symbols.ioctlValue(fd, TUNSETOFFLOAD, NONE.flags);
}
