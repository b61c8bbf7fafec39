import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { openLibrary } from "../../src/platform/c_library.ts";
import { LIBC } from "../../src/platform/linux/symbols.ts";
import { openProven, type ProvenCalls } from "../../src/platform/prove_calls.ts";
import { NOT_LINUX } from "./linux/requirements.ts";

const GOOD: ProvenCalls = { getpid: () => 4711, socket: () => 7, close: () => 0 };

function prove(calls: Partial<ProvenCalls>): ProvenCalls {
  return openProven(() => ({ ...GOOD, ...calls }), 4711);
}

Deno.test("openProven() closes the socket that it opens, and returns the functions", () => {
  const closed: number[] = [];
  const close = (fd: number): number => closed.push(fd) - 1;
  assertEquals(prove({ close }).getpid(), 4711);
  assertEquals(closed, [7]);
  // No more descriptors: the kernel says so, and the call is right.
  prove({ socket: () => -1 });
});

Deno.test("openProven() names what cannot be called in one line", () => {
  const cases: readonly [Partial<ProvenCalls>, string][] = [
    [{ getpid: () => 0 }, "getpid(2) says 0, and this is process 4711"],
    [{ socket: () => 0 }, "socket(2) gives 0, which cannot be closed"],
    [{ close: () => -1 }, "socket(2) gives 7, which cannot be closed"],
  ];
  for (const [calls, why] of cases) {
    assertThrows(() => prove(calls), AggvpnError, `Cannot call C functions here: ${why}`);
  }
  const missing = (): ProvenCalls => {
    throw new Error("Could not open library: libc.so");
  };
  assertThrows(() => openProven(missing), AggvpnError, "here: Could not open library: libc.so");
});

Deno.test({
  name: "openProven() takes the libc of this host, called either way",
  ignore: NOT_LINUX,
  sanitizeResources: false,
  fn(): void {
    for (const way of ["stubs", "libffi"] as const) {
      const { getpid } = openProven(() => openLibrary("libc.so.6", LIBC, way));
      assertEquals(getpid(), Deno.pid);
    }
  },
});
