import { assertEquals } from "@std/assert";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { type ServiceSubject, startService, statusWords } from "../../src/daemon/service.ts";
import { ServiceNotifier } from "../../src/daemon/service_notifier.ts";
import type { EndpointStatus, LinkStatus, PeerStatus } from "../../src/tunnel/options.ts";

function link(name: string, state: LinkStatus["state"]): LinkStatus {
  return { name, state } as LinkStatus;
}

function peer(name: string, state: PeerStatus["state"], ...links: LinkStatus[]): PeerStatus {
  return { name, state, links } as unknown as PeerStatus;
}

function statusOf(role: "client" | "server", ...peers: PeerStatus[]): EndpointStatus {
  return { role, peers } as unknown as EndpointStatus;
}

Deno.test("statusWords says of a client which links are up", () => {
  const links = [link("dsl", "up"), link("lte", "suspect"), link("sat", "down")];
  assertEquals(
    statusWords(statusOf("client", peer("server", "up", ...links))),
    "2 of 3 links up: dsl, lte; down: sat",
  );
  assertEquals(
    statusWords(statusOf("client", peer("server", "connecting", link("dsl", "connecting")))),
    "No session with a server; 0 of 1 links up; down: dsl",
  );
  const many = Array.from({ length: 20 }, (_, i) => link(`l${i}`, "up"));
  assertEquals(
    statusWords(statusOf("client", peer("server", "up", ...many))),
    "20 of 20 links up: l0, l1, l2, l3, l4, l5, l6, l7, 12 more",
  );
});

Deno.test("statusWords says of a server who is connected", () => {
  assertEquals(statusWords(statusOf("server")), "No client is connected");
  const van = peer("van", "up", link("a", "up"), link("b", "down"));
  assertEquals(statusWords(statusOf("server", van)), "1 client is connected: van (1 link)");
  const home = peer("home", "up", link("a", "up"), link("b", "up"));
  assertEquals(
    statusWords(statusOf("server", van, home, peer("boat", "down"))),
    "2 clients are connected: van (1 link), home (2 links)",
  );
});

/** A notifier that keeps what it says, and a tunnel whose loop turns while `turns` is moved. */
function subject(watchdogUs?: number): {
  readonly sent: string[];
  readonly tunnel: ServiceSubject & { turns: number; woken: number; peers: PeerStatus[] };
  readonly notifier: ServiceNotifier;
  readonly events: EventHub;
} {
  const sent: string[] = [];
  const events = new EventHub();
  const send = (bytes: Uint8Array): boolean => sent.push(new TextDecoder().decode(bytes)) > 0;
  const tunnel = {
    events,
    peers: [peer("server", "up", link("dsl", "up"))],
    turns: 0,
    woken: 0,
    status: () => ({ tunnel: statusOf("client", ...tunnel.peers) }),
    wake(): void {
      tunnel.woken++;
    },
  };
  const notifier = new ServiceNotifier({ send, close: () => {} }, () => 0, watchdogUs);
  return { sent, tunnel, notifier, events };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("startService says what changes, soon after an event", async () => {
  const { sent, tunnel, notifier, events } = subject();
  await using stack = new AsyncDisposableStack();
  startService(notifier, tunnel, stack);
  tunnel.peers = [peer("server", "up", link("dsl", "down"))];
  for (let i = 0; i < 100; i++) {
    events.publish({ type: "session", peer: "server", state: "rekeyed" } as never);
  }
  await until(() => sent.length > 1);
  assertEquals(sent, ["STATUS=1 of 1 links up: dsl", "STATUS=0 of 1 links up; down: dsl"]);
});

Deno.test("startService gives signs of life only while the event loop turns", async () => {
  const { sent, tunnel, notifier } = subject(20_000);
  await using stack = new AsyncDisposableStack();
  const signs = (): number => sent.filter((line) => line === "WATCHDOG=1").length;
  startService(notifier, tunnel, stack);
  for (let sign = 1; sign <= 3; sign++) {
    await until(() => signs() === sign);
    tunnel.turns++;
  }
  await until(() => signs() === 4);
  // It hangs: it is woken again and again, and does not turn.
  const { woken } = tunnel;
  await until(() => tunnel.woken >= woken + 5);
  assertEquals(signs(), 4);
});
