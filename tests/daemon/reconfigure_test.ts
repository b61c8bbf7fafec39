/**
 * A running daemon that is given another configuration.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type {
  ClientModeConfig,
  Config,
  LinkConfig,
  ServerModeConfig,
} from "../../src/config/config.ts";
import { type Daemon, openDaemon } from "../../src/daemon/daemon.ts";
import { AggvpnError } from "../../src/errors.ts";
import { MemoryNetwork } from "../../src/platform/memory/network.ts";
import { MemoryPlatform } from "../../src/platform/memory/platform.ts";
import type { NetworkPlan, SystemChange } from "../../src/platform/platform.ts";
import { ofPart, routePart } from "../../src/platform/plan_parts.ts";
import { address, prefix } from "../addresses.ts";
import { COMMON, secretOf } from "../sample_config.ts";

function link(name: string, port: number, localPort = port + 1000): LinkConfig {
  return {
    name,
    remotes: [{ host: address("192.0.2.1"), port }],
    bind: address("198.51.100.7"),
    localPort,
    options: { tier: "primary", metered: false, timeoutUs: 1e6 },
  };
}

const CLIENT: ClientModeConfig = {
  ...COMMON,
  mode: "client",
  secret: secretOf(1),
  servers: ["server"],
  links: [link("dsl", 5080)],
};
const SERVER: ServerModeConfig = {
  ...COMMON,
  mode: "server",
  listen: [{ host: address("192.0.2.1"), port: 5080 }],
  clients: [
    { name: "ann", secret: secretOf(1), allowed: [prefix("10.0.0.2/32")] },
    { name: "bob", secret: secretOf(2), allowed: [prefix("10.0.0.3/32")] },
  ],
};

/** Waits in real time for something to become true. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < end, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Ends of a tunnel that run until `use` has ended. */
async function withEnds(
  configs: readonly Config[],
  use: (daemons: readonly Daemon[]) => Promise<void>,
): Promise<void> {
  const network = new MemoryNetwork();
  const daemons: Daemon[] = [];
  for (const config of configs) {
    const platform = new MemoryPlatform(network);
    daemons.push(await openDaemon({ config, platform, onChange: () => {} }));
  }
  const running = daemons.map((daemon) => daemon.run());
  try {
    await use(daemons);
  } finally {
    for (const daemon of daemons) daemon.stop();
    await Promise.all(running);
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
  }
}

/** Names and states of the links of one peer. */
function links(daemon: Daemon, peer = 0): string[] {
  const { tunnel } = daemon.status();
  return tunnel.peers[peer]!.links.map(({ name, state }) => `${name} ${state}`);
}

function eventsOf(daemon: Daemon): string[] {
  const events: string[] = [];
  daemon.events.subscribe((event) => {
    if (event.type === "session") events.push(`${event.peer} ${event.state}`);
  });
  return events;
}

Deno.test("Daemon.reconfigure() adds a listen address and a link to it, and removes them", async () => {
  await withEnds([SERVER, CLIENT], async ([server, client]) => {
    await until(() => links(client!).includes("dsl up"));
    const events = [...[server!, client!].map(eventsOf)];
    const listen = [...SERVER.listen, { host: address("192.0.2.1"), port: 5081 }];
    const added = await server!.reconfigure(() => ({ ...SERVER, listen }));
    assertEquals(added.words, ["listen address 192.0.2.1:5081 added"]);
    const both = [...CLIENT.links, link("lte", 5081)];
    await client!.reconfigure(() => ({ ...CLIENT, links: both }));
    await until(() => links(client!).join() === "dsl up,lte up");
    await until(() => links(server!).join() === "dsl up,lte up");
    assertEquals(client!.socketNames, ["dsl", "lte"]);

    await client!.reconfigure(() => ({ ...CLIENT, links: [link("lte", 5081)] }));
    await until(() => links(client!).join() === "lte up" && links(server!).join() === "lte up");
    await server!.reconfigure(() => ({ ...SERVER, listen: listen.slice(1) }));
    assertEquals(server!.socketNames, ["192.0.2.1:5081"]);
    // The place of the first link is taken, and its socket is another.
    const third = [link("lte", 5081), link("sat", 5081, 7000)];
    await client!.reconfigure(() => ({ ...CLIENT, links: third }));
    await until(() => links(client!).includes("sat up"));
    assertEquals(events.flat().filter((event) => !event.endsWith("rekeyed")), []);
  });
});

Deno.test("Daemon.reconfigure() replaces a link whose way is another", async () => {
  await withEnds([SERVER, CLIENT], async ([_server, client]) => {
    await until(() => links(client!).includes("dsl up"));
    await client!.reconfigure(() => ({ ...CLIENT, links: [link("dsl", 5080, 7001)] }));
    await until(() => client!.status().daemon.sockets[0]!.local === "198.51.100.7:7001");
    await until(() => links(client!).includes("dsl up"));
  });
});

