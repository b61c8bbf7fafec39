/** Needs permission to run /bin/sh and to write temporary files. */

import { assertEquals, assertRejects } from "@std/assert";
import { hookEnvironment, runShellHook, StatusCommand } from "../../src/daemon/hooks.ts";
import { AggvpnError } from "../../src/errors.ts";
import { address, prefix } from "../addresses.ts";

const TUNNEL = {
  address: prefix("10.44.43.1/30"),
  gateway: address("10.44.43.2"),
  routes: ["198.51.100.0/24", "2001:db8::/32", "192.0.2.0/24"].map(prefix),
  dns: [],
  leakGuard: false,
  nat: false,
  mssClamp: true,
  offload: true,
  schedule: "fast",
  duplicate: "off",
} as const;
const HOST = { killGroup: (leader: number): void => Deno.kill(-leader, "SIGKILL") };
const ENV = hookEnvironment(TUNNEL, "agg0", 1434);

/** Runs `body` with a script that appends to a log, and returns the log. */
async function withScript(script: string, body: (path: string) => Promise<void>): Promise<string> {
  const directory = Deno.makeTempDirSync();
  try {
    const log = `${directory}/log`;
    Deno.writeTextFileSync(log, "");
    const path = `${directory}/status`;
    Deno.writeTextFileSync(path, `#!/bin/sh\nexec >>${log}\n${script}\n`, { mode: 0o700 });
    await body(path);
    return Deno.readTextFileSync(log);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("hookEnvironment() has every variable of mlvpn, empty when there is no value", () => {
  assertEquals(ENV, {
    DEVICE: "agg0",
    MTU: "1434",
    IP4: "10.44.43.1/30",
    IP6: "",
    IP4_GATEWAY: "10.44.43.2",
    IP6_GATEWAY: "",
    IP4_ROUTES: "198.51.100.0/24 192.0.2.0/24",
    IP6_ROUTES: "2001:db8::/32",
  });
});

Deno.test("StatusCommand is called in the order of mlvpn, each event once", async () => {
  const log = await withScript('echo "$# $*"', async (path) => {
    const command = new StatusCommand(() => path, () => ENV, HOST);
    command.handleLink("dsl", true);
    command.handleLink("lte", true);
    command.handleLink("lte", true);
    command.handleLink("dsl", false);
    command.handleLink("dsl", false);
    await command.close();
  });
  assertEquals(
    log,
    `3 agg0 rtun_up dsl
2 agg0 tuntap_up
3 agg0 rtun_up lte
3 agg0 rtun_down dsl
3 agg0 rtun_down lte
2 agg0 tuntap_down
`,
  );
});

Deno.test("StatusCommand gives its script the environment, / and /dev/null", async () => {
  const log = await withScript(
    'echo "$DEVICE|$MTU|$IP4|$IP6|$IP4_ROUTES|$(pwd)|$(readlink /proc/$$/fd/0)"',
    async (path) => {
      const command = new StatusCommand(() => path, () => ENV, HOST);
      command.handleLink("dsl", true);
      await command.close();
    },
  );
  const line = "agg0|1434|10.44.43.1/30||198.51.100.0/24 192.0.2.0/24|/|/dev/null\n";
  assertEquals(log, line.repeat(4));
});

Deno.test("StatusCommand.handleLink() returns at once while a script is slow", async () => {
  // Each call waits for a file that does not exist until the first one has returned.
  const script = `for i in $(seq 500); do
    if [ -e "$0.go" ]; then echo done; exit; fi
    sleep 0.01
  done
  echo "waited in vain"`;
  const log = await withScript(script, async (path) => {
    const command = new StatusCommand(() => path, () => ENV, HOST);
    command.handleLink("dsl", true);
    Deno.writeTextFileSync(`${path}.go`, "");
    await command.close();
  });
  assertEquals(log, "done\n".repeat(4));
});

Deno.test("StatusCommand survives a script that fails and one that is missing", async () => {
  await withScript("exit 3", async (path) => {
    const failing = new StatusCommand(() => path, () => ENV, HOST);
    failing.handleLink("dsl", true);
    await failing.close();
    const missing = new StatusCommand(() => `${path}.none`, () => ENV, HOST);
    missing.handleLink("dsl", true);
    await missing.close();
  });
});

Deno.test("runShellHook() runs a line of the shell and throws when it fails", async () => {
  const log = await withScript('echo "$1 $DEVICE"', async (path) => {
    await runShellHook("up", `${path} one && ${path} two`, ENV, HOST);
    await assertRejects(() => runShellHook("up", "exit 7", ENV, HOST), AggvpnError, "status 7");
  });
  assertEquals(log, "one agg0\ntwo agg0\n");
});
