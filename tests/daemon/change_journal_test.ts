import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  ChangeJournal,
  isLeft,
  journalPath,
  undoAllLeftOvers,
  undoLeftOvers,
} from "../../src/daemon/change_journal.ts";
import type { CommandResult } from "../../src/platform/run_changes.ts";
import { logged } from "../logged.ts";

const UNDO = [["ip", "rule", "del", "pref", "7800"], ["gone"]];

async function inDirectory(body: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-journal-" });
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Commands that work, but for `gone`. */
function recorder(): { ran: string[]; run: (command: readonly string[]) => CommandResult } {
  const ran: string[] = [];
  return {
    ran,
    run(command): CommandResult {
      ran.push(command.join(" "));
      const success = command[0] !== "gone";
      return { success, message: success ? "" : "No such device" };
    },
  };
}

Deno.test("ChangeJournal keeps what would undo everything where only its user can read it", () =>
  inDirectory((directory) => {
    const control = `${directory}/home.sock`;
    const journal = new ChangeJournal(control);
    journal.note([["first"]]);
    journal.note(UNDO);
    assertEquals([journal.path, isLeft(control)], [`${directory}/home.changes`, true]);
    assertEquals(Deno.statSync(journal.path).mode! & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(directory)].length, 1);
    const { ran, run } = recorder();
    assertEquals(undoLeftOvers(control, run), ["ip rule del pref 7800"]);
    assertEquals(ran, ["ip rule del pref 7800", "gone"]);
    assertEquals([isLeft(control), undoLeftOvers(control, run)], [false, []]);
    journal.note(UNDO);
    journal.clear();
    assertEquals(isLeft(control), false);
  }));

Deno.test("undoAllLeftOvers() undoes what dead tunnels left, and nothing of one that lives", () =>
  inDirectory(async (directory) => {
    const listener = Deno.listen({ transport: "unix", path: `${directory}/alive.sock` });
    for (const name of ["own", "dead", "alive"]) {
      new ChangeJournal(`${directory}/${name}.sock`).note([["undo", name]]);
    }
    const { ran, run } = recorder();
    const lines = await logged(() => undoAllLeftOvers(`${directory}/own.sock`, run));
    listener.close();
    assertEquals(ran, ["undo own", "undo dead"]);
    assertEquals(lines.length, 2);
    assertStringIncludes(lines[0]!, "warning Undid what a tunnel left");
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assertEquals(left, ["alive.changes"]);
  }));

Deno.test("undoLeftOvers() carries out nothing that another could have written, or for elsewhere", () =>
  inDirectory((directory) => {
    const control = `${directory}/home.sock`;
    const path = journalPath(control);
    const { ran, run } = recorder();
    const tryText = (text: string, mode = 0o600): void => {
      Deno.writeTextFileSync(path, text, { mode });
      Deno.chmodSync(path, mode);
      assertEquals(undoLeftOvers(control, run), []);
      assertEquals([ran, isLeft(control)], [[], true]);
      Deno.removeSync(path);
    };
    new ChangeJournal(control).note(UNDO);
    const text = Deno.readTextFileSync(path);
    tryText(text, 0o620);
    tryText(text.replace(/"network":"[^"]*"/, '"network":"net:[1]"'));
    tryText(text.replace('"version":1', '"version":2'));
    tryText(text.replace('"gone"', "3"));
    tryText(text.slice(0, 30));
    Deno.writeTextFileSync(`${directory}/victim`, text, { mode: 0o600 });
    Deno.symlinkSync(`${directory}/victim`, path);
    assertEquals([undoLeftOvers(control, run), ran], [[], []]);
  }));

Deno.test({
  name: "undoLeftOvers() undoes nothing of a process that runs without its socket",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inDirectory(async (directory) => {
      const control = `${directory}/home.sock`;
      const { ran, run } = recorder();
      new ChangeJournal(control).note(UNDO);
      const path = journalPath(control);
      const child = new Deno.Command("sleep", { args: ["20"] }).spawn();
      const stat = Deno.readTextFileSync(`/proc/${child.pid}/stat`).split(" ");
      const text = Deno.readTextFileSync(path)
        .replace(/"process":"[^"]*"/, `"process":"${child.pid} ${stat[21]}"`);
      Deno.writeTextFileSync(path, text);
      assertEquals([undoLeftOvers(control, run), isLeft(control)], [[], true]);
      // Another process may get the number.
      Deno.writeTextFileSync(path, text.replace(` ${stat[21]}"`, ' 1"'));
      assertEquals(undoLeftOvers(control, run).length, 1);
      Deno.writeTextFileSync(path, text);
      child.kill();
      await child.status;
      assertEquals(undoLeftOvers(control, run).length, 1);
      assertEquals(ran.length, 4);
    }),
});

Deno.test("ChangeJournal that cannot be written says so once", async () => {
  const lines = await logged(() => {
    const journal = new ChangeJournal("/nonexistent/home.sock");
    journal.note(UNDO);
    journal.note(UNDO);
    journal.clear();
  });
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "Cannot note in /nonexistent/home.changes");
});
