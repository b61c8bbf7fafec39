import { assert, assertEquals } from "@std/assert";
import { LANES } from "../lanes.ts";
import { closingLine, errorsOf, parseCounts, type Share, sharesOf } from "../../tools/run_tests.ts";

const NAMED = [
  ["tests/e2e/a_test.ts", "tests/e2e/b_test.ts"],
  ["tests/e2e/c_test.ts"],
];

/** What each lane runs; `-` before what the rest leaves out. */
function shown(asked: readonly string[]): string[] {
  return sharesOf(asked, NAMED).map(({ paths, ignored }) =>
    [...paths, ...ignored.map((path) => `-${path}`)].join(" ")
      .replaceAll("tests/e2e/", "").replaceAll("_test.ts", "")
  );
}

Deno.test("sharesOf gives each file asked for to one lane", () => {
  assertEquals(shown(["tests"]), ["a b", "c", "tests -a -b -c"]);
  assertEquals(shown(["./tests/e2e/"]), ["a b", "c"]);
  assertEquals(shown(["tests/e2e/b_test.ts"]), ["b"]);
  assertEquals(shown(["tests/e2e/new_test.ts"]), ["new"]);
  assertEquals(shown(["tests/links", "tests/e2e/c_test.ts"]), ["c", "tests/links"]);
  assertEquals(shown(["tests/e2e", "tests/e2e/a_test.ts"])[0], "a b");
});

Deno.test("LANES holds every end-to-end test once", () => {
  const files = [...Deno.readDirSync("tests/e2e")].map(({ name }) => `tests/e2e/${name}`);
  assertEquals(
    LANES.flat().sort(),
    files.filter((file) => file.endsWith("_test.ts")).sort(),
  );
});

Deno.test("parseCounts reads Deno's last closing line, colours and all", () => {
  assertEquals(
    parseCounts("a ... ok (1ms)\n\nok | 2 passed (1 step) | 0 failed | 1 ignored (9ms)\n"),
    { passed: 2, failed: 0, ignored: 1 },
  );
  assertEquals(
    parseCounts(
      "\n\x1b[0m\x1b[31mFAILED\x1b[0m | 3 passed | 2 failed | 4 filtered out \x1b[38;5;245m(5m8s)\x1b[0m\n",
    ),
    { passed: 3, failed: 2, ignored: 0 },
  );
  assertEquals(parseCounts("error: Module not found\n"), undefined);
});

Deno.test("errorsOf finds what Deno says of the tests that failed, colours and all", () => {
  const errors = "a => ./a_test.ts:1:6\nerror: Error: boo\n    at a\n\n\nb => ./b_test.ts:1:6\n";
  const output = (heading: (word: string) => string) =>
    `a ... FAILED (1ms)\n\n${heading(" ERRORS ")}\n\n${errors}\n${heading(" FAILURES ")}\n\na\nb\n`;
  assertEquals(errorsOf(output((word) => word)), errors);
  assertEquals(errorsOf(output((word) => `\x1b[0m\x1b[37m${word}\x1b[0m`)), errors);
  assertEquals(errorsOf("a ... ok (1ms)\n"), "");
});

Deno.test("closingLine adds up, in Deno's words", () => {
  const lanes = [{ passed: 2, failed: 0, ignored: 1 }, { passed: 3, failed: 1, ignored: 0 }];
  const line = closingLine(lanes, false, 125.4);
  assertEquals(line, "FAILED | 5 passed | 1 failed | 1 ignored (2m5s)");
  assertEquals(parseCounts(`${line}\n`), { passed: 5, failed: 1, ignored: 1 });
  assertEquals(
    closingLine(lanes.slice(0, 1), true, 59),
    "ok | 2 passed | 0 failed | 1 ignored (0m59s)",
  );
});

/** Runs lanes of small test files, each in a lane of its own, in the tool's own process. */
async function runLanes(...bodies: readonly string[]): Promise<{ code: number; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const shares = bodies.map((body, i): Share => {
      Deno.writeTextFileSync(`${folder}/${i}_test.js`, body);
      return { paths: [`${i}_test.js`], ignored: [] };
    });
    const [tool, config] = ["tools/run_tests.ts", "deno.json"].map((path) =>
      new URL(`../../${path}`, import.meta.url)
    );
    const script = `import { run } from "${tool}";
      Deno.exit(await run(${JSON.stringify(shares)}, []));`;
    Deno.writeTextFileSync(`${folder}/main.js`, script);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", config!.pathname, `${folder}/main.js`],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    return { code, output: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SLOW = 'Deno.test("slow", () => new Promise((resolve) => setTimeout(resolve, 500)));';

Deno.test("run shows lanes in their order, whichever ends first, and counts all", async () => {
  const { code, output } = await runLanes(SLOW, 'Deno.test("quick", () => {});');
  assertEquals(code, 0, output);
  assert(output.indexOf("slow ... ok") < output.indexOf("quick ... ok"), output);
  assert(/\nok \| 2 passed \| 0 failed \(0m\d+s\)\n$/.test(output), output);
});

Deno.test("run fails with any of its lanes, also one that cannot be loaded", async () => {
  const failing = await runLanes('Deno.test("bad", () => { throw new Error("no"); });', SLOW);
  assertEquals(failing.code, 1);
  assert(/\nFAILED \| 1 passed \| 1 failed \(/.test(failing.output), failing.output);
  const broken = await runLanes('import "./absent.js";', SLOW);
  assertEquals(broken.code, 1);
  assert(/did not end\n/.test(broken.output), broken.output);
  assert(/\nFAILED \| 1 passed \| 0 failed \(/.test(broken.output), broken.output);
});
