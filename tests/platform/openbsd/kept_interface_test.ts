/** An interface that stays gets back what it had, whatever that was and wherever a start fails. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { openInterface } from "../../../src/daemon/interface.ts";
import { AggvpnError } from "../../../src/errors.ts";
import { openbsdPlatform } from "../../../src/platform/openbsd/platform.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import type { RunCommand } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeNetwork } from "./fake_network.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway, Record as GoldenRecord } from "./golden.ts";

type Plan = Omit<NetworkPlan, "interface" | "kept">;

const PLAN: Plan = {
  mtu: 1434,
  addresses: [prefix("10.44.43.1/30"), prefix("2001:db8:44::1/64")],
  gateways: [address("10.44.43.2"), address("2001:db8:44::2")],
  routes: [
    { destination: prefix("198.51.100.0/24"), gateway: address("10.44.43.2") },
    { destination: prefix("2001:db8:99::/48"), gateway: address("2001:db8:44::2") },
  ],
  links: [],
  nat: false,
  mssClamp: true,
};

/** A host after root's commands `before`, with duplicate detection finished. */
function host(before: readonly string[]): FakeNetwork {
  const network = new FakeNetwork(gateway(new FakeWorld()));
  network.domains.add(3);
  if (before.length > 0) network.create("tun0");
  for (const line of before) {
    const { success, message } = network.run(line.split(" "));
    assert(success, `${line}: ${message}`);
  }
  network.endDuplicateDetection();
  return network;
}

interface Start {
  readonly name?: string;
  /** Number of the change that fails. */
  readonly failAt?: number;
  /** Called when all is set up. */
  readonly whileOpen?: (network: FakeNetwork) => void;
  /** What the links turn out to carry after that. */
  readonly carries?: number;
}

/** Sets up an interface and takes it down; returns the lines that the user sees. */
async function upAndDown(network: FakeNetwork, plan: Plan, start: Start = {}): Promise<string[]> {
  const libc = new FakeLibc(network.host);
  const platform = openbsdPlatform({
    libc: () => libc,
    libcrypto: () => undefined,
    read: (command) => network.read(command),
    await: (command) => Promise.resolve(network.read(command)),
    exists: () => true,
    executable: () => "/usr/local/bin/deno",
    calls: () => ({ way: "stubs", findings: [] }),
  });
  let count = 0;
  const run: RunCommand = (command, input) => {
    network.sync();
    if (count++ === start.failAt) return { success: false, message: "the test says no" };
    return network.run(command, input);
  };
  const lines: string[] = [];
  await using stack = new AsyncDisposableStack();
  const { mtu } = await openInterface({
    platform,
    name: start.name,
    kind: "offload",
    plan: (device) => ({ ...plan, interface: device }),
    onChange: (line) => lines.push(line),
    run,
  }, stack);
  network.sync();
  start.whileOpen?.(network);
  if (start.carries !== undefined) {
    mtu.handleMtu("home", start.carries);
    await mtu.close();
    assertEquals(mtu.current, network.interfaces.get("tun0")!.tun.mtu);
  }
  return lines;
}

/** What has to be true of a tunnel that is set up. */
function assertWorks(plan: Plan): (network: FakeNetwork) => void {
  return (network) => {
    const one = network.interfaces.get("tun0")!;
    assertEquals([one.isUp, one.isRunning, one.tun.mtu], [true, true, plan.mtu]);
    const addresses = one.addresses.map(({ address, length }) => `${address}/${length}`);
    for (const own of plan.addresses) {
      assert(addresses.includes(`${own}`), `${own} of ${addresses}`);
    }
    assertEquals(one.addresses.filter(({ isTentative }) => isTentative), [], "IPv6 has to wait");
    assertEquals(one.routes.filter(({ isUp }) => !isUp), [], "routes that nobody uses");
    const wanted = plan.routes.map(({ destination }) => `${destination}`);
    const routed = one.routes.filter(({ isStatic }) => isStatic).map((route) => route.destination);
    for (const destination of wanted) assert(routed.includes(destination), destination);
  };
}

