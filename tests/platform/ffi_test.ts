import { assertEquals, assertLessOrEqual, assertMatch, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import {
  addressOf,
  addressWords,
  cString,
  errnoName,
  slotAddresses,
} from "../../src/platform/ffi.ts";
import { ERRNO } from "../../src/platform/linux/errno.ts";
import { openLibc, systemError } from "../../src/platform/linux/libc.ts";
import { PacketPool, SLOT_BYTES } from "../../src/slab.ts";
import { NOT_LINUX } from "./linux/requirements.ts";

function byteAt(address: bigint): number {
  return new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!).getUint8();
}

Deno.test({
  name: "addressOf() stays right for a small array while garbage is collected",
  ignore: NOT_LINUX,
  fn(): void {
    const small = Uint8Array.of(1, 2, 3);
    const address = addressOf(small);
    for (let i = 0; i < 200; i++) new Uint8Array(1 << 16).fill(i);
    small[2] = 77;
    assertEquals(byteAt(address + 2n), 77);
    assertEquals(addressOf(small.subarray(2)), address + 2n);
  },
});

Deno.test({
  name: "slotAddresses() points at a byte of every slot, and is computed once",
  ignore: NOT_LINUX,
  fn(): void {
    const pool = new PacketPool(3);
    const addresses = slotAddresses(pool, 64);
    for (let slot = 0; slot < 3; slot++) pool.bytes[slot * SLOT_BYTES + 64] = 10 + slot;
    assertEquals(addresses.map(byteAt), [10, 11, 12]);
    assertEquals(slotAddresses(pool, 64) === addresses, true);
    assertEquals(slotAddresses(pool, 52)[1], addresses[1]! - 12n);
  },
});

Deno.test("addressWords() splits an address", () => {
  assertEquals(addressWords(0x7fff_1234_89ab_cdefn), { low: 0x89ab_cdef, high: 0x7fff_1234 });
});

Deno.test("cString() ends with NUL and refuses one inside", () => {
  assertEquals(cString("é"), Uint8Array.of(0xc3, 0xa9, 0));
  assertThrows(() => cString("a\0b"), AggvpnError, "NUL");
});

Deno.test("errnoName() names what is in the table and numbers the rest", () => {
  assertEquals([errnoName(ERRNO, 19), errnoName(ERRNO, 999)], ["ENODEV", "errno 999"]);
});

Deno.test({
  name: "Libc.errno() is that of the call before, also after others succeeded",
  ignore: NOT_LINUX,
  fn(): void {
    const libc = openLibc();
    const wrong: number[] = [];
    const check = (errno: number): void => {
      if (libc.errno() !== errno) wrong.push(libc.errno());
    };
    for (let i = 0; i < 1000; i++) {
      assertEquals(libc.symbols.close(-1), -1);
      check(ERRNO.EBADF);
      assertEquals(libc.symbols.open(cString("/nonexistent"), 0), -1);
      check(ERRNO.ENOENT);
    }
    // V8 may have been at work in between; see Errno.
    assertLessOrEqual(wrong.length, 2);
    assertEquals(wrong.filter((errno) => errno !== ERRNO.EAGAIN), []);
  },
});

Deno.test({
  name: "systemError() carries the words of the system and the name of the error",
  ignore: NOT_LINUX,
  fn(): void {
    const error = systemError(openLibc(), `Cannot open "x"`, ERRNO.EACCES, "Try harder.");
    assertEquals(error.message, `Cannot open "x": Permission denied`);
    assertEquals([(error.cause as Error).message, error.hint], ["EACCES", "Try harder."]);
  },
});

Deno.test({
  name: "ERRNO agrees with what strerror(3) says",
  ignore: NOT_LINUX,
  fn(): void {
    const { describe } = openLibc();
    const words: Partial<Record<keyof typeof ERRNO, RegExp>> = {
      EAGAIN: /temporarily unavailable/,
      EBADFD: /bad state/,
      EMSGSIZE: /too long|too large/i,
      EADDRINUSE: /in use/,
      EADDRNOTAVAIL: /not available|assign/,
      ENETDOWN: /is down/,
      ENETUNREACH: /unreachable/,
      ENOBUFS: /buffer space/,
      ECONNREFUSED: /refused/,
      EHOSTUNREACH: /unreachable|No route/,
    };
    for (const [name, pattern] of Object.entries(words)) {
      assertMatch(describe(ERRNO[name as keyof typeof ERRNO]), pattern);
    }
  },
});
