import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  readU16,
  readU24,
  readU32,
  writeU16,
  writeU24,
  writeU32,
  writeU64,
} from "../../src/wire/field.ts";

/** Reads what nothing in the product does. */
function readBig(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
}

const FIELDS = [
  { bytes: 2, max: 0xffff, read: readU16, write: writeU16 },
  { bytes: 3, max: 0xff_ffff, read: readU24, write: writeU24 },
  { bytes: 4, max: 0xffff_ffff, read: readU32, write: writeU32 },
  { bytes: 8, max: Number.MAX_SAFE_INTEGER, read: readBig, write: writeU64 },
];

for (const { bytes, max, read, write } of FIELDS) {
  Deno.test(`writeU${bytes * 8}() and readU${bytes * 8}() are big-endian and keep to their bytes`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, 1, max)), (value) => {
        const out = new Uint8Array(bytes + 2).fill(0xa5);
        write(out, 1, value);
        const hex = value.toString(16).padStart(bytes * 2, "0");
        assertEquals(out.toHex(), `a5${hex}a5`);
        assertEquals(read(out, 1), value);
      }),
    );
  });

  Deno.test(`writeU${bytes * 8}() beyond the end does nothing`, () => {
    const out = new Uint8Array(1);
    write(out, 1, 1);
    assertEquals(out, new Uint8Array(1));
    read(out, 0);
  });
}

Deno.test("writeU32() keeps the low 32 bits of a safe integer", () => {
  const out = new Uint8Array(4);
  writeU32(out, 0, 2 ** 40 + 0x8123_4567);
  assertEquals(out.toHex(), "81234567");
});
