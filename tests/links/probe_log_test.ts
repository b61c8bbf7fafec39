import { assertEquals } from "@std/assert";
import { ProbeLog } from "../../src/links/probe_log.ts";
import { wireTime } from "../../src/wire/time.ts";

Deno.test("ProbeLog finds a probe by its token, and by when it left if that is said", () => {
  const log = new ProbeLog();
  log.note(1_000, 0, 0xdeadbeef);
  log.note(2_000, 1280, 7);
  log.note(3_000, 1500, 7);
  assertEquals(log.find(0xdeadbeef, undefined), 1);
  assertEquals(log.find(7, undefined), 3);
  const number = log.find(7, wireTime(2_000));
  assertEquals([number, log.sizeOf(number), log.sentAtUs(number)], [2, 1280, 2_000]);
  assertEquals(log.find(7, wireTime(4_000)), 0);
  assertEquals(log.find(8, undefined), 0);
});

Deno.test("ProbeLog knows nothing before the first probe, and forgets those of long ago", () => {
  const log = new ProbeLog();
  assertEquals(log.find(0, undefined), 0);
  for (let token = 1; token <= 65; token++) log.note(token, 0, token);
  assertEquals(log.find(1, undefined), 0);
  assertEquals(log.find(2, undefined), 2);
});
