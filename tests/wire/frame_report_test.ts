import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FRAME_HEADER_BYTES } from "../../src/wire/frame.ts";
import {
  limitReach,
  MAX_RANGES,
  MAX_REACH,
  parseReport,
  Report,
  writeReport,
} from "../../src/wire/report.ts";
import { REPORT_BYTES } from "../../src/wire/report.ts";
import { TIME_MASK } from "../../src/wire/time.ts";

/** Bytes that are not the report's: they must neither be read nor change. */
const DIRT = 0xa5;

interface Fields {
  linkId: number;
  sessionId: number;
  highest: number;
  receivedAtUs: number;
  heldUs: number;
  datagrams: number;
  bytes: number;
  owdUs: number;
  queueDelayUs: number;
  ranges: [gap: number, run: number][];
}

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u24 = fc.nat(0xff_ffff);
const u32 = fc.nat(0xffff_ffff);
const anyFields: fc.Arbitrary<Fields> = fc.record({
  linkId: u8,
  sessionId: u32,
  highest: u32,
  receivedAtUs: u32,
  heldUs: u24,
  datagrams: u32,
  bytes: fc.maxSafeNat().map((n) => n % 2 ** 48),
  owdUs: u24,
  queueDelayUs: u24,
  ranges: fc.array(fc.tuple(u16, u16), { minLength: 1, maxLength: MAX_RANGES }),
});

function reportOf({ ranges, ...rest }: Fields): Report {
  const report = Object.assign(new Report(), rest, { rangeCount: ranges.length });
  ranges.forEach(([gap, run], i) => {
    report.gaps[i] = gap;
    report.runs[i] = run;
  });
  return report;
}

function fieldsOf(report: Report): Fields {
  const { rangeCount, gaps, runs, ...rest } = report;
  const ranges = Array.from({ length: rangeCount }, (_, i) => [gaps[i]!, runs[i]!]);
  return { ...rest, ranges } as Fields;
}

const SAMPLE: Fields = {
  linkId: 0x01,
  sessionId: 0x02030405,
  highest: 0x06070809,
  receivedAtUs: 0x0a0b0c0d,
  heldUs: 0x0e0f10,
  datagrams: 0x11121314,
  bytes: 0x1516_1718191a,
  owdUs: 0x1b1c1d,
  queueDelayUs: 0x1e1f20,
  ranges: [[0, 0x2122], [0x2324, 0x2526]],
};
const SAMPLE_PAYLOAD = "01" + "02030405" + "06070809" + "0a0b0c0d" + "0e0f10" + "11121314" +
  "15161718191a" + "1b1c1d" + "1e1f20" + "0000" + "02" + "00002122" + "23242526";

Deno.test("writeReport() writes every field where it belongs", () => {
  const length = FRAME_HEADER_BYTES + REPORT_BYTES + 8;
  const bytes = new Uint8Array(length + 8).fill(DIRT);
  assertEquals(writeReport(bytes, 3, reportOf(SAMPLE)), 3 + length);
  assertEquals(bytes.toHex(), "a5a5a5" + "03" + "002b" + SAMPLE_PAYLOAD + "a5a5a5a5a5");
});

Deno.test("writeReport() limits times that are too long and lets counts wrap", () => {
  const report = reportOf({ ...SAMPLE, heldUs: 2 ** 24, queueDelayUs: 1e12, bytes: 2 ** 48 + 5 });
  const bytes = new Uint8Array(64);
  writeReport(bytes, 0, report);
  const back = new Report();
  assert(parseReport(bytes, FRAME_HEADER_BYTES, REPORT_BYTES + 8, back));
  assertEquals([back.heldUs, back.queueDelayUs, back.bytes], [TIME_MASK, TIME_MASK, 5]);
});

Deno.test("parseReport() reads every field from where it belongs", () => {
  const report = new Report();
  assert(parseReport(Uint8Array.fromHex(SAMPLE_PAYLOAD), 0, SAMPLE_PAYLOAD.length / 2, report));
  assertEquals(fieldsOf(report), SAMPLE);
});

Deno.test("parseReport() reads what writeReport() wrote, into a report that was used before", () => {
  const back = reportOf({ ...SAMPLE, ranges: Array(MAX_RANGES).fill([7, 7]) });
  fc.assert(fc.property(anyFields, fc.nat(9), (fields, at) => {
    const bytes = new Uint8Array(256).fill(DIRT);
    const end = writeReport(bytes, at, reportOf(fields));
    assertEquals(end - at, FRAME_HEADER_BYTES + bytes[at + 1]! * 256 + bytes[at + 2]!);
    assertEquals(bytes.findLastIndex((byte, i) => byte !== DIRT && i >= end), -1);
    assert(parseReport(bytes, at + 3, end - at - 3, back));
    assertEquals(fieldsOf(back), fields);
  }));
});

Deno.test("parseReport() refuses every truncation and then leaves the report alone", () => {
  const payload = Uint8Array.fromHex(SAMPLE_PAYLOAD);
  const untouched = fieldsOf(new Report());
  for (let length = 0; length < payload.length; length++) {
    const report = new Report();
    assertEquals(parseReport(payload, 0, length, report), false, `${length} bytes`);
    assertEquals(fieldsOf(report), untouched);
  }
});

Deno.test("parseReport() refuses no ranges and too many, and skips what a later version appends", () => {
  const payload = new Uint8Array(REPORT_BYTES + 4 * 256);
  const cases = [[0, false], [1, true], [MAX_RANGES, true], [MAX_RANGES + 1, false], [255, false]];
  for (const [ranges, good] of cases as [number, boolean][]) {
    payload[REPORT_BYTES - 1] = ranges;
    const report = new Report();
    assertEquals(parseReport(payload, 0, payload.length, report), good, `${ranges} ranges`);
    assertEquals(report.rangeCount, good ? ranges : 0);
  }
});

Deno.test("parseReport() of any bytes never throws and never looks beyond its length", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), u8, (payload, ranges) => {
    if (payload.length >= REPORT_BYTES) payload[REPORT_BYTES - 1] = ranges % 40;
    const results = [0x00, 0xff].map((dirt) => {
      const bytes = new Uint8Array(payload.length + 150).fill(dirt);
      bytes.set(payload, 5);
      const report = new Report();
      return [parseReport(bytes, 5, payload.length, report), fieldsOf(report)];
    });
    assertEquals(results[0], results[1]);
  }));
});

/** The counters that a report covers, as distances below its highest. */
function toldOf({ rangeCount, gaps, runs }: Report): Set<number> {
  const told = new Set<number>();
  let at = 0;
  for (let i = 0; i < rangeCount; i++) {
    at += gaps[i]!;
    for (let n = 0; n < runs[i]!; n++, at++) if (at < 2 * MAX_REACH) told.add(at);
  }
  return told;
}

Deno.test("limitReach() keeps what a report tells of the highest 1024 counters, and no more", () => {
  const short = fc.nat(80);
  const span = fc.oneof(short, short, fc.nat(1100), fc.nat(0xffff));
  const ranges = fc.array(fc.tuple(span, span), { minLength: 1, maxLength: MAX_RANGES });
  fc.assert(fc.property(ranges, (given) => {
    const report = reportOf({ ...SAMPLE, ranges: given });
    const expected = [...toldOf(report)].filter((below) => below < MAX_REACH);
    limitReach(report);
    assertEquals([...toldOf(report)], expected);
    const { ranges: _, ...rest } = fieldsOf(report);
    assertEquals({ ...rest, ranges: SAMPLE.ranges }, SAMPLE);
  }));
});
