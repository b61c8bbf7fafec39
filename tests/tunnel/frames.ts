/**
 * Frames as a test writes them, good and bad.
 *
 * @module
 */

import { DATA, DATA_HEADER_BYTES, writeDataHeader } from "../../src/wire/data.ts";
import {
  FILL_BYTES,
  FRAME,
  LINK_BYTES,
  MTU_BYTES,
  PROBE_BYTES,
  writeFrameHeader,
  writeLinkUpdate,
  writeMtu,
  writeProbe,
} from "../../src/wire/frame.ts";
import type { Tier } from "../../src/wire/handshake.ts";
import { writeFill } from "../../src/wire/measure.ts";
import { Report, writeReport } from "../../src/wire/report.ts";
import { REPORT_BYTES } from "../../src/wire/report.ts";

/** A control frame of any type and payload. */
export function control(type: number, payload: Uint8Array | readonly number[]): Uint8Array {
  const bytes = new Uint8Array(3 + payload.length);
  writeFrameHeader(bytes, 0, type, payload.length);
  bytes.set(payload, 3);
  return bytes;
}

/** A PROBE. */
export function probe(number: number, time = 0): Uint8Array {
  const bytes = new Uint8Array(3 + PROBE_BYTES);
  writeProbe(bytes, 0, FRAME.probe, number, time);
  return bytes;
}

/** A PROBE-ACK. */
export function probeAck(number: number, time = 0): Uint8Array {
  const bytes = new Uint8Array(3 + PROBE_BYTES);
  writeProbe(bytes, 0, FRAME.probeAck, number, time);
  return bytes;
}

/** A CLOSE. */
export function close(reason = 0): Uint8Array {
  return control(FRAME.close, [reason]);
}

/** An MTU. */
export function mtu(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(3 + MTU_BYTES);
  writeMtu(bytes, 0, sizeBytes);
  return bytes;
}

/** A FILL. */
export function fill(number: number, waitMs: number, durationMs: number): Uint8Array {
  const bytes = new Uint8Array(3 + FILL_BYTES);
  writeFill(bytes, 0, { number, waitMs, durationMs });
  return bytes;
}

/** A LINK. */
export function linkUpdate(linkId: number, tier: Tier, metered = false): Uint8Array {
  const bytes = new Uint8Array(3 + LINK_BYTES);
  writeLinkUpdate(bytes, 0, { linkId, tier, metered, gone: false, name: "" });
  return bytes;
}

/** Fields of a REPORT; ranges are `[gap, run]`, from the highest counter downward. */
export interface ReportFields extends Partial<Omit<Report, "runs" | "gaps" | "rangeCount">> {
  readonly ranges: readonly (readonly [gap: number, run: number])[];
}

/** A REPORT. */
export function report({ ranges, ...fields }: ReportFields): Uint8Array {
  const report = Object.assign(new Report(), fields, { rangeCount: ranges.length });
  ranges.forEach(([gap, run], i) => {
    report.gaps[i] = gap;
    report.runs[i] = run;
  });
  const bytes = new Uint8Array(3 + REPORT_BYTES + 4 * ranges.length);
  writeReport(bytes, 0, report);
  return bytes;
}

/** A DATA frame. */
export function data(
  packet: Uint8Array,
  fields: { kind?: number; flow?: number; sequence?: number; global: number; sentAtUs?: number },
): Uint8Array {
  const { kind = 0, flow = 0, sequence = 0, global, sentAtUs = 0 } = fields;
  const bytes = new Uint8Array(DATA_HEADER_BYTES + packet.length);
  writeDataHeader(bytes, 0, kind & ~DATA, flow, sequence, global, sentAtUs);
  bytes.set(packet, DATA_HEADER_BYTES);
  return bytes;
}
