/**
 * What the datagrams of a pair carry: its AEAD hides nothing.
 *
 * @module
 */

import {
  DATA_HEADER_BYTES,
  DATA_RESENT,
  isCompressed,
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
  /** Of the packet, its headers compressed or not. */
  readonly bytes: number;
}

/** All DATA frames of a pair, in the order in which they were sent. */
export function sentData(pair: Pair): SentData[] {
  const ports = new Map<string, number>();
  return pair.sent.flatMap((datagram) => dataIn(datagram, ports) ?? []);
}

/** @param ports of flows, by their bucket and direction: compressed headers do not say them */
function dataIn(
  { line, toServer, bytes }: Datagram,
  ports: Map<string, number>,
): SentData | undefined {
  if (readDatagramType(bytes, 0) !== TRANSPORT_TYPE) return undefined;
  let at = OUTER_HEADER_BYTES;
  const end = bytes.length - TAG_BYTES;
  while (at < end && !isData(bytes, at)) at += FRAME_HEADER_BYTES + readFrameLength(bytes, at);
  if (at >= end) return undefined;
  const flow = readBucket(bytes, at);
  const key = `${toServer} ${flow}`;
  if (!isCompressed(bytes, at)) ports.set(key, readU16(bytes, at + DATA_HEADER_BYTES + IPV4_BYTES));
  return {
    line,
    toServer,
    kind: readKind(bytes, at),
    resent: (bytes[at]! & DATA_RESENT) !== 0,
    flow,
    global: readGlobalSequence(bytes, at),
    port: ports.get(key)!,
    bytes: end - at - DATA_HEADER_BYTES,
  };
}
