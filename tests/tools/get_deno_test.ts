/** tools/get_deno.sh in its own directory, with its own commands on the PATH. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const SCRIPT = new URL("../../tools/get_deno.sh", import.meta.url);
const NEEDED = ["sh", "dirname", "sed"];
const DENO = '#!/bin/sh\necho "deno VERSION (stable, release, somewhere)"\n';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the script where only `commands` (name to text of the script) are installed. */
async function getDeno(
  commands: Readonly<Record<string, string>>,
  machine = "Linux x86_64",
  args: readonly string[] = [],
): Promise<Outcome & { readonly root: string }> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/tools/deno`, { recursive: true });
    await Deno.mkdir(`${root}/bin`);
    await Deno.copyFile(SCRIPT, `${root}/tools/get_deno.sh`);
    for (const name of NEEDED) await Deno.symlink(await which(name), `${root}/bin/${name}`);
    const [system, processor] = machine.split(" ");
    const uname = `#!/bin/sh\ncase $1 in -s) echo ${system} ;; -m) echo ${processor} ;; esac\n`;
    for (const [name, text] of Object.entries({ uname, ...commands })) {
      await Deno.writeTextFile(`${root}/bin/${name}`, text, { mode: 0o755 });
    }
    const { code, stdout, stderr } = await new Deno.Command(`${root}/tools/get_deno.sh`, {
      args: [...args],
      clearEnv: true,
      env: { PATH: `${root}/bin` },
    }).output();
    const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, stdout: decode(stdout), stderr: decode(stderr), root };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function which(name: string): Promise<string> {
  for (const directory of ["/bin", "/usr/bin"]) {
    const path = `${directory}/${name}`;
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`Cannot find "${name}"`);
}

/** An npm that installs a deno of `version` for `processor`, as `npm ci --prefix DIRECTORY` does. */
function npm(version: string, processor: string): string {
  const deno = DENO.replace("VERSION", version);
  return `#!/bin/sh
for directory; do :; done
directory=$directory/node_modules/@deno/linux-${processor}-glibc
/bin/mkdir -p "$directory"
printf '%s' '${deno}' >"$directory/deno"
/bin/chmod 755 "$directory/deno"
`;
}

Deno.test("get_deno.sh prints the deno on the PATH when it is new enough", async () => {
  const { code, stdout, root } = await getDeno({ deno: DENO.replace("VERSION", "2.10.0") });
  assertEquals([code, stdout], [0, `${root}/bin/deno\n`]);
});

Deno.test("get_deno.sh takes a later major version", async () => {
  const { code, stdout, root } = await getDeno({ deno: DENO.replace("VERSION", "3.0.1") });
  assertEquals([code, stdout], [0, `${root}/bin/deno\n`]);
});

Deno.test("get_deno.sh gets deno from npm when the one on the PATH is too old", async () => {
  const commands = { deno: DENO.replace("VERSION", "2.6.10"), npm: npm("2.9.6", "x64") };
  const { code, stdout } = await getDeno(commands);
  assertEquals(code, 0);
  assertMatch(stdout, /^\/.*\/tools\/deno\/node_modules\/@deno\/linux-x64-glibc\/deno\n$/);
});

Deno.test("get_deno.sh oldest gets the oldest deno from npm, whatever is on the PATH", async () => {
  const commands = { deno: DENO.replace("VERSION", "2.10.0"), npm: npm("2.7.14", "x64") };
  const { code, stdout } = await getDeno(commands, "Linux x86_64", ["oldest"]);
  assertEquals(code, 0);
  assertMatch(stdout, /\/tools\/deno\/oldest\/node_modules\/@deno\/linux-x64-glibc\/deno\n$/);
  const other = await getDeno(commands, "Linux aarch64", ["oldest"]);
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "for Linux on x86_64 only");
});

Deno.test("get_deno.sh gets the package of arm64 there", async () => {
  const { code, stdout } = await getDeno({ npm: npm("2.9.5", "arm64") }, "Linux aarch64");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "/tools/deno/arm64/node_modules/@deno/linux-arm64-glibc/deno\n");
});

Deno.test("get_deno.sh says in one line that npm is missing and how to get it", async () => {
  const { code, stdout, stderr } = await getDeno({});
  assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2]);
  assertStringIncludes(stderr, "npm is missing; install it (Debian: apt-get install npm)");
});

Deno.test("get_deno.sh shows what npm says when it fails", async () => {
  const { code, stderr } = await getDeno({ npm: "#!/bin/sh\necho no registry\nexit 1\n" });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "no registry\n");
  assertStringIncludes(stderr, "is its registry reachable?");
});

Deno.test("get_deno.sh says that npm has nothing for other machines", async () => {
  assertStringIncludes((await getDeno({}, "Linux riscv64")).stderr, "npm has no deno for Linux");
  assertStringIncludes((await getDeno({}, "OpenBSD amd64")).stderr, "pkg_add deno");
});
