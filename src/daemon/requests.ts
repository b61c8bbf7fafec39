/**
 * What may be asked of a running tunnel over its control socket.
 *
 * @module
 */

import type { Parameters } from "../control/protocol.ts";
import type { Requests, Streams } from "../control/server.ts";
import { AggvpnError } from "../errors.ts";
import type { Daemon } from "./daemon.ts";
import { type LineTestRequest, MOST_TEST_MS, TEST_WAYS } from "./line_tester.ts";

/** Requests and streams for `openControl`; `current` returns the tunnel once it is set up. */
export function controlRequests(
  current: () => Daemon | undefined,
): { readonly requests: Requests; readonly streams: Streams } {
  return {
    requests: {
      // Asked while the tunnel is set up, this is no error: null says that there is something.
      status: () => current()?.status() ?? null,
      /** Measures a client's link, which `aggvpn doctor` does. */
      "line-test": (parameters) => settled(current).testLine(lineTestOf(parameters)),
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

/** Checks a request of a test. Throws AggvpnError. */
function lineTestOf({ link, way, milliseconds }: Parameters): LineTestRequest {
  const known = TEST_WAYS.find((one) => one === way);
  const isTime = typeof milliseconds === "number" && milliseconds > 0 &&
    milliseconds <= MOST_TEST_MS;
  if (typeof link === "string" && known && isTime) return { link, way: known, milliseconds };
  throw new AggvpnError("A test needs `link`, `way` and `milliseconds`", {
    hint: `way is one of ${TEST_WAYS.join(", ")}; milliseconds at most ${MOST_TEST_MS}`,
  });
}
