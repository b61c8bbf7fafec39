import { assertEquals } from "@std/assert";
import { reportIfRefused, watchRefusals } from "../src/refusals.ts";
import { logged } from "./logged.ts";

const REFUSED = new Error("Function not implemented (os error 78): rename 'a' -> 'b'");

Deno.test("reportIfRefused() says each operation once, from watchRefusals() on", async () => {
  const lines = await logged(() => {
    assertEquals(reportIfRefused("a write of a", REFUSED), false);
    watchRefusals("pledge(2)");
    for (let i = 0; i < 3; i++) {
      assertEquals(reportIfRefused("a write of a", REFUSED), true);
      assertEquals(reportIfRefused("the start of b", REFUSED), true);
    }
  });
  assertEquals(lines, [
    "error pledge(2) refused a write of a: please report this",
    "error pledge(2) refused the start of b: please report this",
  ]);
});

Deno.test("reportIfRefused() says nothing about other errors", async () => {
  const others = [
    new Deno.errors.NotFound("No such file or directory (os error 2): open 'x'"),
    new Deno.errors.PermissionDenied("Permission denied (os error 13)"),
    new TypeError("Invalid signal: 9"),
    undefined,
  ];
  const lines = await logged(() => {
    watchRefusals("pledge(2)");
    for (const error of others) assertEquals(reportIfRefused("a write of a", error), false);
  });
  assertEquals(lines, []);
});
