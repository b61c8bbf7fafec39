/**
 * Control messages of the fake: the source address that a datagram is sent from, and the
 * destination that one was sent to.
 *
 * @module
 */

import { align, type Layouts, NUMBERS } from "./abi.ts";
import * as decode from "./decode.ts";
import { hex, Struct } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Describes the control messages of a send. */
export function describeControl(layouts: Layouts, control: Uint8Array<ArrayBuffer>): string {
  try {
    const [name, address] = readSource(layouts, control);
    return `${name} ${decode.ip(address)} {${hex(control)}}`;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return `${error.code} {${hex(control)}}`;
  }
}

/**
 * Returns the source address that a control message sets, with its name. Fails as sendit() of
 * sys/kern/uipc_syscalls.c, udp_output() of sys/netinet/udp_usrreq.c and ip6_setpktopts() of
 * sys/netinet6/ip6_output.c do: the given space must hold what the length says, with its padding.
 * Throws where they would just ignore a mistake.
 */
export function readSource(
  layouts: Layouts,
  control: Uint8Array<ArrayBuffer>,
): readonly [name: string, address: Uint8Array] {
  const { cmsghdr, in_addr, in6_pktinfo } = layouts;
  const start = align(cmsghdr.size);
  if (control.length < start) throw new SystemError("EINVAL");
  const struct = new Struct(control);
  const { cmsg_len = 0, cmsg_level = 0, cmsg_type = 0 } = cmsghdr.offsets;
  const length = struct.u32(cmsg_len);
  if (length < start || align(length) > control.length) throw new SystemError("EINVAL");
  const ipv6 = struct.u32(cmsg_level) === NUMBERS.IPPROTO_IPV6;
  const type = ipv6 ? NUMBERS.IPV6_PKTINFO : NUMBERS.IP_SENDSRCADDR;
  const size = ipv6 ? in6_pktinfo.size : in_addr.size;
  if (struct.u32(cmsg_type) !== type) throw new Error(`cmsg_type ${struct.u32(cmsg_type)}`);
  if (length !== start + size || control.length !== start + align(size)) {
    throw new Error(`cmsg_len ${length} in ${control.length} bytes`);
  }
  struct.expectZero(cmsghdr.size, start, "cmsghdr");
  struct.expectZero(start + size, control.length, "control message");
  const address = control.slice(start, start + (ipv6 ? 16 : 4));
  return [ipv6 ? "IPV6_PKTINFO" : "IP_SENDSRCADDR", address];
}

/** Writes the control message that tells the destination. */
export function writeDestination(layouts: Layouts, to: Uint8Array): Uint8Array<ArrayBuffer> {
  const { cmsghdr, in_addr, in6_pktinfo } = layouts;
  const ipv6 = to.length === 16;
  const size = ipv6 ? in6_pktinfo.size : in_addr.size;
  const start = align(cmsghdr.size);
  const message = new Uint8Array(start + align(size));
  const struct = new Struct(message);
  const { cmsg_len = 0, cmsg_level = 0, cmsg_type = 0 } = cmsghdr.offsets;
  struct.setU32(cmsg_len, start + size);
  struct.setU32(cmsg_level, ipv6 ? NUMBERS.IPPROTO_IPV6 : NUMBERS.IPPROTO_IP);
  struct.setU32(cmsg_type, ipv6 ? NUMBERS.IPV6_PKTINFO : NUMBERS.IP_RECVDSTADDR);
  message.set(to, start);
  if (ipv6) struct.setU32(start + in6_pktinfo.offsets.ipi6_ifindex!, 1);
  return message;
}
