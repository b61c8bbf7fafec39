import { assertEquals } from "@std/assert";
import { addUnloaded, byLayer, lacking, parseLcov } from "../../tools/coverage.ts";

const REPORT = `SF:/p/src/wire/ip.ts
DA:1,1
DA:2,0
LF:2
LH:1
end_of_record
SF:/p/src/wire/field.ts
DA:1,10
DA:2,7
end_of_record
SF:/p/src/slab.ts
DA:1,100
end_of_record
SF:/p/tests/wire/ip_test.ts
DA:1,0
end_of_record
`;

Deno.test("parseLcov counts lines and those that were hit", () => {
  const files = parseLcov(REPORT);
  assertEquals(files.get("/p/src/wire/ip.ts"), { found: 2, hit: 1 });
  assertEquals(files.get("/p/src/slab.ts"), { found: 1, hit: 1 });
});

Deno.test("byLayer sums by directory under src and leaves tests out", () => {
  assertEquals([...byLayer(parseLcov(REPORT))], [
    ["(leaves)", { found: 1, hit: 1 }],
    ["wire", { found: 4, hit: 3 }],
  ]);
});

Deno.test("addUnloaded counts code that no test loads, and no types", () => {
  const files = parseLcov(REPORT);
  const sources = new Map([
    ["/p/src/wire/ip.ts", "export const LOADED = 1;\n"],
    ["/p/src/links/rtt.ts", "/** Header. */\n\nexport const A = 1;\n// why\nexport const B = 2;\n"],
    ["/p/src/links/types.ts", "export interface Link {\n  readonly name: string;\n}\n"],
  ]);
  assertEquals(addUnloaded(files, sources), ["/p/src/links/rtt.ts"]);
  assertEquals(files.get("/p/src/links/rtt.ts"), { found: 2, hit: 0 });
});

Deno.test("lacking names pure layers below the threshold only", () => {
  const layers = new Map([
    ["wire", { found: 10, hit: 9 }],
    ["links", { found: 100, hit: 89 }],
    ["io", { found: 10, hit: 0 }],
  ]);
  assertEquals(lacking(layers), ["links"]);
});
