/**
 * A session for an examination while the tunnel does not run: the real sockets, loop and protocol,
 * without an interface, so that nothing of this host is changed.
 *
 * The server takes it for the client, which can have only one session: whoever runs the tunnel of
 * this key on another host loses it meanwhile.
 *
 * @module
 */

import type { ClientModeConfig } from "../config/config.ts";
import { nobleProvider } from "../crypto/noble.ts";
import { followRemotes, openHandshakeClock } from "../daemon/companions.ts";
import { LineTester } from "../daemon/line_tester.ts";
import { prepare } from "../daemon/prepare.ts";
import { AggvpnError } from "../errors.ts";
import { systemClock } from "../io/clock.ts";
import { Driver } from "../io/driver.ts";
import { LinkSockets } from "../io/link_sockets.ts";
import type { LinkSocket, Platform, SocketOptions, Tun } from "../platform/platform.ts";
import { PacketPool } from "../slab.ts";
import { Endpoint } from "../tunnel/endpoint.ts";
import type { Subject } from "./subject.ts";

/** Nothing is carried but what is measured. */
const POOL_PACKETS = 2048;

/** In place of the interface: nothing comes from it, and what others send to it is dropped. */
const NO_TUN: Tun = {
  name: "",
  fd: -1, // ppoll(2) ignores it
  read: () => 0,
  backlog: false,
  write: (_pool, _slots, count) => count,
  oversizePackets: 0,
  malformedPackets: 0,
  offload: "none",
  close: () => {},
};

type SocketProblem = ReturnType<Subject["socketProblemOf"]>;

/** Opens a session of the client `config`. Throws AggvpnError when no session could ever be made. */
export async function openSession(config: ClientModeConfig, platform: Platform): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  // Whoever is late measures himself.
  platform.raisePriority();
  const aead = platform.libcrypto() ?? nobleProvider();
  const prepared = await prepare(config, aead.scrypt, platform);
  const problems = new Map<string, SocketProblem>();
  const sockets = prepared.sockets.map((options) => tryToOpen(platform, options, problems));
  const closer = { close: (): void => sockets.forEach((socket) => socket?.close()) };
  stack.defer(() => closer.close());
  const pool = new PacketPool(POOL_PACKETS);
  const clock = openHandshakeClock({ config, platform }, stack)!;
  const endpoint = new Endpoint(prepared.endpointOptions({
    pool,
    aead,
    random: (out) => void crypto.getRandomValues(out as Uint8Array<ArrayBuffer>),
    mtu: prepared.mtu,
  }, () => clock.next()));
  const poller = platform.openPoller();
  stack.defer(() => poller.close());
  const network = platform.watchNetwork(prepared.watched);
  stack.defer(() => network?.close());
  const linkSockets = new LinkSockets(platform, prepared.sockets);
  const driver = new Driver({
    endpoint,
    pool,
    tun: NO_TUN,
    sockets,
    poller,
    network,
    clock: systemClock,
    onEvent: () => {},
    reopen: (index) => linkSockets.reopen(index),
  });
  closer.close = (): void => driver.close();
  followRemotes(prepared.tables!.remotes, { endpoint, driver, linkSockets }, stack);
  const running = driver.run();
  stack.defer(async () => {
    driver.stop();
    await running;
  });
  const tester = new LineTester(endpoint, driver);
  const names = prepared.sockets.map(({ name }) => name);
  const undo = stack.move();
  return {
    isRunning: false,
    status: () => Promise.resolve(endpoint.status(systemClock())),
    localOf: (link) => driver.ports[names.indexOf(link)]?.socket?.localAddress,
    socketProblemOf: (link) => problems.get(link),
    test: (link, way, milliseconds) => tester.test({ link, way, milliseconds }),
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

/** What is wrong with one link is no reason not to look at the others. */
function tryToOpen(
  platform: Platform,
  options: SocketOptions,
  problems: Map<string, SocketProblem>,
): LinkSocket | undefined {
  try {
    return platform.openSocket(options);
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    const { message, hint } = error;
    problems.set(options.name, { message, ...hint !== undefined && { hint } });
    return undefined;
  }
}
