import { assertEquals, assertRejects } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import type { AwaitCommand } from "../../../src/platform/command_output.ts";
import { leakGuardChange, readGuarded } from "../../../src/platform/openbsd/leak_guard.ts";
import type { GuardPlan, SystemChange } from "../../../src/platform/platform.ts";
import { changeLine } from "../../../src/platform/run_changes.ts";
import { address } from "../../addresses.ts";
import { parseCommand, parseRule } from "./commands.ts";
import { Record } from "./golden.ts";
import { reader } from "./host_outputs.ts";
import { checkQuery } from "./queries.ts";

const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 32768
\tinet6 ::1 prefixlen 128
\tinet 127.0.0.1 netmask 0xff000000
em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> rdomain 1 mtu 1500
\tinet 198.51.100.10 netmask 0xffffff00 broadcast 198.51.100.255
em1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> rdomain 2 mtu 1500
\tinet 192.168.1.5 netmask 0xffffff00 broadcast 192.168.1.255
em2: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tinet 192.168.7.1 netmask 0xffffff00 broadcast 192.168.7.255
\tinet6 fe80::1%em2 prefixlen 64 scopeid 0x3
\tinet6 2001:db8:7::1 prefixlen 64
tun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1434
\tinet 10.44.43.1 --> 10.44.43.2 netmask 0xfffffffc
`;
const PLAN: GuardPlan = {
  name: "home",
  interface: "tun0",
  remotes: [
    { address: address("192.0.2.1"), port: 5081 },
    { address: address("192.0.2.1"), port: 5080 },
    { address: address("2001:db8::1"), port: 5080 },
  ],
  uplinks: [],
  asksNames: false,
};

async function change(
  plan: GuardPlan,
  outputs: Readonly<Record_> = {},
): Promise<SystemChange> {
  const read = reader({ ifconfig: IFCONFIG, ...outputs });
  const ask: AwaitCommand = (command) => {
    checkQuery(command);
    return Promise.resolve(read(command));
  };
  return leakGuardChange(plan, await readGuarded(ask));
}
type Record_ = { [command: string]: string };

Deno.test("leakGuardChange() are the rules that the golden record shows", async () => {
  const record = new Record();
  const cases: readonly [string, GuardPlan][] = [
    ["a client that knows its servers", PLAN],
    ["while a name is looked up", { ...PLAN, remotes: [], asksNames: true }],
    ["before the system has chosen an interface", {
      name: "home",
      remotes: [],
      uplinks: [],
      asksNames: false,
    }],
  ];
  for (const [title, plan] of cases) {
    const { run, input = "", undo, look } = await change(plan);
    record.step(title);
    record.note(`+ ${changeLine({ run, input })}`);
    record.note(`- ${undo!.join(" ")}`);
    for (const rule of input.trimEnd().split("\n")) parseRule(rule);
    parseCommand(run);
    parseCommand(undo!);
    checkQuery(look!.run);
  }
  record.assertGolden("leak_guard");
});

Deno.test("leakGuardChange() says why pf would not ask the anchor", async () => {
  const off = { "pfctl -s info": "Status: Disabled\n" };
  await assertRejects(() => change(PLAN, off), AggvpnError, "pf is off");
  const bare = { "pfctl -s rules": 'anchor "aggvpn" all\npass all\n' };
  await assertRejects(() => change(PLAN, bare), AggvpnError, 'pf.conf has no anchor "aggvpn/*"');
});

Deno.test("leakGuardChange() follows the networks that the host joins", async () => {
  const moved = IFCONFIG.replaceAll("192.168.7.", "192.168.8.");
  const { input } = await change(PLAN, { ifconfig: moved });
  assertEquals(/192\.168\.\d\.0\/24/g.exec(input!)?.[0], "192.168.1.0/24");
  assertEquals(input!.includes("192.168.8.0/24"), true);
  assertEquals(input!.includes("198.51.100.0/24"), false, "the provider's network");
});
