/**
 * Finds the inner packet in a datagram of the simulator, whose AEAD hides nothing, so that the
 * order in which packets leave a tunnel can be compared with the order in which they reached it.
 *
 * @module
 */

import { DATA, DATA_HEADER_BYTES } from "../../src/wire/data.ts";
import { DATA_KIND } from "../../src/wire/data.ts";
import { OUTER_HEADER_BYTES, TAG_BYTES, TRANSPORT_TYPE } from "../../src/wire/datagram.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/frame.ts";
import { KIND } from "../../src/wire/ip.ts";
import { read16 } from "./packet.ts";

/**
 * Returns where the packet in the datagram at `at` begins, -1 when it carries none or one that
 * needs no order.
 */
export function orderedPacketAt(bytes: Uint8Array, at: number, length: number): number {
  if (bytes[at] !== TRANSPORT_TYPE) return -1;
  const end = at + length - TAG_BYTES;
  let frame = at + OUTER_HEADER_BYTES;
  while (frame < end && !(bytes[frame]! & DATA)) {
    frame += FRAME_HEADER_BYTES + read16(bytes, frame + 1);
  }
  const packet = frame + DATA_HEADER_BYTES;
  if ((bytes[frame]! & DATA_KIND) === KIND.unordered) return -1;
  const whole = bytes[packet] === 0x45 && packet + read16(bytes, packet + 2) === end;
  return whole ? packet : -1;
}
