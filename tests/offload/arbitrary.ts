/**
 * Possible packets, for property tests.
 *
 * @module
 */

import fc from "fast-check";
import { type Packet, packetOf, payloadOf, TCP, UDP } from "./reference.ts";

/** TCP options: time stamps with padding (RFC 7323), and others of whole words. */
const OPTIONS = [
  [],
  [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
  [1, 1, 5, 10, 9, 9, 9, 9, 8, 8, 8, 8],
  new Array(40).fill(1),
];
const IP_OPTIONS = [[], [1, 1, 1, 0], [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
/** Destination options: type filled in below, 8 and 16 bytes of padding (RFC 8200 section 4.6). */
const EXTENSIONS = [[], [0, 0, 1, 4, 0, 0, 0, 0], [0, 1, 1, 12, ...new Array(12).fill(0)]];

/** A packet with a payload of `payloadBytes`, with IP options or extensions if `extended`. */
export function anyPacket(
  payloadBytes: fc.Arbitrary<number>,
  extended: boolean,
): fc.Arbitrary<Packet> {
  const extra = extended ? fc.nat(2) : fc.constant(0);
  return fc.record({
    version: fc.constantFrom<4 | 6>(4, 6),
    protocol: fc.constantFrom(TCP, UDP),
    tos: fc.nat(255),
    ttl: fc.nat(255),
    id: fc.nat(0xffff),
    df: fc.boolean(),
    label: fc.nat(0xf_ffff),
    ports: fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
    sequence: fc.nat(0xffff_ffff),
    acknowledgment: fc.nat(0xffff_ffff),
    flags: fc.nat(255),
    window: fc.nat(0xffff),
    urgent: fc.nat(9000),
    options: fc.constantFrom(...OPTIONS),
    extra,
    payload: fc.tuple(payloadBytes, fc.nat(255)).map(([bytes, seed]) => payloadOf(bytes, seed)),
  }).map(({ extra, options, ...fields }) => {
    const extension = EXTENSIONS[extra]!.slice();
    if (extension.length > 0) extension[0] = fields.protocol;
    return packetOf({ ...fields, tcpOptions: options, ipOptions: IP_OPTIONS[extra]!, extension });
  });
}
