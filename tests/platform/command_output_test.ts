import { assertEquals } from "@std/assert";
import { awaitCommand, readCommand } from "../../src/platform/command_output.ts";

const NEEDS_RUN = Deno.build.os === "windows" ||
  Deno.permissions.querySync({ name: "run" }).state !== "granted";

Deno.test({
  name: "readCommand() and awaitCommand() tell output, failure and the signal that ended a command",
  ignore: NEEDS_RUN,
  async fn(): Promise<void> {
    const cases = [
      [["sh", "-c", "echo out; echo err >&2"], { success: true, output: "out\n" }],
      [["/bin/sh", "-c", "echo out; exit 3"], { success: false, output: "out\n" }],
      [["sh", "-c", "kill -ILL $$"], { success: false, output: "", signal: "SIGILL" }],
      [["sh", "-c", "echo $LC_ALL; cat"], { success: true, output: "C\n" }],
      [["no-such-program"], { success: false, output: "" }],
      [["/no/such/program"], { success: false, output: "" }],
    ] as const;
    for (const [command, expected] of cases) {
      assertEquals(readCommand(command), expected, command.join(" "));
      assertEquals(await awaitCommand(command), expected, command.join(" "));
    }
  },
});
