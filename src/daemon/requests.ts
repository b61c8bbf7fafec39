/**
 * What may be asked of a running tunnel over its control socket.
 *
 * @module
 */

import type { Requests, Streams } from "../control/server.ts";
import { AggvpnError } from "../errors.ts";
import type { Daemon } from "./daemon.ts";
import { answerQuota } from "./quota_request.ts";

/** Requests and streams for `openControl`; `current` returns the tunnel once it is set up. */
export function controlRequests(
  current: () => Daemon | undefined,
): { readonly requests: Requests; readonly streams: Streams } {
  return {
    requests: {
      // Asked while the tunnel is set up, this is no error: null says that there is something.
      status: () => current()?.status() ?? null,
      quota: (parameters) => answerQuota(settled(current).quotas, parameters),
    },
    streams: {
      /** What has happened lately when `history` is true, then each event as it happens. */
      events: ({ history }, signal) => settled(current).events.follow(signal, history === true),
    },
  };
}

/** Returns the tunnel. Throws AggvpnError while it is being set up. */
function settled(current: () => Daemon | undefined): Daemon {
  const daemon = current();
  if (daemon) return daemon;
  throw new AggvpnError("The tunnel is still being set up", { hint: "Try again in a second" });
}
