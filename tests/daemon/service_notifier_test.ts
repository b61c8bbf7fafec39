import { assertEquals } from "@std/assert";
import { ServiceNotifier } from "../../src/daemon/service_notifier.ts";
import { AggvpnError } from "../../src/errors.ts";
import { logged } from "../logged.ts";

/** A manager that keeps what it is told; `takes` false: it is busy. */
function fakeManager(): { sent: string[]; paths: string[]; takes: boolean; platform: unknown } {
  const sent: string[] = [];
  const paths: string[] = [];
  const fake = {
    sent,
    paths,
    takes: true,
    platform: {
      serviceManager: {
        monotonicUs: () => 12_345_678,
        open(path: string): unknown {
          paths.push(path);
          if (path === "relative") throw new AggvpnError("Not the path of a Unix socket");
          return {
            close: () => {},
            send(bytes: Uint8Array): boolean {
              if (fake.takes) sent.push(new TextDecoder().decode(bytes));
              return fake.takes;
            },
          };
        },
      },
    },
  };
  return fake;
}

function open(fake: { platform: unknown }, env: Record<string, string>): ServiceNotifier {
  return ServiceNotifier.open({ platform: fake.platform as never, env: (name) => env[name] });
}

Deno.test("ServiceNotifier speaks as sd_notify(3) asks", () => {
  const fake = fakeManager();
  const notifier = open(fake, { NOTIFY_SOCKET: "@abstract" });
  notifier.status("Setting up");
  notifier.ready();
  notifier.reloading();
  notifier.ready();
  notifier.alive();
  notifier.stopping();
  assertEquals(fake.paths, ["@abstract"]);
  assertEquals(fake.sent, [
    "STATUS=Setting up",
    "READY=1",
    "RELOADING=1\nMONOTONIC_USEC=12345678",
    "READY=1",
    "WATCHDOG=1",
    "STOPPING=1",
  ]);
});

Deno.test("ServiceNotifier says its status once, and again when it was not taken", () => {
  const fake = fakeManager();
  const notifier = open(fake, { NOTIFY_SOCKET: "/run/notify" });
  notifier.status("1 of 2 links up");
  notifier.status("1 of 2 links up");
  fake.takes = false;
  notifier.status("2 of 2\nREADY=1");
  fake.takes = true;
  notifier.status("2 of 2\nREADY=1");
  assertEquals(fake.sent, ["STATUS=1 of 2 links up", "STATUS=2 of 2 READY=1"]);
});

Deno.test("ServiceNotifier is silent without a manager, and tells when it cannot be reached", async () => {
  const fake = fakeManager();
  for (const notifier of [open(fake, {}), open(fake, { NOTIFY_SOCKET: "" })]) notifier.ready();
  open({ platform: {} }, { NOTIFY_SOCKET: "/run/notify" }).ready();
  const lines = await logged(() => open(fake, { NOTIFY_SOCKET: "relative" }).ready());
  assertEquals(fake.sent, []);
  assertEquals(lines, [
    "warning Cannot tell the service manager: Not the path of a Unix socket",
  ]);
});

Deno.test("ServiceNotifier has a watchdog when it is meant", () => {
  const fake = fakeManager();
  const us = (env: Record<string, string>): number | undefined =>
    open(fake, { NOTIFY_SOCKET: "/run/notify", ...env }).watchdogUs;
  assertEquals(us({}), undefined);
  assertEquals(us({ WATCHDOG_USEC: "30000000" }), 30e6);
  assertEquals(us({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: `${Deno.pid}` }), 30e6);
  assertEquals(us({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }), undefined);
  for (const wrong of ["", "0", "-5", "x", "1e999"]) {
    assertEquals(us({ WATCHDOG_USEC: wrong }), undefined);
  }
  assertEquals(open(fake, { WATCHDOG_USEC: "30000000" }).watchdogUs, undefined);
});
