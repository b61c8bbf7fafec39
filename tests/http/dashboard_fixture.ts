/**
 * A dashboard of a tunnel that is made up: two lines whose rates rise and fall, and one that ends.
 *
 * @module
 */

import { EventHub } from "../../src/daemon/event_hub.ts";
import { happenings } from "../../src/daemon/happenings.ts";
import { dashboardResponder, type SwitchLink } from "../../src/http/dashboard.ts";
import type { Page } from "../../src/http/page.ts";
import { Recorder } from "../../src/http/recorder.ts";
import { HttpServer } from "../../src/http/server.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus } from "../../src/tunnel/options.ts";
import { LINK, PEER, statusOf } from "../control/sample_status.ts";

export const TOKEN = "visibly-a-fake-token-of-a-test";

/** A dashboard that is served, and what moves it. */
export interface Fixture extends Disposable {
  readonly port: number;
  readonly events: EventHub;
  /** What the tunnel says of itself from now on. */
  status: StatusDocument;
  /** Lets a second pass. */
  readonly tick: () => void;
}

/** Serves a dashboard on loopback, on any free port by default. */
export function serveDashboard(
  status: StatusDocument,
  page?: Page,
  switchLink?: SwitchLink,
  startMs: number = Date.parse("2026-11-28T12:00:00Z"),
  port = 0,
): Fixture {
  let nowMs = startMs;
  const events = new EventHub(() => nowMs);
  // Time passes when the test says so.
  const recorder = new Recorder(() => fixture.status, () => nowMs, 2 ** 30);
  const listener = Deno.listen({ transport: "tcp", hostname: "127.0.0.1", port });
  const respond = dashboardResponder({
    token: TOKEN,
    page,
    recorder,
    names: "loopback",
    happenings: (signal) => happenings(events, false, signal),
    switchLink,
  });
  const server = new HttpServer(listener, respond);
  const fixture: Fixture = {
    port: (listener.addr as Deno.NetAddr).port,
    events,
    status,
    tick: () => {
      nowMs += 1000;
      recorder.look();
    },
    [Symbol.dispose]: () => {
      server.close();
      recorder.close();
    },
  };
  return fixture;
}

/** What a client with three links says in second `second`. */
export function invented(second: number): StatusDocument {
  const wave = (period: number, phase: number): number =>
    0.5 + 0.5 * Math.sin((second + phase) * 2 * Math.PI / period);
  const link = (id: number, name: string, megabits: number, rttMs: number): LinkStatus => ({
    ...LINK,
    id,
    name,
    srttUs: 1000 * (rttMs + 4 * wave(17, 5 * id)),
    receiveBps: 1e6 * megabits * (0.7 + 0.3 * wave(41, 11 * id)),
    sendBps: 1e5 * megabits * (0.6 + 0.4 * wave(29, 3 * id)),
    sendLoss: 0.004 * wave(53, 0) * id,
    receiveLoss: 0,
    rateBps: 1e6 * megabits,
  });
  const isCut = second > 420;
  const wifi: LinkStatus = {
    ...link(2, "campsite", 18, 35),
    metered: false,
    tier: "overflow",
    ...isCut && {
      state: "down",
      reason: "nothing heard for 512 ms",
      srttUs: 0,
      receiveBps: 0,
      sendBps: 0,
      sendLoss: 1,
      receiveLoss: 1,
    },
  };
  const lte: LinkStatus = {
    ...link(1, "lte", isCut ? 31 : 24, 48),
    metered: true,
    quotaBytes: 50e9,
    quotaUsedBytes: 39.2e9,
  };
  return statusOf([{ ...PEER, links: [link(0, "dsl", 50, 21), lte, wifi] }]);
}