/** As hostname.tun0(5) may have left it, most common first. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  "up, without addresses": ["ifconfig tun0 up"],
  "down": ["ifconfig tun0 down"],
  "in the domain of the tunnel": ["ifconfig tun0 rdomain 3", "ifconfig tun0 up"],
  "with addresses of its own": [
    "ifconfig tun0 inet 10.9.9.1 10.9.9.2 netmask 255.255.255.0",
    "ifconfig tun0 inet6 2001:db8:9::1 prefixlen 64",
    "ifconfig tun0 inet6 alias 2001:db8:9::5 prefixlen 128 anycast",
    "ifconfig tun0 mtu 1400",
  ],
  "with the tunnel's addresses": [
    "ifconfig tun0 inet 10.44.43.1 10.44.43.2 netmask 255.255.255.252",
    "ifconfig tun0 inet6 2001:db8:44::1 prefixlen 64",
  ],
  "with the tunnel's addresses, but other networks": [
    "ifconfig tun0 inet 10.44.43.1 10.44.43.9 netmask 255.255.255.0",
    "ifconfig tun0 inet alias 10.9.9.1 netmask 255.255.255.255",
    "ifconfig tun0 inet6 2001:db8:44::1 prefixlen 48",
  ],
  "with an MTU that is lowered when it is opened": ["ifconfig tun0 mtu 9000"],
  "with a link-local address only": ["ifconfig tun0 inet6 eui64", "ifconfig tun0 down"],
};

Deno.test("an interface that stays gets back what it had, and nothing else is left", async () => {
  const record = new GoldenRecord();
  for (const [title, before] of Object.entries(KEPT)) {
    for (const rdomain of [undefined, 3]) {
      const network = host(before);
      const snapshot = network.snapshot();
      const plan = rdomain === undefined ? PLAN : { ...PLAN, rdomain };
      const lines = await upAndDown(network, plan, { whileOpen: assertWorks(plan) });
      network.endDuplicateDetection();
      assertEquals(network.snapshot(), snapshot, title);
      record.step(`${title}${rdomain === undefined ? "" : `, moved to rdomain ${rdomain}`}`);
      record.lines.pop();
      for (const line of lines) if (!line.includes("pfctl")) record.note(line);
      record.note("");
    }
  }
  record.assertGolden("kept_interface");
});

/** A host with routes that root has set while a tunnel without any was running. */
async function hostWithRoutes(
  before: readonly string[],
  routes: readonly string[],
): Promise<FakeNetwork> {
  const network = host(before);
  await upAndDown(network, { ...PLAN, routes: [] }, {
    whileOpen: () => {
      for (const line of routes) assert(network.run(line.split(" ")).success, line);
    },
  });
  network.endDuplicateDetection();
  return network;
}

Deno.test("a route of root's that is the tunnel's too stays when the tunnel ends", async () => {
  const network = await hostWithRoutes([
    "ifconfig tun0 inet 10.44.43.1 10.44.43.2 netmask 255.255.255.252",
    "ifconfig tun0 inet6 2001:db8:44::1 prefixlen 64",
  ], [
    "route -n add -inet 198.51.100.0/24 10.44.43.2",
    "route -n add -inet6 2001:db8:99::/48 2001:db8:44::2",
  ]);
  const snapshot = network.snapshot();
  const lines = await upAndDown(network, PLAN, { whileOpen: assertWorks(PLAN) });
  assertEquals(network.snapshot(), snapshot);
  assertEquals(lines.filter((line) => line.includes("route")), []);
});

Deno.test("a start is refused where it would need a route that somebody else has set", async () => {
  const network = await hostWithRoutes(
    ["ifconfig tun0 inet 10.9.9.1 10.9.9.2 netmask 255.255.255.0"],
    ["route -n add -inet 198.51.100.0/24 10.9.9.2"],
  );
  const snapshot = network.snapshot();
  await assertRejects(
    () => upAndDown(network, PLAN),
    AggvpnError,
    'route -n add -inet 198.51.100.0/24 10.44.43.2": File exists',
  );
  network.endDuplicateDetection();
  assertEquals(network.snapshot(), snapshot);
});

Deno.test("a start that fails at any change leaves a kept interface as it was", async () => {
  for (const [title, before] of Object.entries(KEPT)) {
    for (const rdomain of [undefined, 3]) {
      const plan = rdomain === undefined ? PLAN : { ...PLAN, rdomain };
      const lines = await upAndDown(host(before), plan, { name: "tun0" });
      const changes = lines.filter((line) => line.startsWith("+")).length;
      assert(changes > 4, lines.join("\n"));
      for (let failAt = 0; failAt < changes; failAt++) {
        const network = host(before);
        const snapshot = network.snapshot();
        const failure = await upAndDown(network, plan, { name: "tun0", failAt })
          .then(() => undefined, (error) => error);
        network.endDuplicateDetection();
        assertEquals(network.snapshot(), snapshot, `${title}: ${lines[failAt]} fails`);
        // The tunnel can do without the clamp.
        const mayFail = /pfctl/.test(lines[failAt]!);
        assertEquals(failure instanceof AggvpnError, !mayFail, `${failure} at ${lines[failAt]}`);
      }
    }
  }
});

