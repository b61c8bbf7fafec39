/**
 * The dashboard: the page for everybody who can connect, what it shows for who has the token.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { live, type LiveSource } from "./live.ts";
import { isCrossSite, type Names, namesThisHost } from "./origin.ts";
import { contentSecurityPolicy, documentOf, type Page } from "./page.ts";
import type { HttpRequest } from "./request.ts";
import { type HttpResponse, json, plain } from "./response.ts";
import type { Respond } from "./server.ts";
import { hasToken } from "./token.ts";

/** Pages that follow at once; more are asked to come later. */
export const MAX_FOLLOWERS = 8;

/** Switches a link, and returns what was done, in words. Rejects with AggvpnError. */
export type SwitchLink = (link: string, to: "on" | "off") => Promise<string>;

/** What a dashboard is made of. */
export interface DashboardOptions extends Omit<LiveSource, "mayControl"> {
  readonly token: string;
  readonly page: Page | undefined;
  readonly names: Names;
  /** Absent: the dashboard only shows. */
  readonly switchLink?: SwitchLink | undefined;
}

/** Answers for a dashboard. */
export function dashboardResponder(options: DashboardOptions): Respond {
  const followers = { count: 0 };
  return (request) => {
    if (!namesThisHost(request, options.names)) {
      return plain(421, "Ask by an address of this host, or as localhost");
    }
    if (request.path === "/") return pageOf(request, options.page);
    if (!request.path.startsWith("/api/")) return plain(404);
    if (isCrossSite(request)) return plain(403);
    if (!hasToken(request, options.token)) {
      return json(401, { error: "The token is another: run `aggvpn dashboard` for the address" });
    }
    if (request.path === "/api/live") return follow(request, options, followers);
    if (request.path === "/api/link") return switchLink(request, options.switchLink);
    return plain(404);
  };
}

async function pageOf(request: HttpRequest, page: Page | undefined): Promise<HttpResponse> {
  if (request.method === "POST") return plain(405);
  if (page === undefined) return plain(503, "Only a built program has the page: make build");
  const compressed = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(page),
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      vary: "accept-encoding",
      ...compressed && { "content-encoding": "gzip" },
    },
    body: await documentOf(page, compressed),
  };
}

function follow(
  request: HttpRequest,
  options: DashboardOptions,
  followers: { count: number },
): HttpResponse {
  if (request.method !== "GET") return plain(405);
  if (options.recorder.last === undefined) {
    return json(503, { error: "The tunnel is still being set up" });
  }
  if (followers.count >= MAX_FOLLOWERS) {
    return json(503, { error: `${MAX_FOLLOWERS} dashboards are open, which is the most` });
  }
  const peer = request.query.get("peer") ?? undefined;
  return {
    status: 200,
    headers: { "content-type": "text/event-stream" },
    async *body(signal): AsyncGenerator<string> {
      if (followers.count >= MAX_FOLLOWERS) return; // several came at once
      followers.count++;
      try {
        yield* live({ ...options, mayControl: options.switchLink !== undefined }, peer, signal);
      } finally {
        followers.count--;
      }
    },
  };
}

async function switchLink(
  { method, query }: HttpRequest,
  doSwitch: SwitchLink | undefined,
): Promise<HttpResponse> {
  if (method !== "POST") return { ...plain(405), headers: { allow: "POST" } };
  if (doSwitch === undefined) {
    return json(403, { error: "This dashboard only shows: `dashboard_control` is not set" });
  }
  const [link, to] = [query.get("link"), query.get("to")];
  if (link === null || to !== "on" && to !== "off") {
    return json(400, { error: "Expected a link, and to which of on and off" });
  }
  try {
    return json(200, { message: await doSwitch(link, to) });
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    return json(422, { error: error.message, ...error.hint !== undefined && { hint: error.hint } });
  }
}
