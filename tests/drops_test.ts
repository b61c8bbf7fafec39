import { assertEquals } from "@std/assert";
import { DROP_REASONS, type DropReason, Drops } from "../src/drops.ts";

Deno.test("Drops counts by reason and shows what is not zero", () => {
  const drops = new Drops();
  assertEquals(drops.snapshot(), {});
  drops.count("auth");
  drops.count("auth");
  drops.count("replay");
  assertEquals(drops.snapshot(), { auth: 2, replay: 1 });
  assertEquals(drops.get("auth"), 2);
});

Deno.test("Drops knows every reason that has a meaning", () => {
  const drops = new Drops();
  for (const reason of Object.keys(DROP_REASONS) as DropReason[]) {
    assertEquals(drops.get(reason), 0);
  }
});
