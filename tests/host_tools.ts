/**
 * The system's programs that tests, demo and benches start. What needs a missing one is skipped and
 * says so, and one table tells how to get it.
 *
 * They are started by name, so they have to be on the PATH. The product also looks into /usr/sbin
 * and the like (`findProgram`), since a service may have no PATH.
 *
 * @module
 */

/** A program that not every host has. */
interface Tool {
  /** The package of Debian that has it. */
  readonly debian: string;
  /** What is skipped without it, in a few words. */
  readonly neededBy: string;
}

/** Every program that tests start and that is not in POSIX. */
export const HOST_TOOLS = {
  ip: { debian: "iproute2", neededBy: "everything over emulated lines" },
  tc: { debian: "iproute2", neededBy: "a link whose queue is full" },
  nft: { debian: "nftables", neededBy: "the Linux guide, NAT" },
  sysctl: { debian: "procps", neededBy: "the Linux guide, NAT" },
  script: { debian: "bsdutils", neededBy: "a command on a terminal" },
  unshare: { debian: "util-linux", neededBy: "the commands of the README, a journal" },
  setpriv: { debian: "util-linux", neededBy: "starts without privileges" },
  zsh: { debian: "zsh", neededBy: "completions in zsh" },
  fish: { debian: "fish", neededBy: "completions in fish" },
  "dpkg-deb": { debian: "dpkg", neededBy: "the Debian package" },
  lintian: { debian: "lintian", neededBy: "the Debian package's policy" },
  "signify-openbsd": { debian: "signify-openbsd", neededBy: "signed sums" },
  mandoc: { debian: "mandoc", neededBy: "the manual pages" },
  dash: { debian: "dash", neededBy: "scripts under Debian's /bin/sh" },
  bash: { debian: "bash", neededBy: "scripts under Fedora's /bin/sh" },
  busybox: { debian: "busybox", neededBy: "scripts under Alpine's /bin/sh" },
  promtool: { debian: "prometheus", neededBy: "metrics and rules as Prometheus reads them" },
  chromium: { debian: "chromium", neededBy: "the dashboard in a browser" },
  mksh: { debian: "mksh", neededBy: "scripts under a ksh, as OpenBSD's is" },
} as const satisfies Readonly<Record<string, Tool>>;

/** A name of {@linkcode HOST_TOOLS}. */
export type HostTool = keyof typeof HOST_TOOLS;

/** Where programs are that the PATH of a user who became root may not have: su(1). */
const SYSTEM_DIRECTORIES: readonly string[] = ["/usr/sbin", "/sbin"];

/** Which of these tools are missing, and what to do; undefined when none is. */
export function missingTool(...tools: readonly HostTool[]): string | undefined {
  return allOf(...tools.map(whyMissing));
}

/** Joins the reasons that are defined; undefined when there is none. */
export function allOf(...reasons: readonly (string | undefined)[]): string | undefined {
  return reasons.filter((reason) => reason !== undefined).join("; ") || undefined;
}

function whyMissing(tool: HostTool): string | undefined {
  if (isThere(tool)) return undefined;
  const directory = outsidePath(tool);
  return directory === undefined
    ? `no \`${tool}\` command: install it, on Debian with: apt-get install ${
      HOST_TOOLS[tool].debian
    }`
    : `no \`${tool}\` command: ${directory}, which has it, is not on the PATH`;
}

/**
 * Every missing tool, what needs it, and finally the command that installs them; lines of at most
 * 80 columns. Empty when there is none.
 */
export function missingToolLines(): string[] {
  const missing = (Object.keys(HOST_TOOLS) as HostTool[]).filter((tool) => !isThere(tool));
  const columns = Math.max(8, ...missing.map((tool) => tool.length));
  const rows = missing.map((tool) => `  ${tool.padEnd(columns)} ${HOST_TOOLS[tool].neededBy}`);
  const [elsewhere, absent] = [true, false].map((is) =>
    missing.filter((tool) => (outsidePath(tool) !== undefined) === is)
  );
  const directories = new Set(elsewhere!.map(outsidePath));
  const packages = new Set(absent!.map((tool) => HOST_TOOLS[tool].debian));
  return [
    ...rows,
    ...directories.size > 0 ? [`put on the PATH: ${[...directories].join(" ")}`] : [],
    ...packages.size > 0 ? ["install them, on Debian with:", ...installLines([...packages])] : [],
  ];
}

/** One command, as the shell continues a line. */
function installLines(packages: readonly string[]): string[] {
  const lines = ["  apt-get install"];
  for (const name of packages) {
    const last = lines.at(-1)!;
    if (`${last} ${name} \\`.length <= 80) lines[lines.length - 1] = `${last} ${name}`;
    else lines.splice(-1, 1, `${last} \\`, `    ${name}`);
  }
  return lines;
}

/** Name and `ignore` of a test that is skipped, and says so, when there is a reason. */
export function skippedFor(
  reason: string | undefined,
  name: string,
): { readonly name: string; readonly ignore: boolean } {
  if (reason === undefined) return { name, ignore: false };
  return { name: `${name} (skipped: ${reason})`, ignore: true };
}

function isThere(tool: HostTool): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => has(directory, tool));
}

function outsidePath(tool: HostTool): string | undefined {
  return SYSTEM_DIRECTORIES.find((directory) => has(directory, tool));
}

function has(directory: string, tool: HostTool): boolean {
  try {
    const { isFile, mode } = Deno.statSync(`${directory || "."}/${tool}`);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
