import { assert, assertEquals } from "@std/assert";
import { pathArrivalAtUs } from "../../src/scheduler/arrival.ts";
import { NOW, pathOf } from "./links.ts";

Deno.test("pathArrivalAtUs() is later on a link whose answers are overdue", () => {
  const [near, far] = [pathOf({ owdMs: 10 }, 0), pathOf({ owdMs: 40 }, 1)];
  const laterUs = (now: number): number =>
    pathArrivalAtUs(now, near, near) - pathArrivalAtUs(now, far, near);
  assertEquals(Math.round(laterUs(NOW) / 1000), -30);
  near.handleSent(NOW, 1, 1000);
  assertEquals(Math.round(laterUs(NOW + 50_000) / 1000), -30);
  assert(laterUs(NOW + 150_000) > 0, `${laterUs(NOW + 150_000)}`);
});
