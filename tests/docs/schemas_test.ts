/** What programs read, against the schemas that document it. */

import { assert, assertEquals } from "@std/assert";
import type { ClientModeConfig, LinkConfig, ServerModeConfig } from "../../src/config/config.ts";
import { type Daemon, openDaemon } from "../../src/daemon/daemon.ts";
import type { DaemonEvent } from "../../src/daemon/event_hub.ts";
import { MemoryNetwork } from "../../src/platform/memory/network.ts";
import { MemoryPlatform } from "../../src/platform/memory/platform.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { address, prefix } from "../addresses.ts";
import { COMMON, secretOf, TUNNEL } from "../sample_config.ts";
import { linkEvent } from "../link_events.ts";
import { type Schema, schemaErrors } from "./json_schema.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const SECRET = secretOf(7);
const PING = Uint8Array.fromHex(
  "4500001c0000400040010000" + "0a2c2b01" + "0a2c2b02" + "0800000000010001",
);

function link(name: string, port: number, options: Partial<LinkConfig["options"]>): LinkConfig {
  return {
    name,
    remotes: [{ host: address("192.0.2.1"), port }],
    interface: name,
    options: { tier: "primary", metered: false, timeoutUs: 1e6, ...options },
  };
}

const CLIENT: ClientModeConfig = {
  ...COMMON,
  mode: "client",
  secret: SECRET,
  servers: ["server"],
  links: [
    link("dsl", 5080, {}),
    link("lte", 5081, { tier: "backup", metered: true, quotaBytes: 100, quotaDay: 31 }),
    link("absent", 5080, {}),
  ],
  tunnel: { ...TUNNEL, address: prefix("10.44.43.1/30") },
};
const SERVER: ServerModeConfig = {
  ...COMMON,
  mode: "server",
  listen: [5080, 5081].map((port) => ({ host: address("192.0.2.1"), port })),
  clients: [
    { name: "home", secret: SECRET, allowed: [] },
    { name: "other", secret: { key: new Uint8Array(32).fill(8) }, allowed: [] },
  ],
  tunnel: TUNNEL,
};

function schemaOf(name: string): Schema {
  return JSON.parse(Deno.readTextFileSync(new URL(name, DOCS)));
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < end, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("what two ends say of themselves, from the start to the end, is as docs/*.schema.json say", async () => {
  const [status, events] = [schemaOf("status.schema.json"), schemaOf("events.schema.json")];
  const directory = Deno.makeTempDirSync();
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  near.stateDirectory = directory;
  near.absent.add("absent");
  const types = new Set<string>();
  const check = (daemon: Daemon): void => {
    assertEquals(schemaErrors(status, JSON.parse(JSON.stringify(daemon.status()))), []);
  };
  const open = async (
    config: ClientModeConfig | ServerModeConfig,
    platform: MemoryPlatform,
  ): Promise<Daemon> => {
    const daemon = await openDaemon({ config, platform, onChange: () => {} });
    daemon.events.subscribe((event) => {
      types.add(event.type);
      const line = JSON.parse(JSON.stringify({ version: 1, ...event }));
      assertEquals(schemaErrors(events, line), []);
    });
    return daemon;
  };
  const server = await open(SERVER, far);
  const client = await open(CLIENT, near);
  for (const daemon of [client, server]) check(daemon);
  const running = [server.run(), client.run()];
  const state = (daemon: Daemon, id: number): string | undefined =>
    daemon.status().tunnel.peers[0]!.links[id]?.state;
  await until(() => [client, server].every((daemon) => state(daemon, 1) === "up"));
  near.tuns[0]!.inject(PING);
  await until(() => client.status().tunnel.peers[0]!.links[1]!.tier === "last");
  for (const daemon of [client, server]) check(daemon);
  server.stop();
  await until(() => state(client, 0) === "connecting");
  check(client);
  assertEquals(typeof client.status().tunnel.peers[0]!.reason, "string");
  client.stop();
  await Promise.all(running);
  for (const daemon of [client, server]) {
    check(daemon);
    await daemon[Symbol.asyncDispose]();
  }
  for (const type of ["session", "link", "quota"]) assert(types.has(type), type);
  Deno.removeSync(directory, { recursive: true });
});

type Said = EndpointEvent | DaemonEvent;
/** One of each type: a new type is missing here until it is in the schema too. */
const EVENTS: { readonly [T in Said["type"]]: Said & { readonly type: T } } = {
  session: { type: "session", peer: "home", state: "up", remote: "192.0.2.1:5080" },
  server: { type: "server", server: "b", reason: "a does not answer" },
  link: linkEvent(),
  roamed: { type: "roamed", peer: "home", link: "dsl", remote: "192.0.2.1:5080" },
  conflict: { type: "conflict", peer: "home", hosts: "now X, before Y" },
  mtu: { type: "mtu", peer: "home", mtu: 1426 },
  rebind: { type: "rebind", link: 1 },
  "handshake-failed": { type: "handshake-failed", remote: "192.0.2.1:1", reason: "no answer" },
  "foreign-source": { type: "foreign-source", peer: "home", source: "192.168.1.50" },
  quota: {
    type: "quota",
    link: "lte",
    percent: 75,
    usedBytes: 3,
    quotaBytes: 4,
    reason: "75 % are used",
  },
  changed: { type: "changed", message: "link lte is off" },
  missed: { type: "missed", count: 3 },
};

Deno.test("docs/events.schema.json has every type of event", () => {
  const schema = schemaOf("events.schema.json");
  for (const event of [...Object.values(EVENTS), { type: "ended" }]) {
    assertEquals(schemaErrors(schema, { version: 1, ...event, atMs: 1 }), [], event.type);
  }
});
