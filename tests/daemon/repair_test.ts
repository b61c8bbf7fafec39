import { assertEquals } from "@std/assert";
import { Repair } from "../../src/daemon/repair.ts";
import type { CommandOutput } from "../../src/platform/command_output.ts";
import type { SystemChange } from "../../src/platform/platform.ts";
import { logged } from "../logged.ts";

/** A system that is a list of words; `add WORD` appends one, `show` prints them. */
class Words {
  readonly looks: string[] = [];
  readonly ran: string[] = [];
  readonly taken: string[] = [];
  refused: string | undefined;
  readonly repair: Repair;

  constructor(readonly words: string[], changes: readonly SystemChange[]) {
    this.repair = new Repair({
      changes: () => changes,
      mtu: () => 1400,
      onTaken: ({ undo }) => this.taken.push(undo!.join(" ")),
      onChange: (line) => this.ran.push(line),
      look: (command): Promise<CommandOutput> => {
        this.looks.push(command.join(" "));
        return Promise.resolve({ success: true, output: this.words.join("\n") });
      },
      run: ([, word = ""]) => {
        if (word === this.refused) return { success: false, message: "no" };
        this.words.push(word);
        return { success: true, message: "" };
      },
    });
  }
}

function word(text: string, extra: Partial<SystemChange> = {}, isGate = false): SystemChange {
  const look = { run: ["show"], shows: new RegExp(`^${text}$`, "m"), isGate };
  return { run: ["add", text], look, ...extra };
}

Deno.test("Repair puts back what is missing, in the order of the start, with one line", async () => {
  const system = new Words(["a", "b", "c"], [word("a"), { run: ["other"] }, word("b"), word("c")]);
  assertEquals(await logged(() => system.repair.repair()), []);
  system.words.splice(0, 2);
  const lines = await logged(() => system.repair.repair());
  assertEquals(lines, ["warning Somebody changed the network; put back: add a, add b"]);
  assertEquals(system.ran, ["+ add a", "+ add b"]);
  assertEquals(system.words, ["c", "a", "b"]);
  assertEquals(system.looks, ["show", "show"], "one look serves every change");
});

Deno.test("Repair leaves alone what cannot be put right, until its gate is open", async () => {
  const system = new Words(["before"], [word("before"), word("up", {}, true), word("route")]);
  assertEquals(await logged(() => system.repair.repair()), []);
  system.words.push("up");
  await system.repair.repair();
  assertEquals(system.words, ["before", "up", "route"]);
});

Deno.test("Repair says once that it cannot, and again after it could", async () => {
  const system = new Words([], [word("a")]);
  system.refused = "a";
  const failure = "warning Cannot put back what somebody removed: add a no";
  const twice = async (): Promise<void> => {
    await system.repair.repair();
    await system.repair.repair();
  };
  assertEquals(await logged(twice), [failure]);
  system.words.push("a");
  await system.repair.repair();
  system.words.pop();
  assertEquals(await logged(twice), [failure]);
});

Deno.test("Repair does not try what the host has never had, such as a clamp without nft", async () => {
  const system = new Words([], [word("clamp", { mayFail: true }), word("b")]);
  await system.repair.repair();
  assertEquals(system.words, ["b"]);
  system.words.push("clamp");
  await system.repair.repair();
  system.words.length = 0;
  await system.repair.repair();
  assertEquals(system.words, ["clamp", "b"]);
});

Deno.test("Repair makes what depends on the MTU for the MTU of the moment", async () => {
  const system = new Words([], [word("x", { atMtu: (mtu) => ({ run: ["add", `x${mtu}`] }) })]);
  await system.repair.repair();
  assertEquals(system.words, ["x1400"]);
});

Deno.test("Repair tells of what it makes instead of somebody else, so that it is undone", async () => {
  const undo = ["remove", "a"];
  const system = new Words(["a", "b"], [word("a", { undo, isDone: true }), word("b", { undo })]);
  await system.repair.repair();
  assertEquals(system.taken, []);
  system.words.length = 0;
  await system.repair.repair();
  assertEquals([system.words, system.taken], [["a", "b"], ["remove a"]]);
});

Deno.test("Repair starts nothing once it is closed, and asks nothing without a change", async () => {
  const system = new Words([], [word("a"), word("b")]);
  const running = system.repair.repair();
  await system.repair.close();
  await running;
  assertEquals(system.ran, []);
  await system.repair.repair();
  const none = new Words([], [{ run: ["a"] }]);
  await none.repair.repair();
  assertEquals([system.looks.length, none.looks.length], [1, 0]);
});
