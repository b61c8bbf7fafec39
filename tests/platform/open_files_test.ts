import { assertEquals } from "@std/assert";
import { readCommand } from "../../src/platform/command_output.ts";
import { inspectOpenFiles } from "../../src/platform/open_files.ts";

Deno.test("inspectOpenFiles() asks the shell, which has the limit of this process", () => {
  assertEquals(inspectOpenFiles(readCommand, 3, ""), []);
  const [finding] = inspectOpenFiles(readCommand, Infinity, "Raise it.");
  const { output } = readCommand(["sh", "-c", "ulimit -n"]);
  const expected = /^\d+\n$/.test(output)
    ? `Only ${output.trim()} files may be open here, and this tunnel may need Infinity`
    : undefined;
  assertEquals(finding?.message, expected);
});

Deno.test("Deno raises the soft limit of open files to the hard one", () => {
  const program = `console.log(new TextDecoder().decode(
    new Deno.Command("sh", { args: ["-c", "ulimit -n; ulimit -Hn"] }).outputSync().stdout))`;
  const command = `ulimit -Sn 64 && exec "$0" eval '${program}'`;
  const { success, output } = readCommand(["sh", "-c", command, Deno.execPath()]);
  const [soft, hard] = output.trim().split("\n");
  assertEquals([success, soft], [true, hard]);
});
