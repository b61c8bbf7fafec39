/**
 * The shells that are /bin/sh somewhere, for scripts that have to run under each of them.
 *
 * @module
 */

import { type HostTool, missingTool, skippedFor } from "../host_tools.ts";

/** By name: Debian, Fedora, Alpine; Android and MirBSD, which is nearest to OpenBSD's ksh. */
const SHELLS = {
  dash: ["dash"],
  bash: ["bash", "--posix"],
  busybox: ["busybox", "sh"],
  mksh: ["mksh"],
} as const satisfies Partial<Record<HostTool, readonly string[]>>;

/** A test under each shell; one that is not installed is skipped, and its name says so. */
export function shellTest(
  name: string,
  body: (shell: readonly string[]) => Promise<void>,
): void {
  for (const shell of Object.keys(SHELLS) as (keyof typeof SHELLS)[]) {
    Deno.test({
      ...skippedFor(missingTool(shell), `${name} under ${shell}`),
      fn: () => body(SHELLS[shell]),
    });
  }
}
