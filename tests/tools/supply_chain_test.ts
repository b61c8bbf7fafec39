import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeSbom, parsePackageId, supplyFaults } from "../../tools/supply_chain.ts";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;
const LOCK = { specifiers: {}, npm: { "@a/b@1.2.3": { integrity: INTEGRITY } } };
const MIT = (): string => "MIT";

Deno.test("parsePackageId keeps a scope and leaves out peers", () => {
  assertEquals(parsePackageId("@a/b@1.2.3_c@4.0.0"), { name: "@a/b", version: "1.2.3" });
  assertEquals(parsePackageId("c@4.0.0-0"), { name: "c", version: "4.0.0-0" });
});

Deno.test("supplyFaults finds nothing in exact pins with hashes and good licences", () => {
  assertEquals(supplyFaults(LOCK, { b: "npm:@a/b@1.2.3", std: "npm:/deno-std@1.4.0/" }, MIT), []);
});

Deno.test("supplyFaults names ranges, lacking hashes and licences that are not allowed", () => {
  assertEquals(supplyFaults(LOCK, { b: "npm:@a/b@^1.2.3" }, MIT), [
    "npm:@a/b@^1.2.3 is not an exact version",
  ]);
  const bare = { specifiers: {}, npm: { "b@1.0.0": {} } };
  assertEquals(supplyFaults(bare, {}, MIT), ["b@1.0.0 lacks its sha512"]);
  assertEquals(supplyFaults(LOCK, {}, () => "GPL-3.0"), ["@a/b@1.2.3 is under GPL-3.0"]);
  assertEquals(supplyFaults(LOCK, {}, () => undefined), ["@a/b@1.2.3 states no licence"]);
});

Deno.test("makeSbom gives package URLs, hashes in hexadecimal and what is shipped", () => {
  const sbom = makeSbom(LOCK, "0.1.0", new Set(["@a/b@1.2.3"]), MIT);
  assertStringIncludes(sbom, '"purl": "pkg:npm/%40a/b@1.2.3"');
  const [component] = JSON.parse(sbom).components;
  assertEquals(component.scope, "required");
  assertEquals(component.hashes, [{ alg: "SHA-512", content: "00".repeat(64) }]);
  assertEquals(component.licenses, [{ license: { id: "MIT" } }]);
});
