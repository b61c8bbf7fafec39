/**
 * What may be asked of a running tunnel over its control socket.
 *
 * @module
 */

import type { Parameters, StatusDocument } from "../control/protocol.ts";
import type { Handler, Requests, Streams } from "../control/server.ts";
import { AggvpnError } from "../errors.ts";
import { addLink, changeLink, changeLog, limitLink, removeLink } from "./commands.ts";
import type { Daemon } from "./daemon.ts";
import { type LineTestRequest, MOST_TEST_MS, TEST_WAYS } from "./line_tester.ts";
import { answerQuota } from "./quota_request.ts";
import type { RunningConfig } from "./running_config.ts";

/** A tunnel that is set up. */
export interface RunningTunnel {
  readonly daemon: Daemon;
  readonly config: RunningConfig;
}

/** Requests and streams for `openControl`; `current` returns the tunnel once it is set up. */
export function controlRequests(
  current: () => RunningTunnel | undefined,
): { readonly requests: Requests; readonly streams: Streams } {
  const config = (): RunningConfig => settled(current).config;
  return {
    requests: {
      // Asked while the tunnel is set up, this is no error: null says that there is something.
      status: () => statusOf(current()),
      dashboard: () => {
        throw new AggvpnError("This tunnel has no dashboard", {
          hint: "Write dashboard = 9181 before the first table of its file, and start it again",
        });
      },
      /** Measures a client's link, which `aggvpn doctor` does. */
      "line-test": (parameters) => settled(current).daemon.testLine(lineTestOf(parameters)),
      ...changing({
        reload: () => config().reload("aggvpn reload"),
        link: (parameters) => changeLink(config(), parameters, Date.now()),
        link_add: (parameters) => addLink(config(), parameters),
        link_remove: (parameters) => removeLink(config(), parameters),
        limit: (parameters) => limitLink(config(), parameters),
        log: (parameters) => changeLog(config(), parameters),
        quota: (parameters) => answerQuota(settled(current).daemon.quotas, parameters),
      }),
      /** What is in force as a file would say it, without secrets. */
      config: () => {
        const { current: { file }, document, changes } = config();
        return { file, document, changes: changes.map(({ words }) => words) };
      },
    },
    streams: {
      /** What has happened lately when `history` is true, then each event as it happens. */
      events: ({ history }, signal) =>
        settled(current).daemon.events.follow(signal, history === true),
    },
  };
}

/** Requests that change something: one after the other, as they come. */
function changing(handlers: Record<string, Handler>): Requests {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (handler: Handler): Handler => (parameters) => {
    const done = last.then(() => handler(parameters));
    last = done.catch(() => {});
    return done;
  };
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [name, inTurn(handler)]),
  );
}

function statusOf(tunnel: RunningTunnel | undefined): StatusDocument | null {
  if (!tunnel) return null;
  const status = tunnel.daemon.status();
  const changes = tunnel.config.changes.map(({ words }) => words);
  return { ...status, daemon: { ...status.daemon, ...changes.length > 0 && { changes } } };
}

/** Returns the tunnel. Throws AggvpnError while it is being set up. */
function settled(current: () => RunningTunnel | undefined): RunningTunnel {
  const tunnel = current();
  if (tunnel) return tunnel;
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
