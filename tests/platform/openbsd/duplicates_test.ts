import { assertEquals, assertStringIncludes } from "@std/assert";
import { awaitAddresses } from "../../../src/platform/openbsd/duplicates.ts";
import type { HostFinding, NetworkPlan } from "../../../src/platform/platform.ts";
import { prefix } from "../../addresses.ts";

const PLAN: NetworkPlan = {
  interface: "tun0",
  mtu: 1434,
  addresses: [prefix("10.44.43.1/30"), prefix("2001:DB8:44::1/64")],
  gateways: [],
  routes: [],
  links: [],
  nat: false,
  mssClamp: false,
};

/** What happens when ifconfig(8) prints these flags, one at each look, and then always the last. */
async function look(
  flags: readonly string[],
  plan = PLAN,
): Promise<{ findings: HostFinding[]; commands: string[]; paused: number }> {
  const commands: string[] = [];
  let paused = 0;
  const findings = await awaitAddresses(
    (command) => {
      const flag = flags[Math.min(commands.length, flags.length - 1)]!;
      commands.push(command.join(" "));
      const output = "tun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1434\n" +
        "\tinet6 fe80::1%tun0 -->  prefixlen 64 tentative scopeid 0x7\n" +
        `\tinet6 2001:db8:44::1 -->  prefixlen 64${flag}\n`;
      return Promise.resolve({ success: true, output });
    },
    plan,
    (ms) => Promise.resolve(void (paused += ms)),
  );
  return { findings, commands, paused };
}

Deno.test("awaitAddresses() asks once for an address that can be used, and never for IPv4", async () => {
  assertEquals(await look([""]), {
    findings: [],
    commands: ["ifconfig tun0 inet6"],
    paused: 0,
  });
  const ipv4 = { ...PLAN, addresses: [prefix("10.44.43.1/30")] };
  assertEquals(await look([" duplicated"], ipv4), { findings: [], commands: [], paused: 0 });
});

Deno.test("awaitAddresses() waits while the address is tentative, at most two seconds", async () => {
  const { findings, commands, paused } = await look([" tentative", " tentative", ""]);
  assertEquals([findings, commands.length, paused], [[], 3, 400]);
  const late = await look([" tentative"]);
  assertEquals(late.paused <= 2000, true);
  assertEquals(late.findings.map(({ severity, message }) => `${severity}: ${message}`), [
    "warning: IPv6 address 2001:db8:44::1 of tun0 is still tentative: IPv6 starts later",
  ]);
});

Deno.test("awaitAddresses() names an address that another host has", async () => {
  const { findings } = await look([" tentative", " duplicated"]);
  assertEquals(findings.map(({ severity }) => severity), ["error"]);
  assertStringIncludes(findings[0]!.message, "2001:db8:44::1 of tun0 is a duplicate");
});

Deno.test("awaitAddresses() goes on when ifconfig cannot be run", async () => {
  const run = (): Promise<{ success: boolean; output: string }> =>
    Promise.resolve({ success: false, output: "" });
  assertEquals(await awaitAddresses(run, PLAN), []);
});
