import { assertEquals } from "@std/assert";
import {
  type CommandOutput,
  type ReadCommand,
  readCommand,
} from "../../../src/platform/command_output.ts";
import { probeFastCalls } from "../../../src/platform/openbsd/ffi_probe.ts";

Deno.test("probeFastCalls() finds a child that dies of SIGILL, and nothing else", () => {
  const [finding] = probeFastCalls(
    () => ({ success: false, output: "", signal: "SIGILL" }),
    "deno",
  );
  assertEquals(finding!.severity, "error");
  for (const signal of ["SIGSEGV", "SIGKILL"]) {
    assertEquals(probeFastCalls(() => ({ success: false, output: "", signal }), "deno"), []);
  }
});

Deno.test({
  name: "probeFastCalls() has a program that Deno runs (with this system's libc)",
  ignore: Deno.build.os !== "linux",
  fn(): void {
    const outputs: CommandOutput[] = [];
    const read: ReadCommand = (command) => {
      outputs.push(readCommand(command));
      return outputs[0]!;
    };
    assertEquals(probeFastCalls(read, Deno.execPath(), "libc.so.6"), []);
    assertEquals(outputs, [{ success: true, output: "called\n" }]);
  },
});
