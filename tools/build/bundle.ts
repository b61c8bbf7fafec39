/**
 * Bundles the program into one JavaScript module, for the executable and for the script.
 *
 * Not minified: names in the stack trace of a bug are worth more than the bytes,
 * next to a runtime of 95 MB.
 *
 * @module
 */

import type { Page } from "../../src/http/page.ts";

/**
 * Flags of `deno run` for the bundle. Everything is in the bundle, so nothing may be looked up next
 * to it, and the code cache costs more than it saves at this size. The small young generation keeps
 * an idle daemon small; the packet path allocates nothing. V8 compiles what has run 20 times, not
 * 400: until then a packet costs ten times as much, and a tunnel that carries a ping a second would
 * stay that slow for minutes.
 */
export const RUN_FLAGS: readonly string[] = [
  "-A",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-code-cache",
  `--v8-flags=${
    [
      "--max-semi-space-size=1",
      "--invocation-count-for-maglev=20",
      "--minimum-invocations-after-ic-update=20",
    ].join(",")
  }`,
];

/** What the build tells the program. */
export interface BuiltIn {
  /** Which commit this is: see src/cli/version.ts. */
  readonly commit?: string | undefined;
  /** What the dashboard serves: see src/http/page.ts. */
  readonly page?: Page;
}

/** Examples that are part of the program. */
const SERVICE_FILES: readonly string[] = ["systemd/aggvpn@.service", "openbsd/rc.d/aggvpn"];

/**
 * Text of the bundle of `entry`, an absolute path next to its deno.json, with what is built in at
 * its beginning, files of examples/ too. Throws with the bundler's message.
 */
export async function bundle(entry: string, { commit, page }: BuiltIn): Promise<string> {
  const out = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform", "deno", "--output", out, entry],
      cwd: entry.slice(0, entry.lastIndexOf("/") + 1),
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`Cannot bundle "${entry}":\n${new TextDecoder().decode(stderr)}`);
    const head = Object.entries({ AGGVPN_COMMIT: commit, AGGVPN_PAGE: page })
      .map(([name, value]) => value && `globalThis.${name} = ${JSON.stringify(value)};\n`);
    return head.join("") + await serviceFiles(entry) +
      withoutNodeUtil(withoutPaths(await Deno.readTextFile(out)));
  } finally {
    await Deno.remove(out);
  }
}

/** Files for the service managers, as src/cli/setup/service_files.ts looks for them. */
async function serviceFiles(entry: string): Promise<string> {
  const read = async (path: string): Promise<[string, string]> => [
    path,
    await Deno.readTextFile(new URL(`examples/${path}`, `file://${entry}`)),
  ];
  const files = Object.fromEntries(await Promise.all(SERVICE_FILES.map(read)));
  return `globalThis.AGGVPN_SERVICE_FILES = ${JSON.stringify(files)};\n`;
}

/** Drops the bundler's comments about where each part came from: they differ by machine. */
function withoutPaths(text: string): string {
  return text.replaceAll(/^\/\/ .*\.(?:js|mjs|cjs|ts|json)\n/gm, "");
}

/**
 * Gives logtape Deno's `inspect`, which it normally uses under Deno: the bundler chooses the
 * variant for Node, and loading `node:util` takes a third of the start-up time.
 */
function withoutNodeUtil(text: string): string {
  return text.replace('import util from "node:util";', "const util = Deno;");
}
