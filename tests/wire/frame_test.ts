import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DATA, DATA_RESENT, writeDataHeader } from "../../src/wire/data.ts";
import { DATA_KIND } from "../../src/wire/data.ts";
import { TRANSPORT_TYPE } from "../../src/wire/datagram.ts";
import {
  CLOSE_REASON,
  FRAME,
  FRAME_HEADER_BYTES,
  PROBE_BYTES,
  writeFrameHeader,
  writeProbe,
} from "../../src/wire/frame.ts";
import { TIME_MASK, timeDifference, wireTime } from "../../src/wire/time.ts";

/** Bytes that are not the frame's: they must neither be read nor change. */
const DIRT = 0xa5;

/** What `write` puts at offset 3 of a dirty buffer; fails when it touches anything else. */
function written(length: number, write: (bytes: Uint8Array, at: number) => void): string {
  const bytes = new Uint8Array(length + 8).fill(DIRT);
  write(bytes, 3);
  assert(bytes.subarray(0, 3).every((byte) => byte === DIRT), "wrote in front of its range");
  assert(bytes.subarray(3 + length).every((byte) => byte === DIRT), "wrote behind its range");
  return bytes.subarray(3, 3 + length).toHex();
}

Deno.test("the numbers of the wire are those that were given out", () => {
  assertEquals({ TRANSPORT_TYPE, DATA, DATA_RESENT, DATA_KIND }, {
    TRANSPORT_TYPE: 4,
    DATA: 0x80,
    DATA_RESENT: 0x10,
    DATA_KIND: 3,
  });
  assertEquals({ ...FRAME }, {
    probe: 1,
    probeAck: 2,
    report: 3,
    close: 4,
    padding: 5,
    link: 6,
    mtu: 7,
    fill: 8,
    address: 9,
  });
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
