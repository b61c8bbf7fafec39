import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ClientModeConfig, LinkConfig, ServerModeConfig } from "../../src/config/config.ts";
import { type Daemon, openDaemon } from "../../src/daemon/daemon.ts";
import { AbsentError, AggvpnError } from "../../src/errors.ts";
import { MemoryNetwork, type MemorySocket } from "../../src/platform/memory/network.ts";
import { MemoryPlatform } from "../../src/platform/memory/platform.ts";
import type { MemoryTun } from "../../src/platform/memory/tun.ts";
import type {
  HostFinding,
  NetworkPlan,
  Platform,
  SocketOptions,
  SystemChange,
  TunKind,
} from "../../src/platform/platform.ts";
import type { LinkStatus } from "../../src/tunnel/options.ts";
import { address, prefix } from "../addresses.ts";
import { COMMON, secretOf } from "../sample_config.ts";
import { logged } from "../logged.ts";
import { coreSays } from "./core_says.ts";

const SECRET = secretOf(7);

function link(name: string, port: number): LinkConfig {
  return {
    name,
    remotes: [{ host: address("192.0.2.1"), port }],
    bind: address("198.51.100.7"),
    localPort: port + 1000,
    options: { tier: "primary", metered: false, timeoutUs: 1e6 },
  };
}

function withQuota(link: LinkConfig, quotaBytes: number): LinkConfig {
  return { ...link, options: { ...link.options, quotaBytes } };
}

const CLIENT: ClientModeConfig = {
  ...COMMON,
  mode: "client",
  secret: SECRET,
  servers: ["server"],
  links: [link("dsl", 5080), link("lte", 5081)],
};
const SERVER: ServerModeConfig = {
  ...COMMON,
  mode: "server",
  listen: [{ host: address("192.0.2.1"), port: 5080 }, { host: address("192.0.2.1"), port: 5081 }],
  clients: [{ name: "home", secret: SECRET, allowed: [] }],
};

/** An ICMP echo request from 10.44.43.1 to 10.44.43.2, checksums left out. */
const PING = Uint8Array.fromHex(
  "4500001c000040004001000" + "00a2c2b010a2c2b0208000000" + "00010001",
);

function open(config: ClientModeConfig | ServerModeConfig, platform: Platform): Promise<Daemon> {
  return openDaemon({ config, platform, onChange: () => {} });
}

