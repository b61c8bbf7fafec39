/** Needs permission to run /bin/sh and to write temporary files. */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { type Child, runScript, type ScriptHost, spawnProcess } from "../../src/daemon/script.ts";
import { StatusCommand } from "../../src/daemon/status_command.ts";
import { AggvpnError } from "../../src/errors.ts";
import { LINUX } from "../../src/platform/linux/platform.ts";
import { runCommand } from "../../src/platform/run_changes.ts";
import { linkEvent } from "../link_events.ts";
import { logged } from "../logged.ts";

const LIMIT_MS = 200;
/** Far more than the limit, and far less than the scripts take. */
const SOON_MS = 10_000;

function shell(line: string, host: ScriptHost): Promise<string | undefined> {
  return runScript("/bin/sh", ["-c", line], {}, host);
}

function killNothing(): never {
  throw new Error("Nothing was to be killed");
}

/** A child that ends when, and how, a test says so. */
class FakeChild implements Child {
  readonly pid = 4711;
  readonly #end = Promise.withResolvers<Deno.CommandStatus>();
  readonly status = this.#end.promise;
  isReferenced = true;

  unref(): void {
    this.isReferenced = false;
  }

  /** What Deno does where it has no name for a signal. */
  endBySignal(number: number): void {
    this.#end.reject(new TypeError(`Invalid signal: ${number}`));
  }
}

Deno.test({
  name: "runScript() says how a script failed, and nothing when it did not",
  // Deno 2.7 keeps a child whose end it cannot report.
  sanitizeResources: false,
  async fn(): Promise<void> {
    const host = { killGroup: killNothing };
    const cases = [
      ["exit 0", undefined],
      ["exit 7", "exited with status 7"],
      ["kill -TERM $$", "was ended by signal 15"],
      ["kill -9 $$", "was ended by signal 9"],
      // As 9 on OpenBSD, this has no name in Deno's table.
      ["kill -40 $$", "ended in a way that is not known: Invalid signal: 40"],
    ] as const;
    for (const [line, failure] of cases) assertEquals(await shell(line, host), failure, line);
    await assertRejects(() => runScript("/no/such/script", [], {}, host), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "runScript() kills what runs too long, whatever it ignores, with all that it has started",
  ignore: Deno.build.os !== "linux",
  // libc stays open.
  sanitizeResources: false,
  async fn(): Promise<void> {
    const directory = Deno.makeTempDirSync({ prefix: "aggvpn-script-" });
    try {
      const fifo = `${directory}/fifo`;
      assertEquals(runCommand(["mkfifo", fifo]), { success: true, message: "" });
      const lines = [
        "trap '' TERM INT HUP FPE; echo >&9; while :; do :; done",
        "trap '' TERM FPE; sleep 20 & echo >&9; wait; sleep 20",
      ];
      for (const line of lines) {
        const children: Deno.ChildProcess[] = [];
        const host = {
          killGroup: (leader: number): void => LINUX.killGroup(leader),
          limitMs: LIMIT_MS,
          spawn(command: string, options: Deno.CommandOptions): Deno.ChildProcess {
            children.push(spawnProcess(command, options));
            return children.at(-1)!;
          },
        };
        const start = performance.now();
        const running = shell(`exec 9>${fifo}; ${line}`, host);
        // The file ends when everybody who holds it open has ended.
        assertEquals(await Deno.readTextFile(fifo), "\n");
        assertEquals(await running, "ran longer than 0.2 s and was killed");
        assertEquals((await children[0]!.status).code, 128 + 9);
        assertLess(performance.now() - start, SOON_MS);
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test("runScript() stops waiting for a script that is killed and does not end", async () => {
  const killed: number[] = [];
  const child = new FakeChild();
  const failure = await shell("sleep 20", {
    killGroup: (leader) => killed.push(leader),
    limitMs: 1,
    killedLimitMs: 1,
    spawn: () => child,
  });
  assertEquals(failure, "ran longer than 0.001 s and was killed, but does not end");
  assertEquals([killed, child.isReferenced], [[4711], false]);
  child.endBySignal(9);
});

Deno.test("runScript() stops waiting for a script that the system refuses to kill", async () => {
  const child = new FakeChild();
  const failure = await shell("sleep 20", {
    killGroup(): void {
      throw new AggvpnError("Cannot kill process 4711: Function not implemented");
    },
    limitMs: 1,
    spawn: () => child,
  });
  const reason = "Cannot kill process 4711: Function not implemented";
  assertEquals(failure, `ran longer than 0.001 s and goes on: ${reason}`);
  assertEquals(child.isReferenced, false);
});

Deno.test("StatusCommand survives a script that is killed, says so once, and runs the next one", async () => {
  const spawn = (): FakeChild => {
    const child = new FakeChild();
    child.endBySignal(9);
    return child;
  };
  const lines = await logged(async () => {
    const host = { killGroup: killNothing, spawn };
    const command = new StatusCommand({
      command: () => "/etc/aggvpn/status",
      env: () => ({ DEVICE: "tun0" }),
      host,
      severalPeers: () => false,
    });
    command.handleLink(linkEvent({ link: "dsl1" }));
    await command.close();
  });
  const events = ["rtun_up dsl1", "tuntap_up", "rtun_down dsl1", "tuntap_down"];
  const end = "ended in a way that is not known: Invalid signal: 9";
  assertEquals(
    lines,
    events.map((event) => `warning /etc/aggvpn/status tun0 ${event} ${end}`),
  );
});

Deno.test("runCommand() tells of a command that Deno cannot start, and does not throw", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, "#!/no/such/interpreter\n");
    Deno.chmodSync(path, 0o755);
    const { success, message } = runCommand([path]);
    assertEquals(success, false);
    assert(message.length > 0);
  } finally {
    Deno.removeSync(path);
  }
});
