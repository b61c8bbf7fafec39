import { assertEquals, assertThrows } from "@std/assert";
import { streamWriter } from "../../src/cli/output.ts";

Deno.test("streamWriter goes on where a short write ended", () => {
  const taken: number[] = [];
  const write = streamWriter({
    writeSync: (bytes) => {
      taken.push(...bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  });
  write("häuser\n");
  assertEquals(new TextDecoder().decode(Uint8Array.from(taken)), "häuser\n");
});

Deno.test("streamWriter tries again when the stream would block", () => {
  let tries = 0;
  streamWriter({
    writeSync: (bytes) => {
      if (tries++ < 3) throw new Deno.errors.WouldBlock("later");
      return bytes.length;
    },
  })("x");
  assertEquals(tries, 4);
});

Deno.test("streamWriter writes nothing more to a broken pipe", () => {
  let tries = 0;
  const write = streamWriter({
    writeSync: () => {
      tries++;
      throw new Deno.errors.BrokenPipe("gone");
    },
  });
  write("x");
  write("y");
  assertEquals(tries, 1);
});

Deno.test("streamWriter lets other errors through", () => {
  const write = streamWriter({
    writeSync: () => {
      throw new Deno.errors.Interrupted("odd");
    },
  });
  assertThrows(() => write("x"), Deno.errors.Interrupted);
});
