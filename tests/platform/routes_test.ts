import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Address, Prefix } from "../../src/address.ts";
import { halvesOf } from "../../src/platform/routes.ts";
import { prefix } from "../addresses.ts";

Deno.test("halvesOf() leaves a network as it is and cuts a default route in two", () => {
  const halves = (text: string): string[] => halvesOf(prefix(text)).map(String);
  assertEquals(halves("198.51.100.0/24"), ["198.51.100.0/24"]);
  assertEquals(halves("0.0.0.0/1"), ["0.0.0.0/1"]);
  assertEquals(halves("0.0.0.0/0"), ["0.0.0.0/1", "128.0.0.0/1"]);
  assertEquals(halves("::/0"), ["::/1", "8000::/1"]);
});

Deno.test("halvesOf() a default route has every address in one half", () => {
  const bytes = fc.constantFrom(4, 16).chain((length) =>
    fc.uint8Array({ minLength: length, maxLength: length })
  );
  fc.assert(fc.property(bytes, (bytes) => {
    const halves = halvesOf(new Prefix(new Uint8Array(bytes.length), 0));
    assertEquals(halves.filter((half) => half.covers(new Address(bytes))).length, 1);
  }));
});
