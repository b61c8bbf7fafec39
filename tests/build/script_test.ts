/**
 * The script for hosts that have `deno`, as users call it: from anywhere, through a link, with any
 * arguments. Except once, a program that prints its arguments stands in for the bundle.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bundle } from "../../tools/build/bundle.ts";
import { asScript, OLDEST_DENO } from "../../tools/build/script.ts";
import { shellTest } from "./shells.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO_DIRECTORY = Deno.execPath().replace(/\/[^/]+$/, "");
const SAY_ARGUMENTS = "console.log(JSON.stringify(Deno.args)); Deno.exit(7);\n";
const ARGUMENTS = ["a  b", "'one' \"two\"", "$HOME", "*", "", "--help", "\\n", "ü"];

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script in a directory of its own, removed at the end. */
class Fixture implements AsyncDisposable {
  readonly directory: string;
  readonly file: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.file = `${directory}/my tool.js`;
  }

  static async open(program = SAY_ARGUMENTS): Promise<Fixture> {
    const fixture = new Fixture(await Deno.makeTempDir());
    const text = await asScript({ name: "tool", version: "1.2.3", program });
    await Deno.writeTextFile(fixture.file, text, { mode: 0o755 });
    return fixture;
  }

  async run(args: readonly string[], options: {
    readonly shell?: readonly string[];
    readonly file?: string;
    readonly path?: string;
  } = {}): Promise<Outcome> {
    const argv = [...options.shell ?? [], options.file ?? this.file, ...args];
    const { code, stdout, stderr } = await new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      cwd: this.directory,
      clearEnv: true,
      env: { PATH: options.path ?? `${DENO_DIRECTORY}:${Deno.env.get("PATH")}` },
    }).output();
    const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** A PATH with a `deno` of this text, or none, and what else a script may need. */
  async pathWith(deno?: string): Promise<string> {
    const directory = `${this.directory}/bin`;
    await Deno.mkdir(directory, { recursive: true });
    if (deno !== undefined) await Deno.writeTextFile(`${directory}/deno`, deno, { mode: 0o755 });
    for (const program of ["sh", "printf", "cat"]) {
      await Deno.symlink(`/usr/bin/${program}`, `${directory}/${program}`).catch(() => {});
    }
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

shellTest("the script passes arguments and exit status on", async (shell) => {
  await using fixture = await Fixture.open();
  const { code, stdout, stderr } = await fixture.run(ARGUMENTS, { shell });
  assertEquals([code, JSON.parse(stdout), stderr], [7, ARGUMENTS, ""]);
});

shellTest("the script says what is missing where there is no deno", async (shell) => {
  await using fixture = await Fixture.open();
  const path = await fixture.pathWith();
  const { code, stdout, stderr } = await fixture.run(["x"], { shell: await found(shell), path });
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr,
    "tool: deno is not on the PATH; " +
      "needs deno 2.7 or later (OpenBSD: pkg_add deno; elsewhere: https://deno.com)\n",
  );
});

shellTest("the script refuses a deno that is too old or none at all", async (shell) => {
  await using fixture = await Fixture.open();
  const words = await found(shell);
  const stderrWith = async (version: string, status = 0): Promise<string> => {
    const deno = `#!/bin/sh\ncat <<'END'\n${version}\nv8 14.9\nEND\nexit ${status}\n`;
    const path = await fixture.pathWith(deno);
    const { code, stderr } = await fixture.run([], { shell: words, path });
    assertEquals(code, 1);
    return stderr;
  };
  const { directory } = fixture;
  assertStringIncludes(await stderrWith("deno 1.46.3 (stable)"), "tool: deno 1.46 is too old; ");
  assertStringIncludes(await stderrWith("deno 2.6.10 (stable)"), "tool: deno 2.6 is too old; ");
  assertStringIncludes(
    await stderrWith("sed 4.9"),
    `${directory}/bin/deno does not say its version`,
  );
  assertStringIncludes(await stderrWith("deno"), `${directory}/bin/deno does not say its version`);
  assertStringIncludes(await stderrWith("", 126), `${directory}/bin/deno does not run; needs`);
});

