/**
 * What a packet costs on a link besides its own bytes.
 *
 * @module
 */

import { DATA_HEADER_BYTES } from "./data.ts";
import { OUTER_HEADER_BYTES, TAG_BYTES } from "./datagram.ts";
import { IPV4_BYTES, IPV6_BYTES, UDP_BYTES } from "./ip_layout.ts";

/** Bytes of the headers in front of a datagram's payload, by the family of the link. */
export const UDP_OVERHEAD_BYTES = {
  4: IPV4_BYTES + UDP_BYTES,
  6: IPV6_BYTES + UDP_BYTES,
} as const;

/** Bytes that the tunnel adds to a packet inside the UDP payload. */
const TUNNEL_BYTES = OUTER_HEADER_BYTES + DATA_HEADER_BYTES + TAG_BYTES;

/** Bytes of a datagram that carries frames besides the frames themselves, by the family of the link. */
export const FRAMES_OVERHEAD_BYTES = {
  4: UDP_OVERHEAD_BYTES[4] + OUTER_HEADER_BYTES + TAG_BYTES,
  6: UDP_OVERHEAD_BYTES[6] + OUTER_HEADER_BYTES + TAG_BYTES,
} as const;

/** Bytes that a packet takes on a link besides its own: 66 over IPv4, 86 over IPv6. */
export const PACKET_OVERHEAD_BYTES = {
  4: UDP_OVERHEAD_BYTES[4] + TUNNEL_BYTES,
  6: UDP_OVERHEAD_BYTES[6] + TUNNEL_BYTES,
} as const;
