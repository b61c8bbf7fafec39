/**
 * The self-extracting executable under every shell that may be /bin/sh, with a
 * runtime that is a shell script of a few lines instead of Deno's 95 MB.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { gzip, packSelfExtracting } from "../../tools/build/selfextract.ts";
import { missingTool, skippedFor } from "../host_tools.ts";
import { shellTest } from "./shells.ts";

const RUNTIME = `#!/bin/sh
echo "runtime $#"
for argument; do echo "<$argument>"; done
echo "update check off: $DENO_NO_UPDATE_CHECK, node shim off: $DENO_DISABLE_NODE_SHIM"
`;
const PROGRAM = "program();\n";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A packed program in a directory of its own, removed at the end. */
class Fixture implements AsyncDisposable {
  readonly directory: string;
  readonly file: string;
  readonly cache: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.file = `${directory}/my tool`;
    this.cache = `${directory}/cache`;
  }

  static async open(program = PROGRAM, runtime = RUNTIME): Promise<Fixture> {
    const fixture = new Fixture(await Deno.makeTempDir());
    await fixture.write(program, runtime);
    return fixture;
  }

  async write(program: string, runtime = RUNTIME): Promise<void> {
    await Deno.writeFile(this.file, await pack(program, runtime), { mode: 0o755 });
  }

  async run(args: readonly string[], options: {
    readonly shell?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly file?: string;
  } = {}): Promise<Outcome> {
    const argv = [...options.shell ?? [], options.file ?? this.file, ...args];
    const { code, stdout, stderr } = await new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", TOOL_CACHE_DIR: this.cache, ...options.env },
    }).output();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Names in the cache, sorted, without the hashes. */
  cached(): string[] {
    return [...Deno.readDirSync(this.cache)].map(({ name }) => name.replace(/-[0-9a-f]{16}$/, ""))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

async function pack(program: string, runtime: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(runtime);
  return await packSelfExtracting({
    name: "tool",
    version: "1.2.3",
    program: new TextEncoder().encode(program),
    runtime: bytes,
    packedRuntime: await gzip(bytes),
    flags: ["-A", "--no-config"],
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

shellTest("the self-extracting file runs its program", async (shell) => {
  await using fixture = await Fixture.open();
  for (const start of ["first", "second"]) {
    const { code, stdout, stderr } = await fixture.run(["a  b", "--help", "*", ""], { shell });
    assertEquals([start, code, stderr], [start, 0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines[0], "runtime 8");
    assertEquals(lines.slice(1, 4), ["<run>", "<-A>", "<--no-config>"]);
    assertMatch(lines[4]!, /^<.*\/program-[0-9a-f]{16}\/tool\.js>$/);
    assertEquals(lines.slice(5, 9), ["<a  b>", "<--help>", "<*>", "<>"]);
    assertEquals(lines[9], "update check off: 1, node shim off: 1");
    assertEquals(await Deno.readTextFile(lines[4]!.slice(1, -1)), PROGRAM);
  }
  assertEquals(fixture.cached(), ["program", "runtime"]);
});

Deno.test("the self-extracting file replaces itself by the runtime, so the process keeps its id", async () => {
  await using fixture = await Fixture.open(PROGRAM, "#!/bin/sh\necho $$\n");
  const child = new Deno.Command(fixture.file, {
    env: { TOOL_CACHE_DIR: fixture.cache },
    stdout: "piped",
  }).spawn();
  const { stdout } = await child.output();
  assertEquals(text(stdout).trim(), String(child.pid));
});

Deno.test("the self-extracting file passes the exit status of the program on", async () => {
  await using fixture = await Fixture.open(PROGRAM, "#!/bin/sh\nexit 3\n");
  assertEquals((await fixture.run([])).code, 3);
});

Deno.test("packSelfExtracting gives equal bytes for equal input", async () => {
  assertEquals(await pack(PROGRAM, RUNTIME), await pack(PROGRAM, RUNTIME));
});

Deno.test("a new program does not unpack the runtime again", async () => {
  await using fixture = await Fixture.open();
  await fixture.run([]);
  await fixture.write("other();\n");
  assertEquals((await fixture.run([])).code, 0);
  assertEquals(fixture.cached(), ["program", "program", "runtime"]);
});

Deno.test("unpacking removes what no version has needed for a month, not the runtime it uses", async () => {
  await using fixture = await Fixture.open();
  await fixture.run([]);
  await Deno.mkdir(`${fixture.cache}/runtime-of-old`);
  const monthAgo = Date.now() / 1000 - 40 * 86_400;
  for (const { name } of Deno.readDirSync(fixture.cache)) {
    await Deno.utime(`${fixture.cache}/${name}`, monthAgo, monthAgo);
  }
  await fixture.write("other();\n");
  assertEquals((await fixture.run([])).code, 0);
  assertEquals(fixture.cached(), ["program", "runtime"]);
});

Deno.test("six first starts at the same time make one copy and leave nothing else", async () => {
  await using fixture = await Fixture.open();
  const starts = Array.from({ length: 6 }, () => fixture.run(["x"]));
  for (const { code, stderr } of await Promise.all(starts)) assertEquals([code, stderr], [0, ""]);
  assertEquals(fixture.cached(), ["program", "runtime"]);
  for (const { name } of Deno.readDirSync(fixture.cache)) {
    const files = [...Deno.readDirSync(`${fixture.cache}/${name}`)].map((entry) => entry.name);
    assertEquals(files.length, 2, `${name} holds ${files}`);
  }
});

Deno.test("a truncated file is refused and leaves nothing behind", async () => {
  await using fixture = await Fixture.open();
  const bytes = await Deno.readFile(fixture.file);
  await Deno.writeFile(fixture.file, bytes.subarray(0, bytes.length - 40));
  const { code, stderr } = await fixture.run([]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "damaged");
  assertEquals(fixture.cached(), []);
});

Deno.test("a flipped bit in the program or in the runtime is refused", async () => {
  for (const offset of [2, PROGRAM.length + 60]) {
    await using fixture = await Fixture.open();
    const bytes = await Deno.readFile(fixture.file);
    const programAt = text(bytes).indexOf(`exit 1\n${PROGRAM}`) + "exit 1\n".length;
    assert(programAt > 1000);
    bytes[programAt + offset]! ^= 1;
    await Deno.writeFile(fixture.file, bytes);
    const { code, stdout, stderr } = await fixture.run([]);
    assertEquals([code, stdout], [1, ""], `bit flipped at ${offset}`);
    assertStringIncludes(stderr, "damaged");
  }
});

Deno.test("a cache directory that others can enter, or a link to one, is refused", async () => {
  await using fixture = await Fixture.open();
  await Deno.mkdir(fixture.cache);
  await Deno.chmod(fixture.cache, 0o755);
  const open = await fixture.run([]);
  assertEquals(open.code, 1);
  assertStringIncludes(open.stderr, "chmod 0700");
  await Deno.chmod(fixture.cache, 0o700);
  await Deno.symlink(fixture.cache, `${fixture.directory}/link`);
  const env = { TOOL_CACHE_DIR: `${fixture.directory}/link` };
  assertStringIncludes((await fixture.run([], { env })).stderr, "chmod 0700");
});

Deno.test({
  name: "a cache directory of somebody else is refused",
  ignore: Deno.uid() !== 0,
  async fn(): Promise<void> {
    await using fixture = await Fixture.open();
    await Deno.mkdir(fixture.cache, { mode: 0o700 });
    await Deno.chown(fixture.cache, 65534, 65534);
    const { code, stderr } = await fixture.run([]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "must be a directory of uid 0");
  },
});

Deno.test("a cache directory that cannot be made is an error that says what to set", async () => {
  await using fixture = await Fixture.open();
  const env = { TOOL_CACHE_DIR: "/dev/null/cache" };
  const { code, stderr } = await fixture.run([], { env });
  assertEquals(code, 1);
  assertEquals(
    stderr,
    "tool: cannot make /dev/null/cache; set TOOL_CACHE_DIR to another directory\n",
  );
});

Deno.test({
  ...skippedFor(
    Deno.uid() === 0 ? missingTool("setpriv") : undefined,
    "without HOME a user is told to set the cache directory",
  ),
  async fn(): Promise<void> {
    await using fixture = await Fixture.open();
    await Deno.chmod(fixture.directory, 0o755);
    const shell = Deno.uid() === 0
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      : [];
    const { code, stderr } = await fixture.run([], { shell, env: { TOOL_CACHE_DIR: "" } });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "HOME is not set");
  },
});
