import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { run } from "../../src/cli/main.ts";
import { parseSecret } from "../../src/config/secret.ts";
import { KEY } from "../config/samples.ts";
import { captureOutput } from "./capture.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const GOOD = `mode = "server"
password = "${KEY}"
listen = "192.0.2.1:5080"
[tunnel]
address = "10.44.43.2/30"
`;

async function withFile(
  content: string | Uint8Array,
  use: (path: string) => Promise<void>,
  mode = 0o600,
): Promise<void> {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes);
    Deno.chmodSync(path, mode);
    await use(path);
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("genkey prints another key each time and nothing else", async () => {
  const keys = new Set<string>();
  for (let i = 0; i < 10; i++) {
    const output = captureOutput();
    assertEquals(await run(["genkey"], output), 0);
    assertEquals(output.err, "");
    assertMatch(output.out, /^aggvpn1:[A-Za-z0-9+/]{43}=\n$/);
    const result = parseSecret(output.out.trim());
    assertEquals("secret" in result && result.secret.key?.length, 32);
    keys.add(output.out);
  }
  assertEquals(keys.size, 10);
});

Deno.test("genkey writes a new file for its owner only, and replaces none", async () => {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/secret`;
  try {
    const output = captureOutput();
    assertEquals(await run(["genkey", file], output), 0);
    const key = Deno.readTextFileSync(file);
    assertMatch(key, /^aggvpn1:[A-Za-z0-9+/]{43}=\n$/);
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
    assertEquals(await run(["genkey", file], output), 1);
    assertEquals(Deno.readTextFileSync(file), key);
    assertEquals(output.out, "");
    assertEquals(
      output.err,
      `aggvpn: ${file} exists already\nhint: Use the key that it has, or remove it first\n`,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("genkey leaves nothing where it cannot write", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const output = captureOutput();
    assertEquals(await run(["genkey", `${directory}/none/secret`], output), 1);
    assertStringIncludes(output.err, `Cannot write ${directory}/none/secret: `);
    assertEquals([...Deno.readDirSync(directory)], []);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("help fits terminals of 40 to 200 columns", async () => {
  const topics = [[], ["config"], ...COMMANDS.map(({ name }) => [name])];
  for (const columns of [40, 60, 80, 132, 200]) {
    for (const topic of topics) {
      const output = captureOutput(false, columns);
      assertEquals(await run(["help", ...topic], output), 0);
      const lines = output.out.split("\n");
      const widest = Math.max(...lines.map((line) => line.length));
      assert(widest <= columns, `help ${topic} at ${columns}: ${widest}`);
    }
  }
});

Deno.test("help uses the width that there is", async () => {
  const lines = async (columns: number): Promise<number> => {
    const output = captureOutput(false, columns);
    await run(["help", "up"], output);
    return output.out.split("\n").length;
  };
  assert(await lines(40) > await lines(80));
  assert(await lines(80) > await lines(200));
});

Deno.test("version, --version and -V print one line", async () => {
  for (const args of [["version"], ["--version"], ["-V"]]) {
    const output = captureOutput();
    assertEquals(await run(args, output), 0);
    assertMatch(output.out, /^aggvpn \d+\.\d+\.\d+\S* .*on \w+ \w+, deno [\d.]+\S*\n$/);
    assertEquals(output.err, "");
  }
});

Deno.test("version names the commit that the build put in", async () => {
  const scope = globalThis as { AGGVPN_COMMIT?: string };
  scope.AGGVPN_COMMIT = "1234abc";
  try {
    const output = captureOutput();
    await run(["version"], output);
    assertStringIncludes(output.out, " (1234abc) on ");
  } finally {
    delete scope.AGGVPN_COMMIT;
  }
});

Deno.test("COMMANDS all describe themselves as the help expects", () => {
  for (const command of COMMANDS) {
    assertMatch(command.name, /^[a-z-]+$/);
    assertMatch(command.summary, /^[A-Z].*[^.]$/);
    assertMatch(command.operands, /^(|\[?[A-Za-z|]+\]?( [A-Za-z|]+)*( \[[A-Z|]+(\.\.\.)?\])*)$/);
    for (const flag of Object.values(command.flags)) assertMatch(flag.doc, /^[A-Z].*[^.]$/);
  }
});

Deno.test("check says that a directory is no file", async () => {
  const output = captureOutput();
  assertEquals(await run(["check", "/tmp"], output), 3);
  assertEquals(
    output.out,
    "/tmp: error: expected a file, found a directory\nconfiguration has 1 error\n",
  );
});

Deno.test("check refuses a file of 5 MB without parsing it", async () => {
  // Parsed, it would have many more errors.
  await withFile("= nothing\n".repeat(500_000), async (path) => {
    const output = captureOutput();
    assertEquals(await run(["check", path], output), 3);
    assertStringIncludes(output.out, `${path}: error: expected at most 256 KiB, found 4883 KiB\n`);
    assertStringIncludes(output.out, "\nconfiguration has 1 error\n");
  });
});

Deno.test("check reads no more than it accepts of a file without end", async () => {
  const output = captureOutput();
  assertEquals(await run(["check", "/dev/zero"], output), 3);
  assertStringIncludes(output.out, "expected at most 256 KiB, found more");
});

Deno.test("check accepts the largest file, a byte order mark and line ends of DOS", async () => {
  const padding = "#".repeat(60) + "\n";
  const largest = GOOD + padding.repeat(Math.floor((256 * 1024 - GOOD.length) / padding.length));
  for (const text of [largest, `\ufeff${GOOD}`, GOOD.replaceAll("\n", "\r\n")]) {
    await withFile(text, async (path) => {
      const output = captureOutput();
      assertEquals([await run(["check", "--no-host", path], output), output.out], [
        0,
        "configuration OK\n",
      ]);
    });
  }
});

Deno.test({
  name: "check puts what the host lacks on lines of its own and still returns 0",
  // Libraries stay open.
  sanitizeResources: false,
  async fn(): Promise<void> {
    await withFile(GOOD, async (path) => {
      const output = captureOutput();
      assertEquals(await run(["check", path], output), 0);
      const lines = output.out.trimEnd().split("\n");
      assertEquals(lines.pop(), "configuration OK");
      for (const line of lines) assertMatch(line, /^(host: (error|warning): .| {2}hint: .)/);
    });
  },
});

Deno.test("check does not show the password of a file that is too open", async () => {
  await withFile(GOOD, async (path) => {
    const output = captureOutput();
    await run(["check", "--no-host", path], output);
    assertStringIncludes(output.out, "can be read by other users (mode 0644)");
    assert(!output.out.includes(KEY.slice(8)));
  }, 0o644);
});

Deno.test("run colours only for terminals unless it is told to", async () => {
  const hasColor = async (args: string[], likesColor: boolean): Promise<boolean> => {
    const output = captureOutput(likesColor);
    await run(["check", ...args, "/nonexistent"], output);
    return output.out.includes("\x1b[");
  };
  assertEquals(await hasColor([], true), true);
  assertEquals(await hasColor([], false), false);
  assertEquals(await hasColor(["--color=never"], true), false);
  assertEquals(await hasColor(["--color=always"], false), true);
  assertEquals(await hasColor(["--color", "always"], false), true);
});

Deno.test("run takes --color before the command too", async () => {
  const output = captureOutput();
  await run(["--color=always", "check", "/nonexistent"], output);
  assertStringIncludes(output.out, "\x1b[31merror");
});

Deno.test("run takes what follows -- as operands", async () => {
  const output = captureOutput();
  assertEquals(await run(["check", "--", "--no-such-file"], output), 3);
  assertStringIncludes(output.out, "--no-such-file: error: no such file");
});

Deno.test("run reports a bug with its stack and returns 1", async () => {
  const output = captureOutput();
  const broken = { ...output, stdout: (): never => null as never };
  Object.defineProperty(broken, "stdout", {
    value: () => {
      throw new TypeError("boom");
    },
  });
  assertEquals(await run(["version"], broken), 1);
  assertMatch(output.err, /^aggvpn: This is a bug: TypeError: boom\n +at .*\nhint: Please report/s);
});

Deno.test("main.ts returns the status to the shell and survives a reader that goes", async () => {
  const shell = async (line: string): Promise<{ code: number; text: string }> => {
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", line, "sh", Deno.execPath(), MAIN],
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  };
  assertMatch((await shell('"$1" run -A "$2" version')).text, /^aggvpn /);
  assertEquals((await shell('"$1" run -A "$2" frobnicate')).code, 2);
  assertEquals((await shell('"$1" run -A "$2" check /nonexistent')).code, 3);
  // Nothing can be written once the reader has gone.
  const untilGone = 'trap "" PIPE; while printf . 2>/dev/null; do :; done';
  assertEquals(await shell(`{ ${untilGone}; "$1" run -A "$2" help; echo $? >&2; } | true`), {
    code: 0,
    text: "0\n",
  });
});
