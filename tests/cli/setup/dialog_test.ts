import { assertEquals, assertThrows } from "@std/assert";
import { checkName, checkPort } from "../../../src/cli/setup/flag_values.ts";
import { AggvpnError, UsageError } from "../../../src/errors.ts";
import { dialogWith, nobody } from "./answers.ts";

Deno.test("a Dialog asks again until the answer is right, and takes the default for none", () => {
  const { dialog, said } = dialogWith(["70000", " 5081 ", ""]);
  assertEquals(dialog.ask("UDP port", "5080", checkPort, "--port"), 5081);
  assertEquals(dialog.ask("Name", "home", checkName, "--client"), "home");
  assertEquals(
    said(),
    "UDP port [5080]:   expected a port from 1 to 65535\nUDP port [5080]: Name [home]: ",
  );
});

Deno.test("a Dialog insists on an answer that has no default", () => {
  const { dialog } = dialogWith(["", "x"]);
  assertEquals(dialog.ask("Name", undefined, checkName, "--client"), "x");
});

Deno.test("a Dialog confirms", () => {
  const { dialog, said } = dialogWith(["perhaps", "YES", "n", ""]);
  assertEquals([1, 2, 3].map(() => dialog.confirm("Start?", false)), [true, false, false]);
  assertEquals(said().startsWith("Start? [y/N]   yes or no?\n"), true);
});

Deno.test("a Dialog without a terminal takes defaults, and names the flag where there is none", () => {
  assertEquals(nobody().ask("UDP port", "5080", checkPort, "--port"), 5080);
  assertEquals(nobody().confirm("Start?", true), true);
  const error = assertThrows(
    () => nobody().ask("Address", undefined, checkName, "--address=HOST"),
    UsageError,
    "Nobody can be asked: Address",
  );
  assertEquals(error.hint, "Give --address=HOST");
});

Deno.test("a Dialog that is hung up on changes nothing", () => {
  const { dialog } = dialogWith([]);
  assertThrows(() => dialog.confirm("Start?", true), AggvpnError, "nothing was changed");
});

Deno.test("a Dialog reads lines until it has enough", () => {
  const { dialog } = dialogWith(["a", "b", "c"]);
  assertEquals(dialog.read("Paste", (text) => text.includes("b")), "a\nb\n");
  assertEquals(dialog.read("Paste", () => false), "c\n");
});
