import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { detectPlatform } from "../../src/platform/detect.ts";

Deno.test("detectPlatform() knows Linux without opening a library", () => {
  assertEquals(detectPlatform("linux").os, "linux");
});

Deno.test("detectPlatform() says which system is not supported", () => {
  const error = assertThrows(() => detectPlatform("windows"), AggvpnError);
  assertStringIncludes(error.message, "windows");
  assertStringIncludes(error.hint!, "Linux");
});
