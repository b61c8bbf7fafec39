import { assertEquals } from "@std/assert";
import { type Profile, sharesOf, sharesText } from "../../bench/profile.ts";

const PROFILE: Profile = {
  nodes: [
    { id: 1, callFrame: { functionName: "(idle)", url: "", lineNumber: -1 } },
    { id: 2, callFrame: { functionName: "seal", url: "file:///x/src/a/b.ts", lineNumber: 9 } },
    { id: 3, callFrame: { functionName: "open", url: "file:///x/src/a/b.ts", lineNumber: 19 } },
    { id: 4, callFrame: { functionName: "(garbage collector)", url: "", lineNumber: -1 } },
  ],
  samples: [1, 2, 2, 3, 4],
  timeDeltas: [1000, 30, 20, 40, 10],
};

Deno.test("sharesOf() sums self times by module and function and leaves idle time out", () => {
  const { modules, functions } = sharesOf(PROFILE);
  assertEquals(modules, [{ name: "src/a/b.ts", us: 90 }, { name: "(garbage collector)", us: 10 }]);
  assertEquals(functions[0], { name: "seal src/a/b.ts:10", us: 50 });
  assertEquals(sharesText(modules, 1), ["  90.0 %  src/a/b.ts"]);
});
