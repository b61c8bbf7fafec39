import { assertEquals, assertNotEquals } from "@std/assert";
import { Tokens } from "../../src/crypto/tokens.ts";

Deno.test("Tokens never repeat in practice, and are other ones for another secret", () => {
  const draw = (fill: number): number[] => {
    const tokens = new Tokens(new Uint8Array(32).fill(fill));
    return Array.from({ length: 1000 }, () => tokens.next());
  };
  assertEquals(new Set(draw(1)).size, 1000);
  assertEquals(draw(1), draw(1));
  assertNotEquals(draw(1).slice(0, 8), draw(2).slice(0, 8));
  for (let bit = 0; bit < 32; bit++) {
    const ones = draw(3).filter((token) => (token >>> bit & 1) === 1).length;
    assertEquals(Math.abs(ones - 500) < 80, true, `bit ${bit}: ${ones}`);
  }
});
