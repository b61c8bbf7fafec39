import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseAddress } from "../../src/address.ts";
import {
  parseAddressAnswer,
  readFill,
  writeAddress,
  writeAddressQuestion,
  writeFill,
} from "../../src/wire/measure.ts";
import vectors from "../vectors/frames.json" with { type: "json" };

const HEADER = 3;

/** What `write` leaves in a dirty buffer. */
function written(write: (bytes: Uint8Array) => number): string {
  const bytes = new Uint8Array(40).fill(0xee);
  return bytes.subarray(0, write(bytes)).toHex();
}

Deno.test("writeFill() and readFill() have the frame of docs/protocol.md", () => {
  const { number, wait_ms: waitMs, duration_ms: durationMs, frame } = vectors.fill;
  const fill = { number, waitMs, durationMs };
  assertEquals(written((bytes) => writeFill(bytes, 0, fill)), frame);
  assertEquals(readFill(Uint8Array.fromHex(frame), HEADER), fill);
});

Deno.test("writeFill() cuts times to what the frame holds", () => {
  const bytes = new Uint8Array(8);
  writeFill(bytes, 0, { number: 1, waitMs: 70_000, durationMs: 1e9 });
  assertEquals(readFill(bytes, HEADER), { number: 1, waitMs: 65_535, durationMs: 65_535 });
});

Deno.test("writeAddress() and parseAddressAnswer() have the frames of docs/protocol.md", () => {
  assertEquals(
    written((bytes) => writeAddressQuestion(bytes, 0)),
    vectors.address_question.frame,
  );
  for (const { address, port, frame } of [vectors.address, vectors.address6]) {
    const value = parseAddress(address)!;
    assertEquals(written((bytes) => writeAddress(bytes, 0, value, port)), frame);
    const bytes = Uint8Array.fromHex(frame);
    const read = parseAddressAnswer(bytes, HEADER, bytes.length - HEADER)!;
    assertEquals([`${read.address}`, read.port], [address, port]);
  }
});

Deno.test("parseAddressAnswer() reads nothing of another length", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const read = parseAddressAnswer(bytes, 0, bytes.length);
    assertEquals(read !== undefined, [6, 18].includes(bytes.length));
  }));
});
