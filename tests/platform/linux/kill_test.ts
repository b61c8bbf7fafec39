import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { endProcess, killGroup } from "../../../src/platform/linux/signals.ts";
import { NOT_LINUX } from "./requirements.ts";

/** A shell that leads a group of its own; it has a child, which holds its output open. */
function startGroup(): Deno.ChildProcess {
  return new Deno.Command("/bin/sh", {
    args: ["-c", "trap '' TERM FPE; sleep 20 & echo ready; wait"],
    stdin: "null",
    stdout: "piped",
    detached: true,
  }).spawn();
}

Deno.test({
  name: "killGroup() ends a process that ignores other signals, with its children",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const child = startGroup();
    const reader = child.stdout.getReader();
    await reader.read();
    killGroup(openLibc(), child.pid);
    const { code } = await child.status;
    assertEquals(code, 128 + 9);
    assertEquals((await reader.read()).done, true, "the child has closed the output too");
    killGroup(openLibc(), child.pid);
  },
});

Deno.test({
  name: "killGroup() never kills everybody, and says what the kernel refuses",
  ignore: NOT_LINUX,
  fn(): void {
    const libc = openLibc();
    for (const leader of [1, 0, -1]) assertThrows(() => killGroup(libc, leader), Error, "no group");
    const symbols = { ...libc.symbols, kill: (): number => -1 };
    const refusing = { ...libc, symbols, errno: (): number => 1 };
    const message = "Cannot kill process 4711: Operation not permitted";
    assertThrows(() => killGroup(refusing, 4711), AggvpnError, message);
  },
});

Deno.test({
  name: "endProcess() asks one process to end, and says what the kernel refuses",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const child = new Deno.Command("sleep", { args: ["20"] }).spawn();
    endProcess(openLibc(), child.pid);
    assertEquals((await child.status).signal, "SIGTERM");
    assertThrows(() => endProcess(openLibc(), child.pid), AggvpnError, "No such process");
    for (const pid of [1, 0, -1]) assertThrows(() => endProcess(openLibc(), pid), Error);
  },
});