/** Waits in real time for something to become true. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < end, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("openDaemon() makes two ends that carry a packet and leave nothing open", async () => {
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  const server = await open(SERVER, far);
  const client = await open(CLIENT, near);
  const running = [server.run(), client.run()];
  const isUp = (daemon: Daemon): boolean => {
    const [peer] = daemon.status().tunnel.peers;
    return peer!.links.length === 2 && peer!.links.every(({ state }) => state === "up");
  };
  await until(() => isUp(client) && isUp(server));
  near.tuns[0]!.inject(PING);
  await until(() => far.tuns[0]!.written.length > 0);
  assertEquals(far.tuns[0]!.written[0], PING);
  assertEquals(client.status().daemon.sockets, [
    { name: "dsl", local: "198.51.100.7:6080", receiveDrops: 0 },
    { name: "lte", local: "198.51.100.7:6081", receiveDrops: 0 },
  ]);
  assertEquals(client.mtu, 1434);
  assertEquals(server.socketNames, ["192.0.2.1:5080", "192.0.2.1:5081"]);

  client.stop();
  await until(() => server.status().tunnel.peers.every(({ state }) => state !== "up"));
  server.stop();
  await Promise.all(running);
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  assert(!near.tuns[0]!.isOpen && !far.tuns[0]!.isOpen);
  // Every address is free again.
  const again = await open(CLIENT, near);
  await again[Symbol.asyncDispose]();
});

Deno.test("openDaemon() waits for links and names that are not there, and status says for what", async () => {
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  near.absent.add("dsl");
  const host = "nobody.invalid";
  const named: LinkConfig = { ...link("lte", 5081), remotes: [{ host, port: 5081 }] };
  const server = await open(SERVER, far);
  const lines = await logged(async () => {
    const client = await open({ ...CLIENT, links: [CLIENT.links[0]!, named] }, near);
    const running = [server.run(), client.run()];
    const links = (): readonly LinkStatus[] => client.status().tunnel.peers[0]!.links;
    await until(() => links().length === 2);
    assertEquals(links().map(({ state, reason }) => `${state}: ${reason}`), [
      "connecting: waits for its socket: No interface for dsl",
      `connecting: waits for its server: Cannot resolve "${host}"`,
    ]);
    assertEquals(client.status().daemon.sockets[0], {
      name: "dsl",
      local: "",
      reason: "No interface for dsl",
      receiveDrops: 0,
    });
    assertEquals(near.sandboxed[0]!.lookups, [{}]);
    near.names.set(host, [address("192.0.2.1")]);
    await until(() => links()[1]!.state === "up");
    near.absent.clear();
    await until(() => links().every(({ state, reason }) => state === "up" && reason === ""));
    client.stop();
    server.stop();
    await Promise.all(running);
    await client[Symbol.asyncDispose]();
  });
  await server[Symbol.asyncDispose]();
  assertEquals(lines.filter((line) => /^warning .* (waits|used)/.test(line)), [
    `warning Link lte waits for its server: Cannot resolve "${host}"`,
    "warning Link dsl waits for its socket: No interface for dsl",
    "warning No link can be used yet: the tunnel carries nothing until one is there",
  ]);
});

Deno.test("a daemon's link gets a socket of the family of the address that it tries", async () => {
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  near.names.set("vpn.example.net", [address("2001:db8::9"), address("192.0.2.1")]);
  const { name, options } = CLIENT.links[0]!;
  const remote = { host: "vpn.example.net", port: 5080 };
  const server = await open(SERVER, far);
  const client = await open(
    { ...CLIENT, links: [{ name, options, remotes: [remote] }] },
    near,
  );
  const running = [server.run(), client.run()];
  const local = (): string => client.status().daemon.sockets[0]!.local;
  assertEquals(local().startsWith("["), true, local());
  await until(() => client.status().tunnel.peers[0]!.links[0]?.state === "up");
  assertEquals(local().startsWith("127.0.0.1:"), true, local());
  for (const daemon of [client, server]) daemon.stop();
  await Promise.all(running);
  for (const daemon of [client, server]) await daemon[Symbol.asyncDispose]();
});

Deno.test("a daemon whose server has gone uses the next one, of the other family too", async () => {
  const network = new MemoryNetwork();
  const [near, first, second] = [1, 2, 3].map(() => new MemoryPlatform(network)) as [
    MemoryPlatform,
    MemoryPlatform,
    MemoryPlatform,
  ];
  const hosts = [address("192.0.2.1"), address("2001:db8::9")];
  const remotes = hosts.map((host) => ({ host, port: 5080 }));
  const servers = hosts.map((host) => `${host}`);
  const { name, options } = CLIENT.links[0]!;
  const best = await open({ ...SERVER, listen: remotes.slice(0, 1) }, first);
  const other = await open({ ...SERVER, listen: remotes.slice(1) }, second);
  const client = await open({ ...CLIENT, servers, links: [{ name, options, remotes }] }, near);
  const running = [best.run(), other.run(), client.run()];
  const used = (): string => {
    const { daemon, tunnel } = client.status();
    const { name, state, serverReason } = tunnel.peers[0]!;
    return [name, state, daemon.sockets[0]!.local.startsWith("["), serverReason].join(" ");
  };
  await until(() => used() === "192.0.2.1 up false ");
  best.stop();
  await until(() => used() === "2001:db8::9 up true 192.0.2.1 does not answer");
  for (const daemon of [client, other]) daemon.stop();
  await Promise.all(running);
  for (const daemon of [client, other, best]) await daemon[Symbol.asyncDispose]();
});

Deno.test("openDaemon() routes nothing through a tunnel whose server no resolver knows yet", async () => {
  const platform = new MemoryPlatform();
  const links = [{ ...CLIENT.links[0]!, remotes: [{ host: "nobody.invalid", port: 5080 }] }];
  const tunnel = { ...CLIENT.tunnel, routes: [prefix("0.0.0.0/0")] };
  const config = { ...CLIENT, links, tunnel };
  const stopping = new AbortController();
  let isOpen = false;
  const opened = openDaemon({ config, platform, onChange: () => {}, stopping: stopping.signal })
    .finally(() => isOpen = true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals([isOpen, platform.tuns], [false, []]);
  stopping.abort();
  await (await opened)[Symbol.asyncDispose]();
});

Deno.test("openDaemon() tells of a limit and of addresses that cannot be used, and starts", async () => {
  const finding = (severity: string, message: string): HostFinding[] => [
    { severity: severity as HostFinding["severity"], message, hint: "Do something." },
  ];
  const platform = Object.assign(new MemoryPlatform(), {
    startFindings: (files: number) => finding("warning", `Only 3 files, not ${files}`),
    awaitAddresses: () => Promise.resolve(finding("error", "The address is a duplicate")),
  });
  const lines = await logged(async () => {
    await (await open(CLIENT, platform))[Symbol.asyncDispose]();
  });
  assertEquals(lines.filter((line) => line.endsWith("Do something.")), [
    "warning Only 3 files, not 106. Do something.",
    "error The address is a duplicate. Do something.",
  ]);
});

Deno.test("openDaemon() does without offload when the configuration says so", async () => {
  for (const [offload, kind] of [[true, "offload"], [false, "plain"]] as const) {
    const platform = new MemoryPlatform();
    const kinds: string[] = [];
    const openTun = (name: string | undefined, kind: TunKind): MemoryTun => {
      kinds.push(kind);
      return MemoryPlatform.prototype.openTun.call(platform, name);
    };
    Object.assign(platform, { openTun });
    const tunnel = { ...CLIENT.tunnel, offload };
    const daemon = await open({ ...CLIENT, tunnel }, platform);
    assertEquals([kinds, daemon.status().daemon.offload], [[kind], "none"]);
    await daemon[Symbol.asyncDispose]();
  }
});

/** A host on which setting up fails at one point. */
function brokenAt(part: "openTun" | "networkChanges" | "openPoller"): MemoryPlatform {
  const platform = new MemoryPlatform();
  const fail = (): never => {
    throw new AggvpnError(`${part} is broken`);
  };
  return Object.assign(platform, { [part]: fail });
}

