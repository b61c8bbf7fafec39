/**
 * What the datagrams of a pair carry: its AEAD hides nothing.
 *
 * @module
 */

import {
  DATA_HEADER_BYTES,
  DATA_RESENT,
  isData,
  readBucket,
  readGlobalSequence,
  readKind,
} from "../../src/wire/data.ts";
import {
  OUTER_HEADER_BYTES,
  readDatagramType,
  TAG_BYTES,
  TRANSPORT_TYPE,
} from "../../src/wire/datagram.ts";
import { readU16 } from "../../src/wire/field.ts";
import { FRAME_HEADER_BYTES, readFrameLength } from "../../src/wire/frame.ts";
import { IPV4_BYTES } from "../../src/wire/ip_layout.ts";
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
  if (readDatagramType(bytes, 0) !== TRANSPORT_TYPE) return undefined;
  let at = OUTER_HEADER_BYTES;
  const end = bytes.length - TAG_BYTES;
  while (at < end && !isData(bytes, at)) at += FRAME_HEADER_BYTES + readFrameLength(bytes, at);
  if (at >= end) return undefined;
  return {
    line,
    toServer,
    kind: readKind(bytes, at),
    resent: (bytes[at]! & DATA_RESENT) !== 0,
    flow: readBucket(bytes, at),
    global: readGlobalSequence(bytes, at),
    port: readU16(bytes, at + DATA_HEADER_BYTES + IPV4_BYTES),
    bytes: end - at - DATA_HEADER_BYTES,
  };
}