Deno.test("Daemon.reconfigure() adds, removes and renews clients, and others do not notice", async () => {
  const [ann, bob] = SERVER.clients;
  const OTHER = {
    ...CLIENT,
    secret: secretOf(2),
    links: [{ ...link("dsl", 5080), bind: address("198.51.100.8") }],
  };
  await withEnds([{ ...SERVER, clients: [ann!] }, CLIENT, OTHER], async ([server, _ann, other]) => {
    await until(() => links(server!).includes("dsl up"));
    const events = eventsOf(server!);
    await server!.reconfigure(() => SERVER);
    await until(() => links(other!).includes("dsl up"));
    const renewed = { ...SERVER, clients: [ann!, { ...bob!, secret: secretOf(3) }] };
    const { words } = await server!.reconfigure(() => renewed);
    assertEquals(words, ["client bob: password"]);
    await until(() => other!.status().tunnel.peers[0]!.state === "connecting");
    await server!.reconfigure(() => SERVER);
    await until(() => links(other!).includes("dsl up"));
    await server!.reconfigure(() => ({ ...SERVER, clients: [ann!] }));
    await until(() => other!.status().tunnel.peers[0]!.state === "connecting");
    assertEquals(server!.status().tunnel.peers.map(({ name }) => name), ["ann"]);
    assertEquals(events.filter((event) => event.startsWith("ann")), []);
  });
});

Deno.test("Daemon.reconfigure() stretches the pass phrase of a client as the other end does", async () => {
  const phrase = { password: "correct horse battery staple" };
  const client = { ...CLIENT, secret: phrase };
  await withEnds([SERVER, client], async ([server, end]) => {
    const clients = [...SERVER.clients, { name: "eve", secret: phrase, allowed: [] }];
    await server!.reconfigure(() => ({ ...SERVER, clients }));
    await until(() => links(end!).includes("dsl up"));
  });
});

Deno.test("Daemon.reconfigure() applies nothing when some of it needs a restart", async () => {
  await withEnds([SERVER], async ([server]) => {
    const next = { ...SERVER, name: "other", clients: SERVER.clients.slice(1) };
    const error = await assertRejects(() => server!.reconfigure(() => next), AggvpnError);
    assertEquals(error.message, "A change of name needs a restart: nothing was applied");
    assertEquals(server!.status().tunnel.peers.length, 2);
    assertEquals(server!.config, SERVER);
  });
});

Deno.test("Daemon.reconfigure() applies nothing when a link cannot reach its remote", async () => {
  await withEnds([CLIENT], async ([client]) => {
    const six = { ...link("six", 5080), remotes: [{ host: address("2001:db8::1"), port: 5080 }] };
    const links = [link("other", 5081), six];
    await assertRejects(() => client!.reconfigure(() => ({ ...CLIENT, links })), AggvpnError);
    assertEquals([client!.socketNames, client!.config], [["dsl"], CLIENT]);
  });
});

Deno.test("Daemon.reconfigure() applies nothing when an address cannot be listened on", async () => {
  await withEnds([SERVER, CLIENT], async ([server]) => {
    const taken = { host: address("198.51.100.7"), port: 6080 };
    const free = { host: address("192.0.2.1"), port: 5082 };
    const listen = [free, taken];
    const next = { ...SERVER, listen, clients: SERVER.clients.slice(1) };
    await assertRejects(() => server!.reconfigure(() => next), AggvpnError);
    assertEquals(server!.status().tunnel.peers.length, 2);
    assertEquals(server!.socketNames, ["192.0.2.1:5080"]);
    // What was opened before the failure is free again.
    await server!.reconfigure(() => ({ ...SERVER, listen: [...SERVER.listen, free] }));
  });
});

/** Routes as commands that only write down what would happen; `refuse` fails. */
function withRoutes(platform: MemoryPlatform, refuse: (line: string) => boolean): void {
  platform.networkChanges = ({ routes }: NetworkPlan): readonly SystemChange[] =>
    routes.flatMap((route) => {
      const name = `${route.destination}`;
      const run = [refuse(name) ? "false" : "true", "add", name];
      return ofPart(routePart(route), [{ run, undo: ["true", "del", name] }]);
    });
}

Deno.test("Daemon.reconfigure() changes routes by what differs, and takes failures back", async () => {
  const lines: string[] = [];
  const config = (...routes: string[]): Config => ({
    ...SERVER,
    tunnel: { ...SERVER.tunnel, routes: routes.map(prefix) },
  });
  const platform = new MemoryPlatform();
  withRoutes(platform, (name) => name.startsWith("10.99"));
  const start = config("10.1.0.0/16", "10.2.0.0/16");
  const onChange = (line: string): void => void lines.push(line.replace("true ", ""));
  const daemon = await openDaemon({ config: start, platform, onChange });
  lines.length = 0;
  await daemon.reconfigure(() => config("10.2.0.0/16", "10.3.0.0/16"));
  assertEquals(lines.splice(0), ["- del 10.1.0.0/16", "+ add 10.3.0.0/16"]);
  const bad = config("10.3.0.0/16", "10.4.0.0/16", "10.99.0.0/16");
  await assertRejects(() => daemon.reconfigure(() => bad), AggvpnError, "Cannot run");
  assertEquals(lines.splice(0), [
    "- del 10.2.0.0/16",
    "+ add 10.4.0.0/16",
    "+ false add 10.99.0.0/16",
    "- del 10.4.0.0/16",
    "+ add 10.2.0.0/16",
  ]);
  const running = daemon.run();
  daemon.stop();
  await running;
  await daemon[Symbol.asyncDispose]();
  // Clients' addresses have routes of their own.
  const undone = lines.filter((line) => line.startsWith("-")).map((line) => line.slice(6));
  assertEquals(undone, ["10.3.0.0/16", "10.0.0.3/32", "10.0.0.2/32", "10.2.0.0/16"]);
});
