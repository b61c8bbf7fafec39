import { assertEquals, assertRejects } from "@std/assert";
import { ChangeJournal, undoAllLeftOvers, undoLeftOvers } from "../../src/daemon/change_journal.ts";
import { LeakGuard, type LeakGuardOptions } from "../../src/daemon/leak_guard.ts";
import { AggvpnError } from "../../src/errors.ts";
import { MemoryPlatform } from "../../src/platform/memory/platform.ts";
import type { CommandResult } from "../../src/platform/run_changes.ts";
import { address } from "../addresses.ts";
import { logged } from "../logged.ts";

const DONE: CommandResult = { success: true, message: "" };

/** A host that keeps what it was told to run. */
class Host {
  readonly directory = Deno.makeTempDirSync();
  readonly control = `${this.directory}/home.sock`;
  readonly ran: string[] = [];
  /** What a command says that fails. */
  refusal: string | undefined;
  isThere = true;

  readonly run = (command: readonly string[]): CommandResult => {
    this.ran.push(command.join(" "));
    return this.refusal === undefined ? DONE : { success: false, message: this.refusal };
  };

  open(options: Partial<LeakGuardOptions> = {}): Promise<LeakGuard> {
    return LeakGuard.open({
      platform: new MemoryPlatform(),
      name: "home",
      interface: undefined,
      uplinks: () => [],
      onChange: () => {},
      run: this.run,
      look: () => Promise.resolve({ success: this.isThere, output: "" }),
      journal: new ChangeJournal(this.control),
      ...options,
    });
  }

  /** What was run since the last time. */
  take(): string[] {
    return this.ran.splice(0);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

const REMOTE = { address: address("192.0.2.1"), port: 5080 };

Deno.test("LeakGuard follows the interface and the servers, and runs nothing for no change", async () => {
  using host = new Host();
  const guard = await host.open();
  assertEquals(host.take(), ["guard home "]);
  await guard.setInterface("agg0");
  const remotes = [REMOTE];
  await guard.follow(() => remotes);
  assertEquals(host.take(), ["guard home agg0", "guard home agg0 192.0.2.1:5080"]);
  await guard.refresh();
  assertEquals(host.take(), []);
  remotes.push({ ...REMOTE, port: 5081 });
  await guard.refresh();
  assertEquals(host.take(), ["guard home agg0 192.0.2.1:5080 192.0.2.1:5081"]);
  host.isThere = false;
  const lines = await logged(() => guard.refresh());
  assertEquals(host.take().length, 1, "it was removed by somebody");
  assertEquals(lines, [
    "warning Somebody changed the network; put back: the guard against leaks",
  ]);
  await guard.close(true);
});

Deno.test("LeakGuard lets questions out while names are looked up, and no longer", async () => {
  using host = new Host();
  const guard = await host.open({ interface: "agg0" });
  host.take();
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const lookups = answers.map(({ promise }) =>
    guard.whileAsking(() => {
      assertEquals(host.ran.at(-1), "guard home agg0 names", "it is open before the question");
      return promise;
    })
  );
  answers[0]!.resolve("a");
  assertEquals(await lookups[0], "a");
  await guard.refresh();
  assertEquals(host.take(), ["guard home agg0 names"], "the other still runs");
  answers[1]!.reject(new AggvpnError("unknown"));
  await assertRejects(() => lookups[1]!, AggvpnError, "unknown");
  await guard.refresh();
  assertEquals(host.take(), ["guard home agg0"]);
  // Each answer is followed by a look, a moment later.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await guard.close(true);
});

Deno.test("LeakGuard is removed by a clean end, and by one before it is held", async () => {
  using host = new Host();
  for (const [isHeld, clean] of [[true, true], [false, true], [false, false]] as const) {
    const guard = await host.open();
    if (isHeld) guard.hold();
    await guard.close(clean);
    assertEquals(host.take(), ["guard home ", "unguard home"]);
    assertEquals(undoLeftOvers(host.control, host.run), []);
  }
});

Deno.test("LeakGuard stays after any other end, until aggvpn down or a clean one", async () => {
  using host = new Host();
  const first = await host.open();
  first.hold();
  const lines = await logged(() => first.close(false));
  assertEquals(host.take(), ["guard home "]);
  assertEquals(lines, [
    'warning Nothing leaves around the tunnel until it runs again; "aggvpn down home" ends that',
  ]);

  // Neither another tunnel's start nor its own removes it, nor an end before it has run.
  await undoAllLeftOvers(`${host.directory}/other.sock`, host.run);
  await undoAllLeftOvers(host.control, host.run, true);
  assertEquals(host.take(), []);
  await (await host.open()).close(false);
  assertEquals(host.take(), ["guard home "]);
  assertEquals(undoLeftOvers(host.control, host.run), ["unguard home"]);
  assertEquals(undoLeftOvers(host.control, host.run), []);
});

Deno.test("LeakGuard goes when the tunnel starts without it, or with another name", async () => {
  using host = new Host();
  const first = await host.open();
  first.hold();
  await first.close(false);
  host.take();
  const second = await host.open({ name: "work" });
  assertEquals(host.take(), ["guard work ", "unguard home"]);
  second.hold();
  await second.close(false);
  await undoAllLeftOvers(host.control, host.run, false);
  assertEquals(host.take(), ["unguard work"]);
});

Deno.test("LeakGuard is no tunnel's when it cannot be set up, and complains once later", async () => {
  using host = new Host();
  host.refusal = "no nft";
  const error = await assertRejects(() => host.open(), AggvpnError, "no nft");
  assertEquals(error.hint?.includes("leak_guard = false"), true);
  host.refusal = undefined;
  assertEquals(undoLeftOvers(host.control, host.run), []);

  const guard = await host.open();
  host.refusal = "no nft";
  const lines = await logged(async () => {
    await guard.setInterface("agg0");
    await guard.refresh();
  });
  assertEquals(lines, ["error Cannot renew the guard against leaks: no nft"]);
  host.refusal = undefined;
  await guard.close(true);
});
