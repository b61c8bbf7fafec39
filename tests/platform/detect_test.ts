import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { detectPlatform } from "../../src/platform/detect.ts";

Deno.test("detectPlatform() knows Linux and OpenBSD without opening a library", () => {
  assertEquals(["linux", "openbsd"].map((os) => detectPlatform(os).os), ["linux", "openbsd"]);
});

Deno.test("detectPlatform() says which system is not supported", () => {
  const error = assertThrows(() => detectPlatform("windows"), AggvpnError);
  assertStringIncludes(error.message, "windows");
  assertStringIncludes(error.hint!, "Linux");
});
