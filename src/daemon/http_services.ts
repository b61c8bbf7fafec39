/**
 * Metrics and the dashboard of a tunnel, as far as its configuration asks for them.
 *
 * @module
 */

import type { Config, DashboardConfig } from "../config/config.ts";
import type { Requests } from "../control/server.ts";
import { AggvpnError } from "../errors.ts";
import { dashboardResponder, type SwitchLink } from "../http/dashboard.ts";
import type { Happening, LiveSource } from "../http/live.ts";
import { metricsResponder } from "../http/metrics.ts";
import { type OpenedServer, openServer, type Place } from "../http/open_server.ts";
import { builtPage } from "../http/page.ts";
import { Recorder } from "../http/recorder.ts";
import type { Respond } from "../http/server.ts";
import { newToken } from "../http/token.ts";
import type { Done } from "./commands.ts";
import type { Daemon } from "./daemon.ts";
import { happenings } from "./happenings.ts";

/** The answer to the request `dashboard`. */
export interface DashboardAccess {
  /** Address and port. */
  readonly at: string;
  readonly token: string;
}

/** What is served of a tunnel: see {@linkcode httpServices}. */
export interface HttpServices {
  /** More requests for the control socket. */
  readonly requests: Requests;
  /** Serves until `stack` is disposed of. */
  readonly open: (stack: AsyncDisposableStack) => void;
}

interface Service {
  readonly what: string;
  readonly place: Place;
  readonly respond: Respond;
}

/**
 * Returns what `config` asks for. `current` returns the tunnel once it is set up, `requests` are
 * those that its control socket answers.
 */
export function httpServices(
  { mode, metrics, dashboard }: Pick<Config, "mode" | "metrics" | "dashboard">,
  current: () => Daemon | undefined,
  requests: Requests,
): HttpServices {
  const { token = newToken() } = dashboard ?? {};
  const opened: { dashboard?: OpenedServer } = {};
  const access = ({ host, port }: Place): DashboardAccess => {
    const at = host.withPort(port);
    // Whoever has that port instead is not to see the token.
    const { reason } = opened.dashboard ?? { reason: "it is being opened" };
    if (reason === undefined) return { at, token };
    throw new AggvpnError(`The dashboard cannot be served at ${at} yet: ${reason}`, {
      hint: "Look who has that port, or give the dashboard another one",
    });
  };
  return {
    requests: dashboard ? { dashboard: () => access(dashboard.listen) } : {},
    open: (stack) => {
      if (metrics) serve(metricsService(metrics, current), stack);
      if (!dashboard) return;
      const recorder = new Recorder(() => current()?.status());
      stack.defer(() => recorder.close());
      const mayControl = dashboard.control && mode === "client";
      const switchLink = mayControl ? switching(requests) : undefined;
      const follow = (signal: AbortSignal): AsyncIterable<Happening> =>
        // Nobody follows before the recorder has seen a tunnel that is set up.
        happenings(current()!.events, mode === "server", signal);
      const service = dashboardService(dashboard, token, recorder, follow, switchLink);
      opened.dashboard = serve(service, stack);
    },
  };
}

function serve({ what, place, respond }: Service, stack: AsyncDisposableStack): OpenedServer {
  const server = openServer(what, place, respond);
  stack.defer(() => server.close());
  return server;
}

function metricsService(place: Place, current: () => Daemon | undefined): Service {
  const names = place.host.isLoopback ? "loopback" : "any";
  return { what: "metrics", place, respond: metricsResponder(() => current()?.status(), names) };
}

function dashboardService(
  { listen }: DashboardConfig,
  token: string,
  recorder: Recorder,
  follow: LiveSource["happenings"],
  switchLink: SwitchLink | undefined,
): Service {
  const respond = dashboardResponder({
    token,
    recorder,
    page: builtPage(),
    names: listen.host.isLoopback ? "loopback" : "addresses",
    happenings: follow,
    switchLink,
  });
  return { what: "the dashboard", place: listen, respond };
}

/** Switches links by the same request as `aggvpn link`. */
function switching({ link }: Requests): SwitchLink {
  return async (name, state) => {
    const { words } = await link!({ name, state }) as Done;
    return words.join("\n");
  };
}
