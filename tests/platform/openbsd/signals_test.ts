import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { endProcess, killGroup, secureSignals } from "../../../src/platform/openbsd/signals.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";

Deno.test({
  name: "secureSignals() ignores OpenBSD's number of SIGUSR1, after Deno has set its handler",
  // Deno keeps its handler's task, so that it never installs the handler again.
  sanitizeOps: false,
  sanitizeResources: false,
  fn(): void {
    const libc = new FakeLibc(new FakeWorld().host());
    secureSignals(libc);
    assertEquals(libc.calls, ["signal(SIGUSR1, SIG_IGN) = 0"]);
    Object.assign(libc.symbols, { signal: () => 0xffff_ffff_ffff_ffffn });
    assertThrows(() => secureSignals(libc), AggvpnError, "Cannot ignore SIGUSR1");
  },
});

Deno.test("killGroup() sends signal 9 by its number, and ignores what has ended", () => {
  const libc = new FakeLibc(new FakeWorld().host());
  libc.groups.add(4711);
  killGroup(libc, 4711);
  killGroup(libc, 4711);
  assertEquals(libc.calls, ["kill(-4711, SIGKILL) = 0", "kill(-4711, SIGKILL) = -1 ESRCH"]);
});

Deno.test("endProcess() asks one process, and says what the kernel refuses", () => {
  const libc = new FakeLibc(new FakeWorld().host());
  libc.groups.add(4711);
  endProcess(libc, 4711);
  assertThrows(() => endProcess(libc, 4711), AggvpnError, "Cannot end process 4711");
  for (const pid of [1, 0, -1]) assertThrows(() => endProcess(libc, pid), Error, "is none of");
  assertEquals(libc.calls, ["kill(4711, SIGTERM) = 0", "kill(4711, SIGTERM) = -1 ESRCH"]);
});

Deno.test("killGroup() never kills everybody, nor this program", () => {
  const libc = new FakeLibc(new FakeWorld().host());
  for (const leader of [1, 0, -1]) assertThrows(() => killGroup(libc, leader), Error, "no group");
  assertEquals(libc.calls, []);
});
