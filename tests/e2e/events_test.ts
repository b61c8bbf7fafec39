/**
 * What happens to a tunnel, as scripts, people and programs are told: `status_command` at both ends,
 * `aggvpn monitor`, and the exit status of `aggvpn status`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Program, type Side } from "../../lab/program.ts";
import { BINARY, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric } from "../../lab/topology.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];

/** A status command that notes its calls, and hangs while a file is there. */
class Hooks implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "aggvpn-hooks-" });

  constructor() {
    for (const side of ["client", "server"] as const) {
      const script = `#!/bin/sh
echo "$2|$3|$AGGVPN_PEER|$AGGVPN_LINK|$AGGVPN_PREVIOUS>$AGGVPN_STATE|$AGGVPN_REASON" >>$0.log
[ -e $0.hang ] && sleep 1000
exit 0
`;
      Deno.writeTextFileSync(this.path(side), script, { mode: 0o755 });
      Deno.writeTextFileSync(`${this.path(side)}.log`, "");
    }
  }

  path(side: Side): string {
    return `${this.directory}/${side}`;
  }

  top(side: Side): string {
    return `status_command = "${this.path(side)}"`;
  }

  calls(side: Side): string[] {
    return Deno.readTextFileSync(`${this.path(side)}.log`).split("\n").slice(0, -1);
  }

  hang(side: Side): void {
    Deno.writeTextFileSync(`${this.path(side)}.hang`, "");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** How often a call begins with `words`. */
function count(calls: readonly string[], words: string): number {
  return calls.filter((call) => call.startsWith(words)).length;
}

programTest(
  "status_command is told at both ends when the other one stops, and comes back",
  async (lab) => {
    using hooks = new Hooks();
    const net = await buildEmulated(lab, LINES);
    const top = { client: hooks.top("client"), server: hooks.top("server") };
    const program = await Program.start(lab, net, { top });
    const links = net.lines.map((line) => line.interface);
    const both = (event: string): boolean =>
      links.every((link) =>
        hooks.calls("client").some((call) => call.startsWith(`${event}|${link}|`))
      );
    assert(await eventually(() => both("rtun_up"), 20_000), hooks.calls("client").join("\n"));

    await program.down("server");
    const reason = "up>down|the peer has closed it";
    const isTold = await eventually(
      () => both("rtun_down") && count(hooks.calls("client"), "tuntap_down") === 1,
      20_000,
    );
    assert(isTold, hooks.calls("client").join("\n"));
    for (const link of links) {
      assert(hooks.calls("client").includes(`rtun_down|${link}|server|${link}|${reason}`));
    }
    await program.up("server");
    assert(await eventually(() => count(hooks.calls("client"), "tuntap_up") === 2, 30_000));

    const before = hooks.calls("server").length;
    await program.down("client");
    const isOver = await eventually(() => {
      const calls = hooks.calls("server").slice(before);
      return count(calls, "rtun_down") === 2 && count(calls, "tuntap_down") === 1;
    }, 20_000);
    assert(isOver, hooks.calls("server").join("\n"));
  },
);

programTest("a status_command that hangs does not keep a tunnel from ending", async (lab) => {
  using hooks = new Hooks();
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, { top: { client: hooks.top("client") } });
  assert(await eventually(() => count(hooks.calls("client"), "tuntap_up") === 1, 20_000));
  hooks.hang("client");
  const client = program.child("client");
  client.kill("SIGTERM");
  assertEquals((await client.finish(60_000)).code, 0, "it waited for a script of 1000 s");
  const said = client.stderr.join("\n");
  assert(said.includes("was still running when the tunnel ended and was killed"), said);
  const { stdout } = await lab.attempt(net.client, ["ip", "-o", "link", "show"]);
  assert(!stdout.includes("agg0"), "the interface is gone all the same");
});

programTest("aggvpn monitor says what happens and why, status by its exit status", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net);
  const status = async (): Promise<number> =>
    (await program.run("client", "status", program.file("client"))).code;
  assertEquals(await status(), 0);
  const command = [BINARY, "monitor", "--json", "--history", program.control("client")];
  const monitor = lab.spawn(net.client, command);
  const events: Record<string, unknown>[] = [];
  const has = async (fields: Record<string, unknown>): Promise<boolean> =>
    await eventually(() => {
      events.splice(0, Infinity, ...monitor.stdout.map((line) => JSON.parse(line)));
      return events.some((event) =>
        Object.entries(fields).every(([key, value]) => event[key] === value)
      );
    }, 30_000);
  assert(await has({ version: 1, type: "session", state: "up" }), JSON.stringify(events));
  const [first] = net.lines;
  await net.emulator?.cut(0, true);
  const down = { type: "link", link: first!.interface, state: "down" };
  assert(await has(down), JSON.stringify(events));
  await program.down("server");
  assert(await has({ type: "session", state: "down" }), JSON.stringify(events));
  assertEquals(await status(), 4);
  await program.down("client");
  assert(await has({ type: "ended" }), JSON.stringify(events));
  assertEquals((await monitor.status).code, 0);
  assertEquals(await status(), 1);
});
