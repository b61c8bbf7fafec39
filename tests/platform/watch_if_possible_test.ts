import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { MemoryWatch } from "../../src/platform/memory/watch.ts";
import { watchIfPossible } from "../../src/platform/watch_if_possible.ts";
import { logged } from "../logged.ts";

Deno.test("watchIfPossible() does without when the system refuses, says so, and hides no bug", async () => {
  const watch = new MemoryWatch(3, () => undefined);
  assertEquals(watchIfPossible(() => watch), watch);
  const lines = await logged(() => {
    const refused = watchIfPossible(() => {
      throw new AggvpnError("Cannot open a netlink socket: Operation not permitted");
    });
    assertEquals(refused, undefined);
  });
  assertEquals(lines.length, 1);
  assertThrows(() =>
    watchIfPossible(() => {
      throw new TypeError("bug");
    }), TypeError);
});
