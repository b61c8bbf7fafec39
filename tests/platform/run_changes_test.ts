import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import type { SystemChange } from "../../src/platform/platform.ts";
import {
  applyChanges,
  commandLine,
  type CommandResult,
  findProgram,
  runCommand,
  startCommand,
} from "../../src/platform/run_changes.ts";

/** Commands of one word; those named in `failing` fail. */
function fake(
  ...failing: string[]
): { ran: string[]; run: (command: readonly string[]) => CommandResult } {
  const ran: string[] = [];
  return {
    ran,
    run(command): CommandResult {
      ran.push(command.join(" "));
      const success = !failing.includes(command[0]!);
      return { success, message: success ? "" : "it broke" };
    },
  };
}

const CHANGES: readonly SystemChange[] = [
  { run: ["a"], undo: ["undo-a"] },
  { run: ["b"] },
  { run: ["c"], undo: ["undo-c"] },
];

Deno.test("applyChanges() runs in order and undoes in reverse, once", () => {
  const { ran, run } = fake();
  const lines: string[] = [];
  const undo = applyChanges(CHANGES, (line) => lines.push(line), run);
  assertEquals(ran, ["a", "b", "c"]);
  undo();
  undo();
  assertEquals(ran, ["a", "b", "c", "undo-c", "undo-a"]);
  assertEquals(lines, ran);
});

Deno.test("applyChanges() notes what would undo everything, before it is done", () => {
  const { ran, run } = fake();
  const notes: string[] = [];
  applyChanges(
    [...CHANGES, { run: ["on"], undo: ["undo-on"], isDone: true }],
    () => {},
    run,
    (undoing) => notes.push(`${ran.at(-1)}: ${undoing.join()}`),
  );
  assertEquals(notes, ["undefined: undo-a", "b: undo-c,undo-a"]);
  assertEquals(ran, ["a", "b", "c"], "what somebody else has done is left alone");
});

Deno.test("applyChanges() undoes what was done before it throws", () => {
  const { ran, run } = fake("c");
  const error = assertThrows(() => applyChanges(CHANGES, () => {}, run), AggvpnError);
  assertEquals(error.message, `Cannot run "c": it broke`);
  assertEquals(ran, ["a", "b", "c", "undo-a"]);
});

Deno.test("applyChanges() goes on after a change that may fail, and does not undo it", () => {
  const { ran, run } = fake("maybe", "stale");
  const failures: string[] = [];
  const optional: readonly SystemChange[] = [
    { run: ["maybe"], undo: ["undo-maybe"], mayFail: true },
    { run: ["stale"], mayFail: true },
  ];
  applyChanges([...optional, ...CHANGES], (line, kind) => {
    if (kind === "failure") failures.push(line);
  }, run)();
  assertEquals(failures, ["failed: it broke"]);
  assertEquals(ran, ["maybe", "stale", "a", "b", "c", "undo-c", "undo-a"]);
});

Deno.test("applyChanges() reports an undo that fails and goes on", () => {
  const { ran, run } = fake("undo-c");
  const lines: string[] = [];
  applyChanges(CHANGES, (line) => lines.push(line), run)();
  assertEquals(ran.slice(3), ["undo-c", "undo-a"]);
  assertEquals(lines.slice(3), ["undo-c", "failed: it broke", "undo-a"]);
});

Deno.test("applyChanges() hands a command what it reads, and shows it as it would be typed", () => {
  const inputs: (string | undefined)[] = [];
  const lines: string[] = [];
  const changes = [{ run: ["pfctl", "-f", "-"], input: "a b\nit's\n", undo: ["pfctl", "-F"] }];
  applyChanges(changes, (line) => lines.push(line), (_command, input) => {
    inputs.push(input);
    return { success: true, message: "" };
  })();
  assertEquals(inputs, ["a b\nit's\n", undefined]);
  assertEquals(lines, [`printf '%s\\n' 'a b' 'it'\\''s' | pfctl -f -`, "pfctl -F"]);
});

Deno.test("commandLine() quotes what a shell would take apart", () => {
  assertEquals(commandLine(["ip", "-6", "route", "::/1"]), "ip -6 route ::/1");
  assertEquals(commandLine(["nft", "a; b", "it's", ""]), `nft 'a; b' 'it'\\''s' ''`);
});

const NEEDS_RUN = Deno.build.os === "windows" ||
  Deno.permissions.querySync({ name: "run" }).state !== "granted" ||
  Deno.permissions.querySync({ name: "read" }).state !== "granted";

Deno.test({
  name: "runCommand() tells success, what a failing command said, and a missing program",
  ignore: NEEDS_RUN,
  fn(): void {
    assertEquals(runCommand(["sh", "-c", "exit 0"]), { success: true, message: "" });
    assertEquals(runCommand(["sh", "-c", "echo out; echo why >&2; exit 2"]).message, "why");
    assertEquals(runCommand(["sh", "-c", "exit 3"]).message, "exit status 3");
    const input = 'a "b" $HOME `x` \\n %s\n';
    const compare = ["sh", "-c", `[ "$(cat)" = "$1" ]`, "sh", input.trimEnd()];
    assertEquals(runCommand(compare, input), { success: true, message: "" });
    assertEquals(runCommand(["sh", "-c", "cat >&2; exit 2"], input).message, input.trimEnd());
    const missing = runCommand(["no-such-program"]);
    assertEquals(missing, { success: false, message: "no-such-program: command not found" });
  },
});

Deno.test({
  name: "startCommand() tells the same, and hands over what the command reads",
  ignore: NEEDS_RUN,
  async fn(): Promise<void> {
    const done = { success: true, message: "" };
    assertEquals(await startCommand(["sh", "-c", "exit 0"]), done);
    const why = await startCommand(["sh", "-c", "echo out; echo why >&2; exit 2"]);
    assertEquals(why, { success: false, message: "why" });
    const input = 'a "b" $HOME `x` \\n %s\n';
    const compare = ["sh", "-c", `[ "$(cat)" = "$1" ]`, "sh", input.trimEnd()];
    assertEquals(await startCommand(compare, input), done);
    assertEquals(await startCommand(["sh", "-c", "exit 0"], "nobody reads it\n"), done);
    const missing = await startCommand(["no-such-program"]);
    assertEquals(missing, { success: false, message: "no-such-program: command not found" });
    const killed = await startCommand(["sh", "-c", "kill -9 $$"]);
    assertEquals(killed.success, false);
  },
});

Deno.test({
  name: "applyChanges() hints at the package when a program is missing",
  ignore: NEEDS_RUN,
  fn(): void {
    const changes = [{ run: ["no-such-program", "x"] }];
    const error = assertThrows(() => applyChanges(changes, () => {}), AggvpnError);
    assertEquals(error.hint, `Install the package that has "no-such-program".`);
  },
});

Deno.test({
  name: "findProgram() finds what can be executed, and nothing else",
  ignore: NEEDS_RUN,
  fn(): void {
    assertEquals(findProgram("sh")?.endsWith("/sh"), true);
    assertEquals(findProgram("no-such-program"), undefined);
  },
});
