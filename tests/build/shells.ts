/**
 * The shells that are /bin/sh somewhere, for what has to run under each of them.
 *
 * @module
 */

/** By name: Debian, Fedora, Alpine; Android and MirBSD, which is nearest to OpenBSD's ksh. */
const SHELLS: Readonly<Record<string, readonly string[]>> = {
  dash: ["dash"],
  bash: ["bash", "--posix"],
  busybox: ["busybox", "sh"],
  mksh: ["mksh"],
};

/** Tells whether a command can be run; for a shell, its words. */
export async function isInstalled(shell: readonly string[]): Promise<boolean> {
  try {
    const args = [...shell.slice(1), "-c", ":"];
    return (await new Deno.Command(shell[0]!, { args }).output()).success;
  } catch {
    return false;
  }
}

/** A test under each shell; one that is not installed is skipped, and its name says so. */
export async function shellTest(
  name: string,
  body: (shell: readonly string[]) => Promise<void>,
): Promise<void> {
  for (const [shell, words] of Object.entries(SHELLS)) {
    const installed = await isInstalled(words);
    Deno.test({
      name: `${name} under ${shell}${installed ? "" : " (skipped: not installed)"}`,
      ignore: !installed,
      fn: () => body(words),
    });
  }
}