Deno.test("openDaemon() leaves nothing open when any part of it fails", async () => {
  for (const part of ["openTun", "networkChanges", "openPoller"] as const) {
    const platform = brokenAt(part);
    await assertRejects(() => open(CLIENT, platform), AggvpnError, `${part} is broken`);
    assert(platform.tuns.every((tun) => !tun.isOpen));
    const rest = new MemoryPlatform(platform.network);
    await (await open(CLIENT, rest))[Symbol.asyncDispose]();
  }
});

Deno.test('openDaemon() refuses links = "auto" where interfaces make no links', async () => {
  const platform = new MemoryPlatform();
  const error = await assertRejects(() => open({ ...CLIENT, linksExclude: [] }, platform));
  assert(error instanceof AggvpnError);
  assertEquals(error.message.split(",")[0], 'links = "auto" is not possible on memory');
  assertEquals([platform.tuns.length, platform.sockets.length], [0, 0]);
});

Deno.test("openDaemon() reports changes and undoes them in reverse (runs true(1))", async () => {
  const lines: string[] = [];
  const platform = new MemoryPlatform();
  const change = (name: string): SystemChange => ({
    run: ["true", name],
    undo: ["true", "-", name],
  });
  const networkChanges = (): SystemChange[] => [change("one"), change("two")];
  Object.assign(platform, { networkChanges });
  const options = { platform, onChange: (line: string) => void lines.push(line) };
  await (await openDaemon({ config: CLIENT, ...options }))[Symbol.asyncDispose]();
  assertEquals(lines, ["+ true one", "+ true two", "- true - two", "- true - one"]);

  lines.length = 0;
  const tunnel = { ...CLIENT.tunnel, up: "exit 3" };
  await assertRejects(() => openDaemon({ config: { ...CLIENT, tunnel }, ...options }), AggvpnError);
  assertEquals(lines.slice(2), ["- true - two", "- true - one"]);
});

