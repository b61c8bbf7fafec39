/**
 * Whether this process may open as many files as it needs: getrlimit(2).
 *
 * Deno raised the soft limit to the hard one when it started, so the hard one counts: openfiles-max
 * of login.conf(5), `LimitNOFILE=` of systemd.exec(5). The shell inherits this process's limit, and
 * prints it on every system.
 *
 * @module
 */

import type { ReadCommand } from "./command_output.ts";
import type { HostFinding } from "./platform.ts";

/**
 * Returns a finding when fewer than `needed` files may be open: sockets fail to open then, and
 * ppoll(2) refuses a list that is longer than the limit.
 *
 * @param hint how to raise the limit
 */
export function inspectOpenFiles(
  read: ReadCommand,
  needed: number,
  hint: string,
): HostFinding[] {
  const { success, output } = read(["sh", "-c", "ulimit -n"]);
  // "unlimited" gives NaN.
  const limit = parseInt(output, 10);
  if (!success || !(limit < needed)) return [];
  const message = `Only ${limit} files may be open here, and this tunnel may need ${needed}`;
  return [{ severity: "warning", message, hint }];
}
