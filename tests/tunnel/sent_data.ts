/**
 * What the datagrams of a pair carry: its AEAD hides nothing.
 *
 * @module
 */

import { DATA, DATA_HEADER_BYTES, DATA_RESENT } from "../../src/wire/data.ts";
import { DATA_KIND } from "../../src/wire/data.ts";
import { OUTER_HEADER_BYTES, TAG_BYTES, TRANSPORT_TYPE } from "../../src/wire/datagram.ts";
import { readU16, readU32 } from "../../src/wire/field.ts";
import { FRAME_HEADER_BYTES } from "../../src/wire/frame.ts";
import type { Datagram, Pair, TestLine } from "../pair/pair.ts";

/** A DATA frame that was sent, lost or not. */
export interface SentData {
  readonly line: TestLine;
  readonly toServer: boolean;
  readonly kind: number;
  readonly resent: boolean;
  readonly flow: number;
  readonly global: number;
  /** Source port, taking the packet for UDP without IP options. */
  readonly port: number;
  /** Of the packet. */
  readonly bytes: number;
}

/** All DATA frames of a pair, in the order in which they were sent. */
export function sentData(pair: Pair): SentData[] {
  return pair.sent.flatMap((datagram) => dataIn(datagram) ?? []);
}

function dataIn({ line, toServer, bytes }: Datagram): SentData | undefined {
  if (bytes[0] !== TRANSPORT_TYPE) return undefined;
  let at = OUTER_HEADER_BYTES;
  const end = bytes.length - TAG_BYTES;
  while (at < end && (bytes[at]! & DATA) === 0) at += FRAME_HEADER_BYTES + readU16(bytes, at + 1);
  if (at >= end) return undefined;
  return {
    line,
    toServer,
    kind: bytes[at]! & DATA_KIND,
    resent: (bytes[at]! & DATA_RESENT) !== 0,
    flow: readU16(bytes, at + 1),
    global: readU32(bytes, at + 5),
    port: readU16(bytes, at + DATA_HEADER_BYTES + 20),
    bytes: end - at - DATA_HEADER_BYTES,
  };
}
