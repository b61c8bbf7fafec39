/**
 * Hears of changes of interfaces, addresses and routes: route(4).
 *
 * What is heard says that it is time to look: the kernel is then asked for the route of a link's
 * datagrams in its table. The state of an interface cannot be asked for once pledge(2) was called,
 * but every change of it is told, so the last one is remembered. A route by an interface without a
 * carrier is not up.
 *
 * A link says nothing of an interface here, only of a table and an address. Routes that do not lead
 * to where a link sends, or are in another table, are not heard.
 *
 * @module
 */

import type { Address } from "../../address.ts";
import { remoteOf } from "../../remote.ts";
import type {
  LinkWay,
  NetworkChange,
  NetworkKind,
  NetworkWatch,
  SocketOptions,
  WatchedLink,
} from "../platform.ts";
import {
  AF_INET,
  AF_INET6,
  IFF_UP,
  LINK_STATE_UNKNOWN,
  LINK_STATE_UP,
  RTF_BLACKHOLE,
  RTF_REJECT,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELADDR,
  RTM_DELETE,
  RTM_GET,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_NEWADDR,
  SO_RTABLE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import type { Libc } from "./libc.ts";
import {
  type InterfaceMessage,
  leadsTo,
  type RouteMessage,
  type RoutingMessage,
  writeQuestion,
} from "./route_messages.ts";
import { openRouteSocket, type RouteSocket } from "./route_socket.ts";
import { writeSockaddr } from "./sockaddr.ts";

const HEARD = [
  RTM_ADD,
  RTM_DELETE,
  RTM_CHANGE,
  RTM_NEWADDR,
  RTM_DELADDR,
  RTM_IFINFO,
  RTM_IFANNOUNCE,
];
/** Messages that one {@linkcode OpenbsdNetworkWatch.drain} reads. */
const MOST_MESSAGES = 1000;
/** Sequence numbers are positive. */
const MAX_SEQUENCE = 0x7fff_ffff;

/** Begins to hear. To be called before pledge(2); throws AggvpnError. */
export function watchNetwork(libc: Libc, links: readonly WatchedLink[]): OpenbsdNetworkWatch {
  const heard = openRouteSocket(libc, HEARD);
  try {
    return new OpenbsdNetworkWatch(libc, links, heard, openRouteSocket(libc, [RTM_GET]));
  } catch (error) {
    heard.close();
    throw error;
  }
}

/** Hears about some links. */
export class OpenbsdNetworkWatch implements NetworkWatch {
  readonly #libc: Libc;
  readonly #links: readonly WatchedLink[];
  /** The table of links that are in no other. */
  readonly #own: number;
  readonly #heard: RouteSocket;
  readonly #asking: RouteSocket;
  /** What was last told of each interface, by number. */
  readonly #interfaces = new Map<number, InterfaceMessage>();
  #sequence = 0;

  constructor(
    libc: Libc,
    links: readonly WatchedLink[],
    heard: RouteSocket,
    asking: RouteSocket,
  ) {
    this.#libc = libc;
    this.#links = links;
    this.#heard = heard;
    this.#asking = asking;
    this.#own = libc.symbols.getrtable();
  }

  get fd(): number {
    return this.#heard.fd;
  }

  drain(): NetworkChange {
    const kinds = new Set<NetworkKind>();
    const interfaces = new Set<number>();
    for (let i = 0; i < MOST_MESSAGES; i++) {
      const message = this.#heard.receive();
      if (message === "nothing") break;
      const kind = message && this.#kindOf(message);
      if (!kind) continue;
      kinds.add(kind);
      if ("index" in message && message.index > 0) interfaces.add(message.index);
    }
    return { kinds, interfaces };
  }

  look(link: number): LinkWay {
    const { socket, remote } = this.#links[link]!;
    const { address } = socket;
    if (address && !this.#hasAddress(socket, address)) {
      return blocked(`no interface has ${address}`);
    }
    if (!remote || remote.isLinkLocal) return FREE;
    const table = this.#tableOf(socket);
    const route = this.#ask(table, remote);
    if (route === ERRNO.EINVAL) return blocked(`rdomain ${table} does not exist`);
    if (route === ERRNO.ESRCH) return blocked(`no route to ${remote} in rdomain ${table}`);
    // Why it cannot be asked says nothing about the link.
    if (typeof route === "number") return FREE;
    const by = this.#interfaces.get(route.index);
    const way = { interface: route.index, mtu: by?.mtu ?? 0 };
    const obstacle = obstacleOf(by) ??
      (isUsable(route) ? undefined : `no route to ${remote} in rdomain ${table}`);
    return { ...way, obstacle };
  }

  close(): void {
    this.#heard.close();
    this.#asking.close();
  }

  /** What a message is about; undefined when that does not concern any link. */
  #kindOf(message: RoutingMessage): NetworkKind | undefined {
    if (message.kind === "interface") this.#interfaces.set(message.index, message);
    if (message.kind === "announce") {
      this.#interfaces.delete(message.index);
      return "interface";
    }
    if (message.kind !== "route") return message.kind;
    const concerns = this.#links.some(({ socket, remote }) =>
      remote && this.#tableOf(socket) === message.table && leadsTo(message, remote)
    );
    return concerns ? "route" : undefined;
  }

  #tableOf({ rdomain }: SocketOptions): number {
    return rdomain ?? this.#own;
  }

  #ask(table: number, remote: Address): RouteMessage | number {
    const sequence = this.#sequence = this.#sequence % MAX_SEQUENCE + 1;
    return this.#asking.ask(sequence, writeQuestion(sequence, table, remote));
  }

  /** Whether a socket of the link's table can be bound to `address`. */
  #hasAddress({ rdomain }: SocketOptions, address: Address): boolean {
    if (address.isUnspecified || address.zone !== undefined) return true;
    const { symbols } = this.#libc;
    const family = address.family === 4 ? AF_INET : AF_INET6;
    const fd = symbols.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      this.#libc.errno("socket");
      return true; // not known
    }
    const isMissing = this.#isRefused(fd, rdomain, address);
    symbols.close(fd);
    return !isMissing;
  }

  #isRefused(fd: number, rdomain: number | undefined, address: Address): boolean {
    const { setsockopt, bind } = this.#libc.symbols;
    if (
      rdomain !== undefined &&
      setsockopt(fd, SOL_SOCKET, SO_RTABLE, Uint32Array.of(rdomain), 4) < 0
    ) {
      this.#libc.errno("setsockopt");
      return false;
    }
    const sockaddr = writeSockaddr(remoteOf(address.bytes, 0));
    if (bind(fd, sockaddr, sockaddr.length) === 0) return false;
    return this.#libc.errno("bind") === ERRNO.EADDRNOTAVAIL;
  }
}

function isUsable({ flags }: RouteMessage): boolean {
  return (flags & RTF_UP) !== 0 && (flags & (RTF_REJECT | RTF_BLACKHOLE)) === 0;
}

/** LINK_STATE_IS_UP() of <net/if.h>. */
function obstacleOf(by: InterfaceMessage | undefined): string | undefined {
  if (!by) return undefined;
  if ((by.flags & IFF_UP) === 0) return `${by.name} is down`;
  const isUp = by.linkState >= LINK_STATE_UP || by.linkState === LINK_STATE_UNKNOWN;
  return isUp ? undefined : `${by.name} has no carrier`;
}

const FREE: LinkWay = { obstacle: undefined, interface: 0, mtu: 0 };

function blocked(obstacle: string): LinkWay {
  return { ...FREE, obstacle };
}
