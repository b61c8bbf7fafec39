/** What `make dist` makes, with small files in place of the runtimes. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { makeDist } from "../../tools/dist.ts";
import { runTool } from "../../tools/package/tree.ts";
import { missingTool, skippedFor } from "../host_tools.ts";

const DATE = new Date("2026-11-28T12:00:00Z");
const FILES = [
  "SHA256SUMS",
  "aggvpn-1.2.tar.gz",
  "aggvpn-1.2-linux-amd64",
  "aggvpn-1.2-linux-arm64",
  "aggvpn_1.2_amd64.deb",
  "aggvpn_1.2_arm64.deb",
];

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "aggvpn-dist-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function make(directory: string, out: string, key?: string): Promise<readonly string[]> {
  const runtimes = { amd64: `${directory}/x64`, arm64: `${directory}/a64` };
  for (const path of Object.values(runtimes)) {
    await Deno.writeTextFile(path, `#!/bin/sh\n: ${path}`);
  }
  const program = "console.log('hi');\n";
  return await makeDist({ version: "1.2", program, date: DATE, out, runtimes, key });
}

function distTest(
  name: string,
  reason: string | undefined,
  body: (d: string) => Promise<void>,
): void {
  Deno.test({
    ...skippedFor(reason ?? missingTool("dpkg-deb"), name),
    fn: () => inDirectory(body),
  });
}

distTest(
  "dist makes the same bytes each time, and sums that are right",
  undefined,
  async (directory) => {
    const [a, b] = [`${directory}/a`, `${directory}/b`];
    assertEquals((await make(directory, a)).toSorted(), FILES.toSorted());
    await make(directory, b);
    for (const name of FILES) {
      assertEquals(await Deno.readFile(`${a}/${name}`), await Deno.readFile(`${b}/${name}`), name);
    }
    const checked = await runTool("sha256sum", ["--strict", "-c", "SHA256SUMS"], { cwd: a });
    assertEquals(checked.match(/: OK$/gm)?.length, FILES.length - 1);
  },
);

distTest("the archive has what a port of OpenBSD installs", undefined, async (directory) => {
  await make(directory, `${directory}/out`);
  const archive = `${directory}/out/aggvpn-1.2.tar.gz`;
  const list = await runTool("tar", ["--numeric-owner", "-tvzf", archive]);
  for (
    const line of [
      /^-rwxr-xr-x 0\/0 .* 2026-11-28 .* aggvpn-1\.2\/aggvpn$/m,
      /^-rw-r--r-- 0\/0 .* aggvpn-1\.2\/man\/aggvpn\.8$/m,
      /aggvpn-1\.2\/man\/aggvpn\.toml\.5$/m,
      /aggvpn-1\.2\/docs\/openbsd\.md$/m,
      /aggvpn-1\.2\/examples\/openbsd\/client\.toml$/m,
    ]
  ) assert(line.test(list), `${line}\n${list}`);
});

distTest(
  "dist signs the sums with a key, so that signify checks every file",
  missingTool("signify-openbsd"),
  async (directory) => {
    const [secret, open] = [`${directory}/k.sec`, `${directory}/k.pub`];
    await runTool("signify-openbsd", ["-G", "-n", "-p", open, "-s", secret]);
    const out = `${directory}/out`;
    assert((await make(directory, out, secret)).includes("SHA256SUMS.sig"));
    const check = ["-C", "-p", open, "-x", "SHA256SUMS.sig"];
    const checked = await runTool("signify-openbsd", check, { cwd: out });
    assertEquals(checked.match(/: OK$/gm)?.length, FILES.length - 1);
    await Deno.writeTextFile(`${out}/aggvpn_1.2_amd64.deb`, "another");
    const error = await assertRejects(() => runTool("signify-openbsd", check, { cwd: out }), Error);
    assertStringIncludes(error.message, "aggvpn_1.2_amd64.deb: FAIL");
  },
);
