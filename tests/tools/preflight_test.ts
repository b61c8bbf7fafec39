/** tools/preflight.ts and tools/without.sh on hosts that have some of the tools. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { HOST_TOOLS, type HostTool } from "../host_tools.ts";

const ALL = Object.keys(HOST_TOOLS) as HostTool[];

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly lines: readonly string[];
}

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], env })
    .output();
  const [out = "", said = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out, lines: said.split("\n").filter((line) => line !== "") };
}

/** Runs `body` with a directory of programs of these names that do nothing. */
async function withPrograms<T>(
  names: readonly string[],
  body: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await Deno.makeTempDir();
  try {
    for (const name of names) {
      await Deno.writeTextFile(`${directory}/${name}`, "#!/bin/sh\n", { mode: 0o755 });
    }
    return await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Runs preflight.ts where only `names` are on the PATH. */
function preflight(names: readonly string[], ...args: readonly string[]): Promise<Outcome> {
  const script = new URL("../../tools/preflight.ts", import.meta.url).pathname;
  return withPrograms(
    names,
    (PATH) => run(Deno.execPath(), ["run", "--quiet", "-A", script, ...args], { PATH }),
  );
}

Deno.test("preflight.ts --warn says nothing about tools where all are on the PATH", async () => {
  const { code, lines } = await preflight(ALL, "test", "--warn");
  assertEquals(code, 0);
  assertEquals(lines.filter((line) => !line.includes("network namespaces")), []);
});

Deno.test("preflight.ts --warn names each missing tool once, and how to get them", async () => {
  const here = ALL.filter((name) => name !== "busybox" && name !== "mksh");
  const { code, lines } = await preflight(here, "test", "--warn");
  assertEquals(code, 0);
  assertEquals(lines.filter((line) => !line.includes("network namespaces")), [
    "make test skipped what needs these programs:",
    `  busybox  ${HOST_TOOLS.busybox.neededBy}`,
    `  mksh     ${HOST_TOOLS.mksh.neededBy}`,
    "install them, on Debian with:",
    "  apt-get install busybox mksh",
  ]);
});

Deno.test("preflight.ts --warn says of each tool how to get it, within 80 columns", async () => {
  const { lines } = await preflight([], "test", "--warn");
  const own = lines.filter((line) => !line.includes("network namespaces"));
  for (const line of own) assert(line.length <= 80, line);
  const names = own.slice(1, 1 + ALL.length).map((line) => line.trim().split(" ")[0]);
  assertEquals(names, ALL);
  // What is in a directory that is not on the PATH is already installed.
  const isElsewhere = ["/sbin/ip", "/usr/sbin/ip"].some((path) => exists(path));
  const rest = own.slice(1 + ALL.length).join("\n");
  assertEquals(/^ {2}apt-get install .*\biproute2\b/m.test(rest), !isElsewhere, rest);
  if (isElsewhere) assertMatch(rest, /^put on the PATH: .*sbin/m);
});

Deno.test("preflight.ts says in one line why a target cannot run", async () => {
  const { code, lines } = await preflight(ALL.filter((name) => name !== "ip"), "demo");
  assertEquals([code, lines.length], [1, 1]);
  assertMatch(lines[0]!, /^make demo needs network namespaces: /);
});

Deno.test("without.sh hides what it is told to, and passes arguments and status on", async () => {
  const script = new URL("../../tools/without.sh", import.meta.url).pathname;
  await withPrograms(["one", "two", "three"], async (directory) => {
    const PATH = `${directory}:/usr/bin:/bin`;
    const say = 'command -v one; command -v two; printf "%s\\n" "$@"; exit 7';
    const args = ["one three", "sh", "-c", say, "sh", "a b", ""];
    const { code, stdout, lines } = await run(script, args, { PATH });
    assertEquals([code, lines], [7, []]);
    const said = stdout.split("\n");
    assertEquals(said.slice(0, -3).map((path) => path.split("/").at(-1)), ["two"]);
    assertEquals(said.slice(-3), ["a b", "", ""]);
    const [links] = said[0]!.split("/two");
    assertEquals(await Deno.stat(links!).then(() => "left", () => "gone"), "gone");
  });
});
