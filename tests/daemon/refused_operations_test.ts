/** Deno's operations that a kernel refuses with ENOSYS: needs a Linux with seccomp(2). */

import { assertEquals } from "@std/assert";
import { findProgram } from "../../src/platform/run_changes.ts";
import { NOT_LINUX } from "../platform/linux/requirements.ts";

Deno.test({
  name: "files, scripts, commands and the control socket name what a sandbox refuses, once",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const directory = await Deno.makeTempDir({ prefix: "aggvpn-refused-" });
    try {
      const program = new URL("../../lab/refuse/operations.ts", import.meta.url).pathname;
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-check", program, directory],
        env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      });
      const { code, stdout, stderr } = await command.output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      const file = `${directory}/home.quota.json`;
      const refused = [
        `a write of ${file}`,
        "the start of /bin/true",
        `the start of ${findProgram("env")}`,
        "a connection to the control socket",
        `a removal of ${file}.new`,
        "the removal of the control socket",
      ];
      assertEquals(
        new TextDecoder().decode(stdout).trimEnd().split("\n"),
        refused.map((operation) => `pledge(2) refused ${operation}: please report this`),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