Deno.test("an interface of the tunnel's own goes away with all its settings, and needs no undo", async () => {
  for (const rdomain of [undefined, 3]) {
    const network = host([]);
    const plan = rdomain === undefined ? PLAN : { ...PLAN, rdomain };
    const lines = await upAndDown(network, plan, { whileOpen: assertWorks(plan) });
    network.sync();
    assertEquals(network.interfaces.size, 0);
    assertEquals(network.rules, "");
    assertEquals(lines.filter((line) => /^- ifconfig/.test(line)), []);
  }
});

Deno.test("an interface that stays gets its MTU back after it has followed the links", async () => {
  for (const mtu of [1434, 1400, 9000]) {
    const network = host(["ifconfig tun0 up", `ifconfig tun0 mtu ${mtu}`]);
    const snapshot = network.snapshot();
    const plan = { ...PLAN, addresses: [prefix("10.44.43.1/30")], routes: [] };
    const lines = await upAndDown(network, plan, { carries: 1300 });
    assertEquals(lines.filter((line) => / mtu |max-mss/.test(line)), [
      "+ ifconfig tun0 mtu 1434",
      "+ printf '%s\\n' 'match on tun0 inet proto tcp all scrub (max-mss 1394)' " +
      "'match on tun0 inet6 proto tcp all scrub (max-mss 1374)' | pfctl -q -a aggvpn/tun0 -f -",
      "+ ifconfig tun0 mtu 1300",
      "+ printf '%s\\n' 'match on tun0 inet proto tcp all scrub (max-mss 1260)' " +
      "'match on tun0 inet6 proto tcp all scrub (max-mss 1240)' | pfctl -q -a aggvpn/tun0 -f -",
      `- ifconfig tun0 mtu ${mtu}`,
      // Once more when it is closed: opening has changed it.
      ...mtu === 9000 ? ["- ifconfig tun0 mtu 9000"] : [],
    ]);
    assertEquals(network.snapshot(), snapshot);
  }
});

Deno.test("any kept interface and any plan: what was there is there again", async () => {
  const host4 = fc.integer({ min: 1, max: 9 }).map((n) => `10.44.43.${n}`);
  const host6 = fc.integer({ min: 1, max: 4 }).map((n) => `2001:db8:44::${n}`);
  const kept4 = fc.tuple(host4, fc.constantFrom("255.255.255.0", "255.255.255.255"))
    .map(([address, mask]) => `ifconfig tun0 inet alias ${address} 10.9.9.2 netmask ${mask}`);
  const kept6 = fc.tuple(host6, fc.constantFrom(64, 128))
    .map(([address, length]) => `ifconfig tun0 inet6 alias ${address} prefixlen ${length}`);
  const flag = fc.constantFrom("up", "down", "mtu 1400", "rdomain 3", "inet6 eui64")
    .map((words) => `ifconfig tun0 ${words}`);
  // A changed prefix is refused, as in reality: such an address comes once.
  const before = fc.uniqueArray(fc.oneof(kept4, kept6, flag), {
    minLength: 1,
    maxLength: 6,
    selector: (line) => /inet6 alias (\S+)/.exec(line)?.[1] ?? line,
  });
  const plan = fc.record({
    addresses: fc.tuple(
      host4.map((host) => prefix(`${host}/24`)),
      host6.map((host) => prefix(`${host}/64`)),
    ),
    rdomain: fc.option(fc.constantFrom(0, 3), { nil: undefined }),
    mtu: fc.constantFrom(1400, 1434),
  });
  await fc.assert(
    fc.asyncProperty(before, plan, async (lines, { rdomain, ...rest }) => {
      const network = host(lines);
      const snapshot = network.snapshot();
      const own: Plan = {
        ...PLAN,
        ...rest,
        gateways: [address("10.44.43.20"), address("2001:db8:44::20")],
        routes: [{ destination: prefix("2001:db8:99::/48"), gateway: address("2001:db8:44::20") }],
        ...rdomain !== undefined && { rdomain },
      };
      await upAndDown(network, own, { whileOpen: assertWorks(own) });
      network.endDuplicateDetection();
      assertEquals(network.snapshot(), snapshot);
    }),
    { numRuns: 300 },
  );
});

Deno.test("an interface that another program has open is left alone", async () => {
  const network = host(["ifconfig tun0 inet 10.9.9.1 10.9.9.2 netmask 255.255.255.0"]);
  const other = new FakeLibc(network.host);
  other.files.openTun("/dev/tun0");
  const snapshot = network.snapshot();
  await assertRejects(() => upAndDown(network, PLAN, { name: "tun0" }), AggvpnError, "tun0");
  assertEquals(network.snapshot(), snapshot);
  // Without a name the next one is used, which is removed again.
  await upAndDown(network, PLAN);
  assertEquals(network.snapshot(), snapshot);
});
