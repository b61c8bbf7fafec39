import { assertEquals } from "@std/assert";
import { refuseDumps } from "../../../src/platform/linux/dumps.ts";
import { NOT_LINUX } from "./requirements.ts";

const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;

Deno.test({
  name: "refuseDumps() makes the process one that nobody may trace and that leaves no core file",
  ignore: NOT_LINUX || Deno.permissions.querySync({ name: "ffi" }).state !== "granted",
  fn(): void {
    const functions = { prctl: { parameters: ["i32", "u64"], result: "i32" } } as const;
    const library = Deno.dlopen("libc.so.6", functions);
    const { symbols } = library;
    const before = symbols.prctl(PR_GET_DUMPABLE, 0n);
    try {
      symbols.prctl(PR_SET_DUMPABLE, 1n);
      refuseDumps(library);
      assertEquals(symbols.prctl(PR_GET_DUMPABLE, 0n), 0);
    } finally {
      symbols.prctl(PR_SET_DUMPABLE, BigInt(before));
      library.close();
    }
  },
});
