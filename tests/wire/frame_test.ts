import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  CLOSE_REASON,
  DATA,
  DATA_KIND,
  DATA_RESENT,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_RANGES,
  parseReport,
  PROBE_BYTES,
  Report,
  REPORT_BYTES,
  TIME_MASK,
  timeDifference,
  TRANSPORT_TYPE,
  wireTime,
  writeDataHeader,
  writeFrameHeader,
  writeProbe,
  writeReport,
} from "../../src/wire/frame.ts";

/** Bytes that are not the frame's: they must neither be read nor change. */
const DIRT = 0xa5;

interface Fields {
  linkId: number;
  sessionId: number;
  highest: number;
  receivedAt: number;
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
  receivedAt: u32,
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

/** What `write` puts at offset 3 of a dirty buffer; fails when it touches anything else. */
function written(length: number, write: (bytes: Uint8Array, at: number) => void): string {
  const bytes = new Uint8Array(length + 8).fill(DIRT);
  write(bytes, 3);
  assert(bytes.subarray(0, 3).every((byte) => byte === DIRT), "wrote in front of its range");
  assert(bytes.subarray(3 + length).every((byte) => byte === DIRT), "wrote behind its range");
  return bytes.subarray(3, 3 + length).toHex();
}

const SAMPLE: Fields = {
  linkId: 0x01,
  sessionId: 0x02030405,
  highest: 0x06070809,
  receivedAt: 0x0a0b0c0d,
  heldUs: 0x0e0f10,
  datagrams: 0x11121314,
  bytes: 0x1516_1718191a,
  owdUs: 0x1b1c1d,
  queueDelayUs: 0x1e1f20,
  ranges: [[0, 0x2122], [0x2324, 0x2526]],
};
const SAMPLE_PAYLOAD = "01" + "02030405" + "06070809" + "0a0b0c0d" + "0e0f10" + "11121314" +
  "15161718191a" + "1b1c1d" + "1e1f20" + "0000" + "02" + "00002122" + "23242526";

Deno.test("the numbers of the wire are those that were given out", () => {
  assertEquals({ TRANSPORT_TYPE, DATA, DATA_RESENT, DATA_KIND }, {
    TRANSPORT_TYPE: 4,
    DATA: 0x80,
    DATA_RESENT: 0x10,
    DATA_KIND: 3,
  });
  assertEquals({ ...FRAME }, { probe: 1, probeAck: 2, report: 3, close: 4, padding: 5 });
  assertEquals({ ...CLOSE_REASON }, { shutdown: 0, replaced: 1 });
  assert(Object.values(FRAME).every((type) => type < DATA), "control types leave the DATA bit");
});

Deno.test("writeDataHeader() writes flags, bucket, sequences and time", () => {
  const header = (...args: [number, number, number, number, number]): string =>
    written(12, (bytes, at) => writeDataHeader(bytes, at, ...args));
  assertEquals(header(0, 0, 0, 0, 0), "800000000000000000000000");
  assertEquals(header(1, 0x0203, 0x0405, 0x06070809, 0x0a0b0c), "8102030405060708090a0b0c");
  assertEquals(
    header(DATA_RESENT | 2, 0xffff, 0xffff, 0xffffffff, TIME_MASK),
    "92" + "ff".repeat(11),
  );
  assertEquals(header(0, 0x1_0000, 0x1_0001, 2, 3), "80" + "0000" + "0001" + "00000002" + "000003");
});

Deno.test("writeFrameHeader() writes type and length and says where the payload starts", () => {
  const header = written(FRAME_HEADER_BYTES, (bytes, at) => {
    assertEquals(writeFrameHeader(bytes, at, FRAME.padding, 0x0405), at + 3);
  });
  assertEquals(header, "050405");
});

Deno.test("writeProbe() writes number and time and says where the frame ends", () => {
  const length = FRAME_HEADER_BYTES + PROBE_BYTES;
  for (const [type, hex] of [[FRAME.probe, "01"], [FRAME.probeAck, "02"]] as const) {
    const frame = written(length, (bytes, at) => {
      assertEquals(writeProbe(bytes, at, type, 0x0a0b0c0d, 0x0e0f10), at + length);
    });
    assertEquals(frame, hex + "0007" + "0a0b0c0d" + "0e0f10");
  }
});

Deno.test("writeReport() writes every field where it belongs", () => {
  const length = FRAME_HEADER_BYTES + REPORT_BYTES + 8;
  const frame = written(length, (bytes, at) => {
    assertEquals(writeReport(bytes, at, reportOf(SAMPLE)), at + length);
  });
  assertEquals(frame, "03" + "002b" + SAMPLE_PAYLOAD);
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

Deno.test("parseReport() of any bytes never throws and never looks behind its length", () => {
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

Deno.test("wireTime() is the low 24 bits of whole microseconds", () => {
  const table = [[0, 0], [0.9, 0], [1.5, 1], [16_777_215.9, TIME_MASK], [16_777_216, 0], [
    1e15,
    13_008_896,
  ]];
  for (const [now, time] of table as [number, number][]) {
    assertEquals(wireTime(now), time, `${now}`);
  }
});

Deno.test("timeDifference() of two times less than 8 s apart is exact across the wrap", () => {
  assertEquals(timeDifference(1, TIME_MASK), 2);
  assertEquals(timeDifference(TIME_MASK, 1), -2);
  assertEquals(timeDifference(0x80_0000, 0), -0x80_0000);
  const apart = fc.integer({ min: -0x80_0000, max: 0x7f_ffff });
  fc.assert(fc.property(fc.nat(2 ** 40), apart, (a, difference) => {
    const b = a + 2 ** 24;
    assertEquals(timeDifference(wireTime(b + difference), wireTime(b)), difference);
  }));
});
