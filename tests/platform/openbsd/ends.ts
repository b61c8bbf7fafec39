/**
 * Two ends of a tunnel on OpenBSD: the real core and the real loop over the fake libc.
 *
 *     client   rdomain 1: 198.51.100.10 ---- dsl1 ----+
 *                                                     server 192.0.2.1, 192.0.2.2 port 5080
 *              rdomain 2: 203.0.113.20  ---- dsl2 ----+
 *
 * @module
 */

import { assert } from "@std/assert";
import { setImmediate } from "node:timers";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import { Driver } from "../../../src/io/driver.ts";
import { LinkSockets } from "../../../src/io/link_sockets.ts";
import type { Address } from "../../../src/address.ts";
import { watchNetwork } from "../../../src/platform/openbsd/network_watch.ts";
import { openPoller } from "../../../src/platform/openbsd/poller.ts";
import { sandbox } from "../../../src/platform/openbsd/sandbox.ts";
import { openSocket } from "../../../src/platform/openbsd/socket.ts";
import { openTun } from "../../../src/platform/openbsd/tun.ts";
import type { SocketOptions } from "../../../src/platform/platform.ts";
import { PacketPool } from "../../../src/slab.ts";
import { Endpoint } from "../../../src/tunnel/endpoint.ts";
import type { EndpointOptions } from "../../../src/tunnel/options.ts";
import {
  clientEnd,
  knownClient,
  linkTo,
  serverEnd,
  type Shared,
  sharedOptions,
} from "../../pair/endpoints.ts";
import { Rng } from "../../pair/rng.ts";
import { address } from "../../addresses.ts";
import { remoteAt } from "./batches.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import type { FakeTun, Release } from "./fake_tun.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { gateway, publicHost } from "./golden.ts";

/** Makes the options of an endpoint. */
type OptionsOf = (shared: Shared, pool: PacketPool) => EndpointOptions;

/** One end, assembled as by `openDaemon`, in virtual time. */
export class End {
  readonly libc: FakeLibc;
  readonly driver: Driver;
  readonly endpoint: Endpoint;
  readonly events: string[] = [];
  readonly #close: () => void;
  #running: Promise<void> | undefined;

  constructor(
    readonly host: FakeHost,
    sockets: readonly SocketOptions[],
    optionsOf: OptionsOf,
    seed: number,
    options: FakeOptions,
    remotes: readonly Address[] = [],
  ) {
    const libc = this.libc = new FakeLibc(host, options);
    const { world } = host;
    const clock = (): number => world.now;
    const links = new LinkSockets({ openSocket: (link) => openSocket(libc, link) }, sockets);
    const opened = links.openAll();
    const tun = openTun(libc, undefined);
    const pool = new PacketPool(1024);
    const poller = openPoller(libc);
    const network = watchNetwork(
      libc,
      sockets.map((socket, i) => ({ socket, ...remotes[i] && { remote: remotes[i] } })),
    );
    sandbox(libc, { programs: [], files: [], directories: [], lookups: [] });
    const shared = sharedOptions(new Rng(seed), { aead: nobleProvider() });
    this.endpoint = new Endpoint(optionsOf(shared, pool));
    this.driver = new Driver({
      endpoint: this.endpoint,
      pool,
      tun,
      sockets: opened,
      poller,
      network,
      clock,
      onEvent: (event) => this.events.push(`${event.type} ${"link" in event ? event.link : ""}`),
      reopen: (index) => links.reopen(index),
    });
    this.#close = (): void => {
      this.driver.close();
      tun.close();
      network.close();
      poller.close();
    };
  }

  /** The host's side of the tunnel interface. */
  get tun(): FakeTun {
    return this.host.tuns.get("tun0")!;
  }

  start(): void {
    this.#running = this.driver.run();
  }

  async stop(): Promise<void> {
    this.driver.stop();
    await this.#running;
    this.#close();
  }

  /** States of the links of the only peer. */
  states(): string {
    const [peer] = this.endpoint.status(this.host.world.now).peers;
    return peer?.links.map(({ state }) => state).join(" ") ?? "";
  }
}

/** Both of them, and where they are. */
export interface Ends {
  readonly world: FakeWorld;
  readonly client: End;
  readonly server: End;
}

/** A client with two links and its server; both run. */
export function makeTunnel(
  options: FakeOptions = {},
  releases: { readonly client: Release; readonly server: Release } = {
    client: "7.8",
    server: "7.8",
  },
): Ends {
  const world = new FakeWorld();
  world.now = 1_000_000;
  world.delayUs = 8000;
  const listen = { name: "server", address: address("0.0.0.0"), port: 5080, family: 4 } as const;
  const server = new End(
    hostOf(publicHost(world), releases.server),
    [listen],
    (shared, pool) => serverEnd(shared, pool, [knownClient("home")]),
    1,
    options,
  );
  const links = [
    linkTo("dsl1", remoteAt("192.0.2.1", 5080)),
    linkTo("dsl2", remoteAt("192.0.2.2", 5080)),
  ];
  const client = new End(
    hostOf(gateway(world), releases.client),
    [1, 2].map((rdomain) => ({ name: `dsl${rdomain}`, family: 4, rdomain })),
    (shared, pool) => clientEnd(shared, pool, links),
    2,
    options,
    links.map(({ remotes: [remote] }) => remote!.address),
  );
  server.start();
  client.start();
  return { world, client, server };
}

function hostOf(host: FakeHost, release: Release): FakeHost {
  host.release = release;
  return host;
}

/** Waits until both links of both ends are up. */
export function untilUp({ world, client, server }: Ends): Promise<void> {
  return until(
    world,
    "both links are up",
    () => client.states() === "up up" && server.states() === "up up",
  );
}

/** Lets virtual time pass until something is true. */
export async function until(world: FakeWorld, what: string, done: () => boolean): Promise<void> {
  const end = world.now + 30_000_000;
  while (!done()) {
    assert(world.now < end, `it has not happened: ${what}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