Deno.test("a daemon's interface, status and scripts follow what the links carry", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-mtu-" });
  const file = `${directory}/mtus`;
  const platform = new MemoryPlatform();
  platform.interfaceMtus.set("lte", 1492);
  const set = (mtu: number): readonly string[] => ["set", `${mtu}`];
  const networkChanges = ({ mtu }: NetworkPlan): SystemChange[] => [
    { run: set(mtu), undo: ["restore"], atMtu: (mtu) => ({ run: set(mtu) }) },
    { run: ["other"] },
  ];
  Object.assign(platform, { networkChanges });
  const tunnel = { ...CLIENT.tunnel, up: `echo $MTU > ${file}`, down: `echo $MTU >> ${file}` };
  const lines: string[] = [];
  const daemon = await openDaemon({
    config: { ...CLIENT, tunnel },
    platform,
    onChange: (line) => lines.push(line),
    run: () => ({ success: true, message: "" }),
  });
  assertEquals([daemon.mtu, daemon.status().tunnel.mtu], [1426, 1426]);
  assertEquals(platform.sandboxed[0]!.programs, ["set", "restore", "/bin/sh"]);
  using _ = coreSays(
    "client",
    { type: "mtu", peer: "server", mtu: 1400 },
    { type: "mtu", peer: "server", mtu: 1380 },
  );
  const running = daemon.run();
  await until(() => daemon.mtu === 1380);
  assertEquals(daemon.status().tunnel.mtu, 1380);
  daemon.stop();
  await running;
  await daemon[Symbol.asyncDispose]();
  assertEquals(lines, ["+ set 1426", "+ other", "+ set 1400", "+ set 1380", "- restore"]);
  assertEquals(Deno.readTextFileSync(file), "1426\n1380\n");
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a daemon leaves and opens links as soon as the system tells of them", async () => {
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  const server = await open(SERVER, far);
  const client = await open(CLIENT, near);
  const running = [server.run(), client.run()];
  const lte = (): string[] => {
    const link = client.status().tunnel.peers[0]?.links[1];
    return [link?.state ?? "", link?.reason ?? ""];
  };
  await until(() => lte()[0] === "up");
  near.changeWay("lte", { obstacle: "ppp0 has no carrier", interface: 1, mtu: 1500 });
  await until(() => lte()[0] === "down");
  assertEquals(lte(), ["down", "ppp0 has no carrier"]);
  near.changeWay("lte", { obstacle: undefined, interface: 1, mtu: 1500 });
  await until(() => lte()[0] === "up");
  assertEquals(near.sockets.length, 2, "it keeps its socket");
  near.changeWay("lte", { obstacle: undefined, interface: 2, mtu: 1500 });
  await until(() => near.sockets.length === 3);
  client.stop();
  server.stop();
  await Promise.all(running);
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  assertEquals([near, far].map(({ watches }) => watches.map(({ isOpen }) => isOpen)), [[false], [
    false,
  ]]);
});

Deno.test("a daemon opens a socket as soon as its address is there", async () => {
  const platform = new MemoryPlatform();
  const openSocket = platform.openSocket.bind(platform);
  let isThere = false;
  Object.assign(platform, {
    openSocket(options: SocketOptions): MemorySocket {
      if (options.name === "lte" && !isThere) {
        throw new AbsentError("Cannot bind");
      }
      return openSocket(options);
    },
  });
  platform.ways.set("lte", { obstacle: "no interface has it", interface: 0, mtu: 0 });
  const daemon = await open(CLIENT, platform);
  const running = daemon.run();
  isThere = true;
  const start = performance.now();
  platform.changeWay("lte", { obstacle: undefined, interface: 2, mtu: 1500 }, "address");
  await until(() => platform.sockets.length === 2);
  assert(performance.now() - start < 900, "it would have tried after a second in any case");
  daemon.stop();
  await running;
  await daemon[Symbol.asyncDispose]();
});

