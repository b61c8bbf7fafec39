import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SlotFifo } from "../../src/queue/slot_fifo.ts";
import { PacketPool } from "../../src/slab.ts";

Deno.test("SlotFifo agrees with an array", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("push", "push", "shift", "clear")), (steps) => {
      const pool = new PacketPool(steps.length + 1);
      const fifo = new SlotFifo(pool);
      const model: number[] = [];
      for (const step of steps) {
        if (step === "push") {
          const slot = pool.alloc();
          fifo.push(slot);
          model.push(slot);
        } else if (step === "shift") {
          assertEquals(fifo.shift(), model.shift() ?? -1);
        } else {
          const cleared: number[] = [];
          fifo.clear((slot) => cleared.push(slot));
          assertEquals(cleared, model.splice(0));
        }
        assertEquals(fifo.count, model.length);
      }
    }),
  );
});
