import { assertEquals } from "@std/assert";
import { UplinkRoutes } from "../../src/daemon/uplink_routes.ts";
import type { HostInterface, SystemChange, Uplink } from "../../src/platform/platform.ts";
import { address } from "../addresses.ts";

function uplink(link: number, name: string, ...addresses: readonly string[]): Uplink {
  const by: HostInterface = {
    name,
    isRunning: true,
    addresses: addresses.map(address),
    defaults: [{ family: 4, metric: 0 }],
  };
  return { link, interface: by };
}

/** One route for each uplink, one rule for each of its addresses. */
function plan(uplinks: readonly Uplink[]): SystemChange[] {
  return uplinks.flatMap(({ interface: { name, addresses } }) => [
    { run: ["route", "add", name], undo: ["route", "del", name] },
    ...addresses.map((from) => ({
      run: ["rule", "add", `${from}`],
      undo: ["rule", "del", `${from}`],
    })),
  ]);
}

/** Routes of a system where `failing` cannot be done; what was run, and noted before each. */
function routesOf(failing: readonly string[] = []): {
  routes: UplinkRoutes;
  ran: string[];
  notes: string[];
  shown: string[];
} {
  const [ran, notes, shown]: string[][] = [[], [], []];
  const routes = new UplinkRoutes({
    plan,
    onChange: (line) => shown!.push(line),
    note: (undo) => notes!.push(undo.map((words) => words.join(" ")).join(", ")),
    run: async (command) => {
      await Promise.resolve();
      const line = command.join(" ");
      ran!.push(line);
      return { success: !failing.includes(line), message: failing.includes(line) ? "no" : "" };
    },
  });
  return { routes, ran: ran!, notes: notes!, shown: shown! };
}

Deno.test("UplinkRoutes makes what uplinks need, undoes what is no longer needed, and all at the end", async () => {
  const { routes, ran, shown } = routesOf();
  await routes.update([uplink(0, "eth0", "192.0.2.1"), uplink(1, "eth1", "192.0.2.9")]);
  assertEquals(ran.splice(0), [
    "route add eth0",
    "rule add 192.0.2.1",
    "route add eth1",
    "rule add 192.0.2.9",
  ]);
  await routes.update([uplink(0, "eth0", "192.0.2.1"), uplink(1, "eth1", "192.0.2.9")]);
  assertEquals(ran, [], "nothing has changed");
  await routes.update([uplink(1, "eth1", "192.0.2.9", "192.0.2.10")]);
  assertEquals(ran.splice(0), ["rule del 192.0.2.1", "route del eth0", "rule add 192.0.2.10"]);
  await routes.close();
  assertEquals(ran, ["rule del 192.0.2.10", "rule del 192.0.2.9", "route del eth1"]);
  assertEquals(shown.slice(0, 5).at(-1), "- rule del 192.0.2.1");
});

Deno.test("UplinkRoutes notes what would undo everything before each change", async () => {
  const { routes, notes } = routesOf();
  await routes.update([uplink(0, "eth0", "192.0.2.1")]);
  assertEquals(notes.splice(0), ["route del eth0", "rule del 192.0.2.1, route del eth0"]);
  await routes.close();
  assertEquals(notes, ["route del eth0", ""]);
});

Deno.test("UplinkRoutes goes on when a command fails, and does not undo what was not done", async () => {
  const { routes, ran } = routesOf(["route add eth0"]);
  await routes.update([uplink(0, "eth0", "192.0.2.1")]);
  await routes.close();
  assertEquals(ran, ["route add eth0", "rule add 192.0.2.1", "rule del 192.0.2.1"]);
});

Deno.test("UplinkRoutes follows the last of several changes, one run at a time", async () => {
  const { routes, ran } = routesOf();
  const first = routes.update([uplink(0, "eth0")]);
  while (ran.length === 0) await Promise.resolve();
  void routes.update([uplink(0, "eth1")]);
  const last = routes.update([uplink(0, "eth2")]);
  await Promise.all([first, last]);
  assertEquals(ran, ["route add eth0", "route del eth0", "route add eth2"]);
  const ending = routes.update([uplink(0, "eth3")]);
  await Promise.all([ending, routes.close()]);
  assertEquals(ran.slice(3), ["route del eth2"]);
});
