/** Needs permission to run /bin/sh and to write temporary files. */

import { assertEquals } from "@std/assert";
import type { QuotaEvent } from "../../src/daemon/event_hub.ts";
import { StatusCommand, type StatusCommandOptions } from "../../src/daemon/status_command.ts";
import { linkEvent } from "../link_events.ts";
import { logged } from "../logged.ts";
import { HOST, withScript } from "./scripts.ts";

/** The variables of mlvpn, as `hookEnvironment` makes them. */
const ENV = { DEVICE: "agg0", MTU: "1434", IP4: "10.44.43.1/30", IP4_ROUTES: "198.51.100.0/24" };
const LTE = { link: "lte", id: 1 };

function commandAt(path: string, options: Partial<StatusCommandOptions> = {}): StatusCommand {
  return new StatusCommand({
    command: () => path,
    env: () => ENV,
    host: HOST,
    severalPeers: () => false,
    ...options,
  });
}

Deno.test("StatusCommand is called in the order of mlvpn, each event once", async () => {
  const log = await withScript('echo "$# $*"', async (path) => {
    const command = commandAt(path);
    command.handleLink(linkEvent());
    command.handleLink(linkEvent(LTE));
    command.handleLink(linkEvent({ ...LTE, state: "suspect" }));
    command.handleLink(linkEvent(LTE));
    command.handleLink(linkEvent({ state: "down" }));
    command.handleLink(linkEvent({ state: "down" }));
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
    'echo "$DEVICE|$MTU|$IP4|$IP4_ROUTES|$(pwd)|$(readlink /proc/$$/fd/0)"',
    async (path) => {
      const command = commandAt(path);
      command.handleLink(linkEvent());
      await command.close();
    },
  );
  assertEquals(log, "agg0|1434|10.44.43.1/30|198.51.100.0/24|/|/dev/null\n".repeat(4));
});

Deno.test("StatusCommand says why, what was before, and client and link apart", async () => {
  const log = await withScript(
    'echo "$2 $AGGVPN_PEER|$AGGVPN_LINK|$AGGVPN_PREVIOUS>$AGGVPN_STATE|$AGGVPN_REASON"',
    async (path) => {
      const command = commandAt(path, { severalPeers: () => true });
      command.handleLink(linkEvent({ peer: "c1" }));
      command.handleLink(linkEvent({ peer: "c2", before: "down" }));
      command.handleLink(linkEvent({ peer: "c1", state: "down", reason: "no\nanswer" }));
      await command.close();
    },
  );
  assertEquals(
    log,
    `rtun_up c1|dsl|connecting>up|
client_up c1||connecting>up|
tuntap_up c1||connecting>up|
rtun_up c2|dsl|down>up|
client_up c2||down>up|
rtun_down c1|dsl|up>down|no answer
client_down c1||up>down|no answer
rtun_down c2|dsl|up>down|shutting down
client_down c2||up>down|shutting down
tuntap_down c2||up>down|shutting down
`,
  );
});

Deno.test("StatusCommand gives no script a name that a configuration would refuse", async () => {
  const log = await withScript('echo "$3|$AGGVPN_LINK"', async (path) => {
    const command = commandAt(path, { severalPeers: () => true });
    for (const [id, link] of ["-rf x", "$(reboot)", "", "dsl", "dsl", "link6", "\0"].entries()) {
      command.handleLink(linkEvent({ peer: "c1", id, link }));
    }
    // A spare link may get another name while it is up.
    command.handleLink(linkEvent({ peer: "c1", id: 3, link: "wwan0", state: "down" }));
    await command.close();
  });
  const calls = log.trimEnd().split("\n").filter((line) => line.includes("/"));
  const names = ["link0", "link1", "link2", "dsl", "link4", "link6", "link6_"];
  assertEquals(
    calls.slice(0, names.length),
    names.map((name) => `c1/${name}|${name}`),
  );
  assertEquals(calls.length, 2 * names.length);
  assertEquals(calls[names.length], "c1/dsl|dsl");
});

Deno.test("StatusCommand tells of quotas", async () => {
  const log = await withScript(
    'echo "$*|$AGGVPN_LINK|$AGGVPN_STATE|$AGGVPN_REASON"',
    async (path) => {
      const command = commandAt(path);
      const event: QuotaEvent = {
        type: "quota",
        link: "lte",
        percent: 75,
        usedBytes: 3e9,
        quotaBytes: 4e9,
        reason: "3 GB of 4 GB are used",
      };
      command.handleQuota(event);
      await command.close();
    },
  );
  assertEquals(log, "agg0 quota lte|lte|75|3 GB of 4 GB are used\n");
});

Deno.test("StatusCommand.handleLink() returns at once while a script is slow", async () => {
  // Each call waits for a file that does not exist until the first one has returned.
  const script = `for i in $(seq 500); do
    if [ -e "$0.go" ]; then echo done; exit; fi
    sleep 0.01
  done
  echo "waited in vain"`;
  const log = await withScript(script, async (path) => {
    const command = commandAt(path);
    command.handleLink(linkEvent());
    Deno.writeTextFileSync(`${path}.go`, "");
    await command.close();
  });
  assertEquals(log, "done\n".repeat(4));
});

Deno.test("StatusCommand survives a script that fails and one that is missing", async () => {
  await withScript("exit 3", async (path) => {
    for (const at of [path, `${path}.none`]) {
      const command = commandAt(at);
      command.handleLink(linkEvent());
      await command.close();
    }
  });
});

Deno.test("StatusCommand.close() bounds the time of all calls together", async () => {
  const lines = await logged(async () => {
    const log = await withScript("echo begun; sleep 1000", async (path) => {
      const command = commandAt(path, { endLimitMs: 300 });
      for (let id = 0; id < 50; id++) command.handleLink(linkEvent({ id, link: `l${id}` }));
      await command.close();
    });
    assertEquals(log.split("\n").length <= 2, true);
  });
  assertEquals(lines.filter((line) => line.endsWith("the tunnel ended and was killed")).length, 1);
  assertEquals(lines.filter((line) => line.includes("was not called")).length, 101);
});
