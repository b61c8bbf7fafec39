import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type ByteSource, LineReader, LineTooLong } from "../../src/control/lines.ts";

/** A stream that arrives in the given pieces. */
function source(...pieces: readonly Uint8Array[]): ByteSource {
  const left = [...pieces];
  return {
    read(into): Promise<number | null> {
      const piece = left.shift();
      if (piece === undefined) return Promise.resolve(null);
      const count = Math.min(piece.length, into.length);
      into.set(piece.subarray(0, count));
      if (count < piece.length) left.unshift(piece.subarray(count));
      return Promise.resolve(count);
    },
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function readAll(reader: LineReader): Promise<string[]> {
  const lines: string[] = [];
  let line: string | undefined;
  while ((line = await reader.read()) !== undefined) lines.push(line);
  return lines;
}

Deno.test("LineReader.read() returns each line and ignores an unfinished one", async () => {
  const reader = new LineReader(source(bytes("a\n\nb"), bytes("c\nd")), 10);
  assertEquals(await readAll(reader), ["a", "", "bc"]);
});

Deno.test("LineReader.read() takes a line of the limit and refuses a longer one", async () => {
  const fits = new LineReader(source(bytes("x".repeat(4096) + "\n")), 4096);
  assertEquals((await fits.read())?.length, 4096);
  const over = new LineReader(source(bytes("x".repeat(4097) + "\n")), 4096);
  await assertRejects(() => over.read(), LineTooLong);
});

Deno.test("LineReader.read() refuses an endless line without reading it all", async () => {
  let read = 0;
  const endless: ByteSource = {
    read: (into) => {
      read += into.fill(120).length;
      return Promise.resolve(into.length);
    },
  };
  await assertRejects(() => new LineReader(endless, 4096).read(), LineTooLong);
  assertEquals(read < 10_000, true);
});

Deno.test("LineReader.read() finds the same lines however the stream is cut", async () => {
  const pieces = fc.array(fc.array(fc.constantFrom(10, 65, 66, 200), { maxLength: 40 }));
  await fc.assert(fc.asyncProperty(pieces, async (lists) => {
    const cut = lists.filter((list) => list.length > 0).map((list) => Uint8Array.from(list));
    const whole = Uint8Array.from(lists.flat());
    const expected = new TextDecoder().decode(whole).split("\n").slice(0, -1);
    assertEquals(await readAll(new LineReader(source(...cut), 10_000)), expected);
  }));
});
