/**
 * A call over lines that vary, beside a transfer and alone: it waits for no queue of ours at this
 * end, and a copy is in time when a line stops.
 *
 * @module
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { simulatedCall } from "./traces.ts";
import { MADE_UP } from "../../lab/varying_lines.ts";

function callOver(name: string, flow: "cubic" | "none"): ReturnType<typeof simulatedCall> {
  const set = MADE_UP.find((one) => one.name === name);
  assert(set !== undefined, name);
  return simulatedCall(set, flow);
}

Deno.test("a call beside a transfer over satellites and a mobile line is late by their queue only", () => {
  const { p99Ms, lost } = callOver("dish-lte", "cubic");
  assertLess(p99Ms, 90);
  assertEquals(lost, 0);
});

Deno.test("a call over two mobile lines is late when both are", () => {
  const { p99Ms, lost } = callOver("two-lte", "none");
  assertLess(p99Ms, 90);
  assertEquals(lost, 0);
});