Deno.test("openDaemon() counts what a link with a quota carries, and keeps it", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-quota-" });
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  near.stateDirectory = `${directory}/aggvpn`;
  const links = [CLIENT.links[0]!, withQuota(CLIENT.links[1]!, 1)];
  const server = await open(SERVER, far);
  const client = await open({ ...CLIENT, links }, near);
  const running = [server.run(), client.run()];
  const tiers = (daemon: Daemon): string[] =>
    daemon.status().tunnel.peers[0]!.links.map(({ tier }) => tier);
  await until(() => tiers(client)[1] === "last" && tiers(server)[1] === "last");
  const [dsl, lte] = client.status().tunnel.peers[0]!.links;
  assertEquals([dsl!.quotaBytes, lte!.quotaBytes], [undefined, 1]);
  client.stop();
  server.stop();
  await Promise.all(running);
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  const file = JSON.parse(Deno.readTextFileSync(`${directory}/aggvpn/home.quota.json`));
  const [month] = Object.values<Record<string, number>>(file.months);
  assert(month!.lte! >= lte!.quotaUsedBytes!, JSON.stringify(file));

  const again = await open({ ...CLIENT, links }, near);
  const stopped = again.run();
  await until(() => tiers(again).length > 0);
  assertEquals(tiers(again), ["primary", "last"], "from the start");
  again.stop();
  await stopped;
  await again[Symbol.asyncDispose]();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("openDaemon() turns a link off whose quota is used up, where that is wanted, and on again", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-quota-" });
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  near.stateDirectory = `${directory}/aggvpn`;
  const [dsl, lte] = CLIENT.links as readonly [LinkConfig, LinkConfig];
  const options = { ...lte.options, quotaBytes: 1e9, whenUsedUp: "off" } as const;
  const server = await open(SERVER, far);
  const client = await open({ ...CLIENT, links: [dsl, { ...lte, options }] }, near);
  const running = [server.run(), client.run()];
  const lteOf = (daemon: Daemon): LinkStatus | undefined =>
    daemon.status().tunnel.peers[0]!.links.find(({ name }) => name === "lte");
  await until(() => [client, server].every((daemon) => lteOf(daemon)?.state === "up"));
  const told: string[] = [];
  client.events.subscribe((event) => {
    if (event.type === "quota") told.push(`${event.percent}`);
    if (event.type === "link") told.push(`${event.link} ${event.state}: ${event.reason}`);
  });
  await client.quotas!.set("lte", 1e9);
  await until(() => lteOf(client)?.state === "down" && lteOf(server)?.state !== "up");
  const reason = lteOf(client)!.reason;
  assert(/^quota of 1 GB is used up: off until /.test(reason), reason);
  await until(() => told.length >= 2);
  assertEquals(told.toSorted(), ["100", `lte down: ${reason}`]);
  const sent = (id: number): number => client.status().tunnel.peers[0]!.links[id]!.sentDatagrams;
  const before = [sent(0), sent(1)] as const;
  await until(() => sent(0) > before[0] + 5);
  assertEquals(sent(1), before[1], "not even probes leave");
  await client.quotas!.set("lte", 0);
  await until(() => [client, server].every((daemon) => lteOf(daemon)?.state === "up"));
  client.stop();
  server.stop();
  await Promise.all(running);
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("openDaemon() says what is left to do before it gives up rights, unless it is told not to", async () => {
  const platform = new MemoryPlatform();
  const changes: SystemChange[] = [
    { run: ["true"], undo: ["false", "it"] },
    { run: ["true"], undo: ["false", "again"] },
    { run: ["true", "for good"] },
  ];
  Object.assign(platform, { networkChanges: () => changes, stateDirectory: "/nonexistent/state" });
  const run = (): { success: boolean; message: string } => ({ success: true, message: "" });
  const needsOf = async (config: ClientModeConfig): Promise<unknown> => {
    await (await openDaemon({ config, platform, onChange: () => {}, run }))[Symbol.asyncDispose]();
    return platform.sandboxed.pop();
  };
  const tunnel = { ...CLIENT.tunnel, down: "true" };
  const links = [withQuota(CLIENT.links[0]!, 1e9)];
  const control = "/nonexistent/home.sock";
  assertEquals(await needsOf(CLIENT), {
    programs: ["false"],
    files: [control],
    directories: ["/nonexistent/state"],
    lookups: [],
  });
  assertEquals(await needsOf({ ...CLIENT, tunnel, links, statusCommand: "/bin/true" }), {
    programs: ["false", "/bin/sh", "/bin/true"],
    files: [control],
    directories: ["/nonexistent/state"],
    lookups: [],
  });
  assertEquals(await needsOf({ ...CLIENT, sandbox: false }), undefined);
});
