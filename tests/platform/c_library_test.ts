import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { type CallWay, openLibrary } from "../../src/platform/c_library.ts";
import { addressOf } from "../../src/platform/ffi.ts";
import { LIBC as LINUX_LIBC } from "../../src/platform/linux/symbols.ts";
import { NOT_LINUX } from "./linux/requirements.ts";

const LIBRARY = "libc.so.6";
const WAYS: readonly CallWay[] = ["stubs", "libffi"];
/** Functions with every kind and every number of parameters that is used. */
const FUNCTIONS = {
  getppid: { parameters: [], result: "i32" },
  abs: { parameters: ["i32"], result: "i32" },
  strnlen: { parameters: ["buffer", "usize"], result: "usize" },
  memchr: { parameters: ["usize", "i32", "usize"], result: "usize" },
  setvbuf: { parameters: ["usize", "usize", "i32", "usize"], result: "i32" },
  ppoll: { parameters: ["buffer", "u32", "buffer", "buffer"], result: "i32" },
  ppollAsync: {
    name: "ppoll",
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  snprintf3: {
    name: "snprintf",
    parameters: ["usize", "usize", "buffer", "i64", "i64"],
    result: "i32",
  },
  snprintf4: {
    name: "snprintf",
    parameters: ["usize", "usize", "buffer", "i64", "i64", "i64"],
    result: "i32",
  },
  snprintf5: {
    name: "snprintf",
    parameters: ["usize", "usize", "buffer", "i64", "i64", "i64", "i64"],
    result: "i32",
  },
  snprintf8: {
    name: "snprintf",
    parameters: ["usize", "usize", "buffer", "i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i32",
  },
  none: { name: "aggvpn_no_such_function", parameters: [], result: "i32", optional: true },
} as const;

function cText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

for (const way of WAYS) {
  Deno.test({
    name: `openLibrary() passes every argument and result on, by ${way}`,
    ignore: NOT_LINUX,
    // Libraries stay open.
    sanitizeResources: false,
    async fn(): Promise<void> {
      const c = openLibrary(LIBRARY, FUNCTIONS, way);
      const bytes = Uint8Array.of(1, 2, 3, 0, 5);
      const at = addressOf(bytes);
      const out = new Uint8Array(100);
      const text = (length: number): string => new TextDecoder().decode(out.subarray(0, length));
      const to = [addressOf(out), 100n] as const;
      // Often enough for the calls to be compiled.
      for (let i = 0; i < 3000; i++) {
        assertEquals(c.getppid(), Deno.ppid);
        assertEquals(c.abs(-7 - i), 7 + i);
        assertEquals(c.strnlen(bytes, 5n), 3n);
        assertEquals(c.memchr(at, 5, 5n), at + 4n);
        assertEquals(c.memchr(at, 9, 5n), 0n);
        assertEquals(c.ppoll(null, 0, new BigInt64Array(2), null), 0);
        const format = "%ld".repeat(2);
        assertEquals(text(c.snprintf3(...to, cText(format), 1n, -2n)), "1-2");
        assertEquals(text(c.snprintf4(...to, cText(`${format}%ld`), 1n, 2n, 3n)), "123");
        assertEquals(text(c.snprintf5(...to, cText(format.repeat(2)), 1n, 2n, 3n, 4n)), "1234");
        const seven = [1n, 2n, 3n, 4n, 5n, 6n, -7n] as const;
        assertEquals(text(c.snprintf8(...to, cText("%ld".repeat(7)), ...seven)), "123456-7");
      }
      assertEquals(c.none as unknown, null);
      assertEquals(await c.ppollAsync(null, 0, new BigInt64Array(2), null), 0);
    },
  });
}

/** Bytes of executable memory that belongs to no file. */
function executableBytes(): number {
  const maps = Deno.readTextFileSync("/proc/self/maps");
  return [...maps.matchAll(/^(\w+)-(\w+) r-xp 0+ 00:00 0\s*$/gm)]
    .reduce((sum, [, from, to]) => sum + parseInt(to!, 16) - parseInt(from!, 16), 0);
}

Deno.test({
  name: "openLibrary() has Deno make no stub for a call by libffi",
  ignore: NOT_LINUX,
  sanitizeResources: false,
  fn(): void {
    const before = executableBytes();
    openLibrary(LIBRARY, LINUX_LIBC, "libffi");
    assertEquals(executableBytes(), before);
    openLibrary(LIBRARY, LINUX_LIBC, "stubs");
    assertGreater(executableBytes(), before);
  },
});

Deno.test({
  name: "openLibrary() throws for a missing library or function, either way",
  ignore: NOT_LINUX,
  fn(): void {
    const missing = { aggvpn_no_such_function: { parameters: [], result: "i32" } } as const;
    for (const way of WAYS) {
      assertThrows(() => openLibrary("libaggvpn-no-such-library.so", FUNCTIONS, way));
      assertThrows(() => openLibrary(LIBRARY, missing, way));
    }
  },
});
