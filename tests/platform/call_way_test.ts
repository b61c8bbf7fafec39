import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { trappedDeno } from "../../lab/trap/deno.ts";
import { AggvpnError } from "../../src/errors.ts";
import { type CallProbe, chooseCalls, probeStubs } from "../../src/platform/call_way.ts";
import { type CommandOutput, readCommand } from "../../src/platform/command_output.ts";
import { NOT_LINUX } from "./linux/requirements.ts";

/** A probe whose child ends like this. */
function ending(output: CommandOutput): () => CallProbe {
  return () => ({ read: () => output, deno: "/usr/local/bin/deno", library: "libc.so" });
}

function neverProbed(): never {
  throw new Error("Nothing was to be probed");
}

Deno.test("chooseCalls() takes stubs only where a child has called one", () => {
  const called = chooseCalls("probe", ending({ success: true, output: "called\n" }));
  assertEquals(called, { way: "stubs", findings: [] });
  const endings: CommandOutput[] = [
    { success: false, output: "", signal: "SIGILL" },
    { success: false, output: "", signal: "SIGKILL" },
    { success: false, output: "" },
    { success: true, output: "" },
  ];
  for (const output of endings) {
    const { way, findings } = chooseCalls("probe", ending(output));
    assertEquals([way, findings.length, findings[0]!.severity], ["libffi", 1, "warning"]);
    const why = output.signal === "SIGILL" ? /IBT or BTI/ : /could not be tried/;
    assertMatch(findings[0]!.message, why);
  }
});

Deno.test("chooseCalls() does as it is told without a probe, and refuses what it does not know", () => {
  assertEquals(chooseCalls("stubs", neverProbed), { way: "stubs", findings: [] });
  assertEquals(chooseCalls("libffi", neverProbed), { way: "libffi", findings: [] });
  for (const setting of ["", "fast", "Stubs"]) {
    assertThrows(() => chooseCalls(setting, neverProbed), AggvpnError, "AGGVPN_CALLS=");
  }
});

Deno.test("probeStubs() runs a path with spaces and quotes as it is", () => {
  let command: readonly string[] = [];
  const read = (words: readonly string[]): CommandOutput => {
    command = words;
    return { success: false, output: "" };
  };
  probeStubs({ read, deno: "/a b/'deno'", library: "libc.so" });
  assertEquals(command.includes("/a b/'deno'"), true);
});

Deno.test({
  name: "probeStubs() has a child call stubs, and sees it die where they are traps",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const directory = await Deno.makeTempDir();
    try {
      const probe = { read: readCommand, library: "libc.so.6" };
      assertEquals(probeStubs({ ...probe, deno: Deno.execPath() }), "called");
      assertEquals(probeStubs({ ...probe, deno: await trappedDeno(directory) }), "killed");
      assertEquals(probeStubs({ ...probe, deno: `${directory}/none` }), "unknown");
      assertEquals(probeStubs({ ...probe, deno: "/bin/false" }), "unknown");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
