/**
 * Logs what was found on this host while a tunnel runs.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { HostFinding } from "../platform/platform.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** Logs a finding with what to do about it, as an error or a warning. */
export function logFinding({ severity, message, hint }: HostFinding): void {
  if (hint === undefined) log[severity]("{message}", { message });
  else log[severity]("{message}. {hint}", { message, hint });
}
