/**
 * A tunnel works without hearing of changes: what has changed is then noticed by trying.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { AggvpnError } from "../errors.ts";
import type { NetworkWatch } from "./platform.ts";

const log = getLogger(["aggvpn", "network"]);

/** Returns what `open` opens; undefined when the system refuses, which is logged. */
export function watchIfPossible(open: () => NetworkWatch): NetworkWatch | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    log.warning("Changes of the network are noticed late: {reason}", { reason: error.message });
    return undefined;
  }
}
