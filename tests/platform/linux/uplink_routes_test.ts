import { assert, assertEquals } from "@std/assert";
import { readCommand } from "../../../src/platform/command_output.ts";
import { uplinkPlanner } from "../../../src/platform/linux/uplink_routes.ts";
import type { HostInterface, SystemChange } from "../../../src/platform/platform.ts";
import { commandLine } from "../../../src/platform/run_changes.ts";
import { address } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

/** Until a carrier has come, on a busy host. */
const SETTLED_MS = 10_000;
const ETH0: HostInterface = {
  name: "eth0",
  isRunning: true,
  addresses: [address("198.51.100.2"), address("2001:db8:1::2"), address("198.51.100.3")],
  defaults: [
    { family: 4, gateway: address("198.51.100.1"), metric: 100 },
    { family: 4, gateway: address("198.51.100.9"), metric: 600 },
    { family: 6, gateway: address("fe80::1"), metric: 1024 },
  ],
};
const PPP0: HostInterface = {
  name: "ppp0",
  isRunning: true,
  addresses: [address("192.0.2.7"), address("2001:db8:2::7")],
  defaults: [{ family: 4, metric: 0 }],
};
const FAMILY: Readonly<Record<string, string>> = { "-4": "", "-6": "-6 " };

/** Answers commands of ip(8) with `outputs`, by what follows `ip`; IPv4 with or without -4. */
function host(outputs: Readonly<Record<string, string>>): typeof readCommand {
  return ([, ...words]) => {
    const [first = "", ...rest] = words;
    const text = first in FAMILY ? `${FAMILY[first]}${rest.join(" ")}` : words.join(" ");
    return { success: true, output: outputs[text.replace(/ show$/, "")] ?? "" };
  };
}

function lines(changes: readonly SystemChange[]): string[] {
  return changes.map(({ run }) => commandLine(run));
}

Deno.test("uplinkPlanner() gives each uplink a table, and what comes from its addresses goes there", () => {
  const plan = uplinkPlanner(host({}));
  const changes = plan([{ link: 0, interface: ETH0 }, { link: 3, interface: PPP0 }]);
  assertEquals(lines(changes), [
    "ip route replace default via 198.51.100.1 onlink dev eth0 table 7800 proto 78",
    "ip rule add from 198.51.100.2 lookup main suppress_prefixlength 1 pref 8500 protocol 78",
    "ip rule add from 198.51.100.2 lookup 7800 pref 8501 protocol 78",
    "ip rule add from 198.51.100.3 lookup main suppress_prefixlength 1 pref 8500 protocol 78",
    "ip rule add from 198.51.100.3 lookup 7800 pref 8501 protocol 78",
    "ip -6 route replace default via fe80::1 onlink dev eth0 table 7800 proto 78",
    "ip -6 rule add from 2001:db8:1::2 lookup main suppress_prefixlength 1 pref 8500 protocol 78",
    "ip -6 rule add from 2001:db8:1::2 lookup 7800 pref 8501 protocol 78",
    "ip route replace default dev ppp0 table 7803 proto 78",
    "ip rule add from 192.0.2.7 lookup main suppress_prefixlength 1 pref 8506 protocol 78",
    "ip rule add from 192.0.2.7 lookup 7803 pref 8507 protocol 78",
  ]);
  assertEquals(changes.every(({ undo, look, mayFail }) => undo && look && mayFail), true);
  const without = { ...ETH0, addresses: [] };
  assertEquals(plan([{ link: 0, interface: without }]), []);
});

Deno.test("uplinkPlanner() leaves tables and preferences of others alone", () => {
  const plan = uplinkPlanner(host({
    "rule": "0:\tfrom all lookup local\n8501:\tfrom 192.0.2.1 lookup 7801 proto 78\n",
    "route show table all": "default via 192.0.2.9 dev eth1 table 8801 proto static\n",
  }));
  const [route, rule] = lines(plan([{ link: 0, interface: ETH0 }]));
  assertEquals([route!.split(" table ")[1], rule!.split(" pref ")[1]], [
    "9800 proto 78",
    "9500 protocol 78",
  ]);
});

Deno.test({
  ...networkTest("uplinkPlanner() makes changes that this kernel takes, shows and gives back"),
  fn: () =>
    inNewNetwork(() => {
      ip("link add eth0 type veth peer name far0");
      // The kernel makes link-local addresses in its own time, and routes to them.
      for (const name of ["eth0", "far0"]) ip(`link set ${name} addrgenmode none`);
      ip("link set eth0 up");
      ip("link set far0 up");
      ip("addr add 198.51.100.2/30 dev eth0");
      ip("addr add 2001:db8:1::2/64 dev eth0 nodad");
      const state = (): string =>
        ["rule", "-6 rule", "route show table all", "-6 route show table 7800"].map((command) => {
          const { output } = readCommand(["ip", ...command.split(" ")]);
          return output;
        }).join("\n");
      // The carrier, and with it this route, comes a moment later.
      const end = performance.now() + SETTLED_MS;
      while (!state().includes("local 2001:db8:1::2 ")) assert(performance.now() < end, state());
      const before = state();
      const changes = uplinkPlanner(readCommand)([{ link: 0, interface: ETH0 }]);
      const isShown = ({ look }: SystemChange): boolean =>
        look!.shows.test(readCommand(look!.run).output);
      assertEquals(changes.map(isShown), changes.map(() => false));
      for (const { run } of changes) ip(run.slice(1).join(" "));
      assertEquals(changes.map(isShown), changes.map(() => true));
      for (const { undo } of changes.toReversed()) ip(undo!.slice(1).join(" "));
      assertEquals(state(), before);
    }),
});
