import { assertEquals } from "@std/assert";
import { raisePriority } from "../../../src/platform/linux/priority.ts";
import { NOT_LINUX } from "./requirements.ts";

/** The calls of setpriority(2) when every thread but `chosen` has the ordinary priority. */
function callsOf(chosen = -1): { thread: number; nice: number }[] {
  const calls: { thread: number; nice: number }[] = [];
  raisePriority({
    symbols: {
      getpriority: (_which, thread) => thread === chosen ? 5 : 0,
      setpriority: (_which, thread, nice) => {
        calls.push({ thread, nice });
        return -1; // not allowed
      },
    },
  });
  return calls;
}

Deno.test({
  name: "raisePriority() raises every thread, and it is no error where that is not allowed",
  ignore: NOT_LINUX,
  fn(): void {
    const calls = callsOf();
    assertEquals(calls.filter(({ thread }) => thread === Deno.pid), [
      { thread: Deno.pid, nice: -10 },
    ]);
    assertEquals(new Set(calls.map(({ thread }) => thread)).size, calls.length);
  },
});

Deno.test({
  name: "raisePriority() leaves alone what somebody has given another priority",
  ignore: NOT_LINUX,
  fn(): void {
    assertEquals(callsOf(Deno.pid).filter(({ thread }) => thread === Deno.pid), []);
  },
});