await shellTest("the script starts deno by its path, which OpenBSD tells it as", async (shell) => {
  await using fixture = await Fixture.open();
  const words = await found(shell);
  const deno = '#!/bin/sh\n[ "$1" = --version ] && echo "deno 2.9.9 (stable)" || echo "$0"\n';
  const path = await fixture.pathWith(deno);
  const { stdout } = await fixture.run(["x"], { shell: words, path });
  assertEquals(stdout, `${path}/deno\n`);
});

await shellTest("the script says that deno dies on a CPU of arm64 with BTI", async (shell) => {
  await using fixture = await Fixture.open();
  const words = await found(shell);
  const deno = (onEval: string): string =>
    `#!/bin/sh\ncase $1 in --version) echo 'deno 2.9.9 (stable)' ;; eval) ${onEval} ;; esac\n`;
  const start = async (system: string, onEval: string): Promise<Outcome> => {
    const path = await fixture.pathWith(deno(onEval));
    await Deno.writeTextFile(`${path}/uname`, `#!/bin/sh\necho ${system}\n`, { mode: 0o755 });
    return await fixture.run(["x"], { shell: words, path });
  };
  const { code, stderr } = await start("OpenBSD arm64", "kill -ILL $$");
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    `tool: ${fixture.directory}/bin/deno cannot run JavaScript on this CPU ` +
      "(status 132; 132 is SIGILL: BTI)\n",
  );
  assertEquals((await start("OpenBSD arm64", "true")).code, 0);
  assertEquals((await start("OpenBSD amd64", "kill -ILL $$")).code, 0);
});

Deno.test("the script takes the oldest deno and every later one", async () => {
  await using fixture = await Fixture.open();
  const { major, minor } = OLDEST_DENO;
  for (
    const version of [`${major}.${minor}.0`, `${major}.${minor + 2}.1-rc.1`, `${major + 1}.0.0`]
  ) {
    const deno = `#!/bin/sh\necho "deno ${version} (stable)"\n`;
    const { code, stderr } = await fixture.run([], { path: await fixture.pathWith(deno) });
    assertEquals([version, code, stderr], [version, 0, ""]);
  }
});

Deno.test("the script runs through a link and without the end of its name", async () => {
  await using fixture = await Fixture.open();
  await Deno.mkdir(`${fixture.directory}/sbin`);
  await Deno.symlink("../my tool.js", `${fixture.directory}/sbin/tool`);
  const linked = await fixture.run(["x"], { file: `${fixture.directory}/sbin/tool` });
  assertEquals([linked.code, linked.stdout], [7, '["x"]\n']);
  await Deno.rename(fixture.file, `${fixture.directory}/plain`);
  const plain = await fixture.run(["x"], { file: "./plain" });
  assertEquals([plain.code, plain.stdout], [7, '["x"]\n']);
});

Deno.test("the script is replaced by deno, so the process keeps its id", async () => {
  await using fixture = await Fixture.open("console.log(Deno.pid);\n");
  const child = new Deno.Command(fixture.file, {
    env: { PATH: `${DENO_DIRECTORY}:${Deno.env.get("PATH")}` },
    stdout: "piped",
  }).spawn();
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout).trim(), String(child.pid));
});

Deno.test("the script of the whole program runs and says its version", async () => {
  await using fixture = await Fixture.open(await bundle(`${ROOT}main.ts`, { commit: "0123abc" }));
  const { code, stdout, stderr } = await fixture.run(["version"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^aggvpn \d+\.\d+\.\d+ \(0123abc\)/);
});

Deno.test("the oldest deno is the same for the script, for building and for the tests", async () => {
  const { major, minor } = OLDEST_DENO;
  const get = await Deno.readTextFile(`${ROOT}tools/get_deno.sh`);
  assertStringIncludes(get, `\noldest_major=${major} oldest_minor=${minor}\n`);
  const project = await Deno.readTextFile(`${ROOT}tools/deno/oldest/package.json`);
  assertStringIncludes(project, `glibc": "${major}.${minor}.`);
});

/** The words of a shell with its path, for a PATH that has no shells. */
async function found([program = "", ...words]: readonly string[]): Promise<string[]> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${directory}/${program}`;
    if (await Deno.stat(path).then((info) => info.isFile, () => false)) return [path, ...words];
  }
  throw new Error(`Cannot find "${program}"`);
}
