import { assertEquals } from "@std/assert";
import { NOT_LINUX } from "./requirements.ts";

/** The mask in /proc/PID/status has signal N in bit N - 1: proc_pid_status(5). */
const SIGUSR1_BIT = 1 << 10 - 1;

Deno.test({
  name: "secureSignals() makes a process ignore SIGUSR1",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const module = (path: string): string =>
      JSON.stringify(new URL(`../../../src/platform/linux/${path}`, import.meta.url).href);
    const program = `
      import { openLibc } from ${module("libc.ts")};
      import { secureSignals } from ${module("signals.ts")};
      secureSignals(openLibc());
      Deno.kill(Deno.pid, "SIGUSR1");
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(/^SigIgn:\\s*(\\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))[1]);
    `;
    const directory = new URL("../../../", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", program],
      cwd: directory,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    });
    const { code, stdout, stderr } = await command.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    const ignored = parseInt(new TextDecoder().decode(stdout).trim().slice(-8), 16);
    assertEquals(ignored & SIGUSR1_BIT, SIGUSR1_BIT);
  },
});
