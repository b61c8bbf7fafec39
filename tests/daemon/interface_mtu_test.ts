import { assertEquals } from "@std/assert";
import {
  InterfaceMtu,
  type InterfaceMtuOptions,
  leastMtu,
} from "../../src/daemon/interface_mtu.ts";
import type { NetworkPlan } from "../../src/platform/platform.ts";
import type { CommandResult } from "../../src/platform/run_changes.ts";
import { prefix } from "../addresses.ts";
import { logged } from "../logged.ts";

const DONE: CommandResult = { success: true, message: "" };

/** Commands whose end the test decides. */
class Host {
  readonly lines: string[] = [];
  readonly #ends: ((result: CommandResult) => void)[] = [];
  readonly mtu: InterfaceMtu;

  constructor(options: Partial<InterfaceMtuOptions> = {}) {
    this.mtu = new InterfaceMtu({
      start: 1434,
      least: 1280,
      commandsFor: (mtu) => [{ run: ["set", `${mtu}`] }],
      onChange: (line) => this.lines.push(line),
      run: () => new Promise((resolve) => this.#ends.push(resolve)),
      ...options,
    });
  }

  get running(): number {
    return this.#ends.length;
  }

  /** Ends the oldest command, and lets the rest of the program run. */
  async end(result: CommandResult = DONE): Promise<void> {
    this.#ends.shift()!(result);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("InterfaceMtu follows one peer down and up, but not above the start", async () => {
  const host = new Host();
  const lines = await logged(async () => {
    for (const mtu of [1400, 1500, 1434, 1420]) {
      host.mtu.handleMtu("home", mtu);
      if (host.running > 0) await host.end();
    }
  });
  assertEquals(host.lines, ["+ set 1400", "+ set 1434", "+ set 1420"]);
  assertEquals(lines, [1400, 1434, 1420].map((mtu) => `info Tunnel MTU is now ${mtu} bytes`));
  assertEquals(host.mtu.current, 1420);
});

Deno.test("InterfaceMtu of a server is that of the widest peer it knows", async () => {
  const host = new Host();
  const steps = [["a", 1300, 1300], ["b", 1400, 1400], ["a", 1350, 1400], ["b", 1290, 1350]];
  for (const [peer, mtu, expected] of steps as [string, number, number][]) {
    host.mtu.handleMtu(peer, mtu);
    if (host.running > 0) await host.end();
    assertEquals(host.mtu.current, expected, `${peer} ${mtu}`);
  }
});

Deno.test("InterfaceMtu runs one command at a time, and the newest value wins", async () => {
  const host = new Host();
  host.mtu.handleMtu("home", 1400);
  for (const mtu of [1390, 1380, 1370]) host.mtu.handleMtu("home", mtu);
  assertEquals([host.running, host.mtu.current], [1, 1434]);
  await host.end();
  assertEquals([host.running, host.mtu.current], [1, 1400]);
  await host.end();
  assertEquals([host.running, host.mtu.current], [0, 1370]);
  // There and back while a command runs: it is undone.
  host.mtu.handleMtu("home", 1300);
  host.mtu.handleMtu("home", 1370);
  await host.end();
  await host.end();
  assertEquals(host.lines.slice(1), ["+ set 1370", "+ set 1300", "+ set 1370"]);
  assertEquals([host.running, host.mtu.current], [0, 1370]);
});

Deno.test("InterfaceMtu is never less than IPv6 needs, and says so once", async () => {
  const host = new Host();
  const lines = await logged(async () => {
    host.mtu.handleMtu("home", 1200);
    await host.end();
    host.mtu.handleMtu("home", 1100);
  });
  assertEquals([host.running, host.mtu.current], [0, 1280]);
  assertEquals(lines, [
    "warning The links carry packets of 1200 bytes, but IPv6 needs a tunnel MTU of at least 1280",
    "info Tunnel MTU is now 1280 bytes",
  ]);
});

Deno.test("InterfaceMtu warns once of what fails, and tries again when there is news", async () => {
  const host = new Host();
  const failed: CommandResult = { success: false, message: "not permitted" };
  const lines = await logged(async () => {
    for (const mtu of [1400, 1390]) {
      host.mtu.handleMtu("home", mtu);
      await host.end(failed);
    }
    assertEquals([host.running, host.mtu.current], [0, 1434]);
    host.mtu.handleMtu("home", 1390);
    await host.end();
    host.mtu.handleMtu("home", 1380);
    await host.end(failed);
  });
  assertEquals(lines, [
    "warning Cannot follow to a tunnel MTU of 1400 bytes: set 1400 failed: not permitted",
    "info Tunnel MTU is now 1390 bytes",
    "warning Cannot follow to a tunnel MTU of 1380 bytes: set 1380 failed: not permitted",
  ]);
});

Deno.test("InterfaceMtu tells nobody else of an MTU that the interface did not get", async () => {
  const commandsFor: InterfaceMtuOptions["commandsFor"] = (mtu) => [
    { run: ["interface", `${mtu}`] },
    { run: ["clamp"], input: `mss ${mtu - 40}\n` },
  ];
  const host = new Host({ commandsFor });
  host.mtu.handleMtu("home", 1400);
  await host.end({ success: false, message: "no" });
  assertEquals(host.lines.splice(0), ["+ interface 1400"]);
  host.mtu.handleMtu("home", 1390);
  await host.end();
  await host.end({ success: false, message: "no" });
  assertEquals(host.lines, ["+ interface 1390", "+ printf '%s\\n' 'mss 1350' | clamp"]);
  assertEquals(host.mtu.current, 1390, "the clamp is less important");
});

Deno.test("InterfaceMtu.close() waits for a command, and none follows", async () => {
  const host = new Host();
  host.mtu.handleMtu("home", 1400);
  host.mtu.handleMtu("home", 1390);
  let isClosed = false;
  const closing = host.mtu.close().then(() => isClosed = true);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(isClosed, false);
  await host.end();
  await closing;
  host.mtu.handleMtu("home", 1380);
  assertEquals([host.running, host.lines], [0, ["+ set 1400"]]);
  await host.mtu.close();
});

Deno.test("leastMtu() is what IPv6 needs wherever it is used, and never above the start", () => {
  const plan: NetworkPlan = {
    interface: "agg0",
    mtu: 1434,
    addresses: [prefix("10.44.43.1/30")],
    gateways: [],
    routes: [{ destination: prefix("198.51.100.0/24") }],
    links: [],
    nat: false,
    mssClamp: false,
  };
  const kept = { name: "tun0", isUp: true, rdomain: 0, mtu: 1500 };
  const ipv6 = prefix("2001:db8::1/64");
  const plans: NetworkPlan[] = [
    plan,
    { ...plan, addresses: [ipv6] },
    { ...plan, routes: [{ destination: ipv6.toNetwork() }] },
    { ...plan, kept: { ...kept, addresses: [{ address: ipv6, isAnycast: false }] } },
    { ...plan, kept: { ...kept, addresses: [] } },
    { ...plan, addresses: [ipv6], mtu: 1200 },
  ];
  assertEquals(plans.map(leastMtu), [68, 1280, 1280, 1280, 68, 1200]);
});
