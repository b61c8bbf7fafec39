/**
 * Hears of changes of interfaces, addresses and routes: rtnetlink(7).
 *
 * What is heard only says that it is time to look: the kernel is then asked what a link's datagrams
 * meet, which also covers rules, marks and tables without knowing about them here. Routes that do
 * not lead to where a link sends are not heard, so a router with full tables costs little.
 *
 * @module
 */

import type { Address } from "../../address.ts";
import { isPattern } from "../../pattern.ts";
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
  IFF_POINTOPOINT,
  IFF_RUNNING,
  IFF_UP,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_LINK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { interfaceIndex } from "./interfaces.ts";
import type { Libc } from "./libc.ts";
import { type NetlinkSocket, openNetlink } from "./netlink.ts";
import {
  type InterfaceMessage,
  leadsTo,
  type NetlinkMessage,
  writeInterfaceRequest,
  writeRouteRequest,
} from "./route_messages.ts";
import { writeSockaddr } from "./sockaddr.ts";

const GROUPS = [
  RTNLGRP_LINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_ROUTE,
];
/** Calls that receive in one {@linkcode LinuxNetworkWatch.drain}: about 1000 messages. */
const MOST_CALLS = 64;

/** Errors that say that there is no way, from routes or rules of type unreachable and the like. */
const NO_ROUTE: readonly number[] = [
  ERRNO.ENETUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.EACCES, // prohibit
  ERRNO.EINVAL, // blackhole, or the source is no address of this host
];

/** Begins to hear; throws AggvpnError when the kernel has no netlink for this process. */
export function watchNetwork(libc: Libc, links: readonly WatchedLink[]): LinuxNetworkWatch {
  const heard = openNetlink(libc, GROUPS);
  try {
    return new LinuxNetworkWatch(libc, links, heard, openNetlink(libc, []));
  } catch (error) {
    heard.close();
    throw error;
  }
}

/** Hears about some links. */
export class LinuxNetworkWatch implements NetworkWatch {
  readonly #libc: Libc;
  readonly #links: readonly WatchedLink[];
  readonly #heard: NetlinkSocket;
  readonly #asking: NetlinkSocket;
  #sequence = 0;

  constructor(
    libc: Libc,
    links: readonly WatchedLink[],
    heard: NetlinkSocket,
    asking: NetlinkSocket,
  ) {
    this.#libc = libc;
    this.#links = links;
    this.#heard = heard;
    this.#asking = asking;
  }

  get fd(): number {
    return this.#heard.fd;
  }

  drain(): NetworkChange {
    const kinds = new Set<NetworkKind>();
    const interfaces = new Set<number>();
    for (let i = 0; i < MOST_CALLS; i++) {
      const { messages, isIncomplete, isAll } = this.#heard.receive();
      if (isIncomplete) kinds.add("lost");
      for (const message of messages) {
        const kind = this.#kindOf(message);
        if (kind === undefined) continue;
        kinds.add(kind);
        if ("index" in message && message.index > 0) interfaces.add(message.index);
      }
      if (isAll) break;
    }
    return { kinds, interfaces };
  }

  look(link: number): LinkWay {
    const { socket, remote } = this.#links[link]!;
    const { interface: name, address } = socket;
    const index = name === undefined ? 0 : interfaceIndex(this.#libc, name);
    if (name !== undefined && index === 0) return blocked(absenceOf(name));
    const bound = index === 0 ? undefined : this.#askInterface(index);
    const obstacle = obstacleOf(bound) ??
      (address && !this.#hasAddress(address) ? `no interface has ${address}` : undefined);
    if (obstacle !== undefined) return blocked(obstacle, bound);
    return remote && !remote.isLinkLocal ? this.#lookAtRoute(socket, remote, bound) : free(bound);
  }

  close(): void {
    this.#heard.close();
    this.#asking.close();
  }

  /** What a message is about; undefined when that does not concern any link. */
  #kindOf(message: NetlinkMessage): NetworkKind | undefined {
    if (message.kind === "error") return "lost";
    if (message.kind === "done") return undefined;
    if (message.kind !== "route") return message.kind;
    const concerns = this.#links.some(({ remote }) => remote && leadsTo(message, remote.bytes));
    return concerns ? "route" : undefined;
  }

  #lookAtRoute(
    { address, mark }: SocketOptions,
    remote: Address,
    bound: InterfaceMessage | undefined,
  ): LinkWay {
    const answer = this.#ask((sequence) =>
      writeRouteRequest(sequence, {
        to: remote.bytes,
        ...address && !address.isUnspecified && { from: address.bytes },
        ...mark !== undefined && { mark },
        ...bound && { index: bound.index },
      })
    );
    if (answer?.kind === "error" && NO_ROUTE.includes(answer.errno)) {
      // Whoever is bound to such an interface reaches its other end in any case.
      if (bound && (bound.flags & IFF_POINTOPOINT) !== 0) return free(bound);
      return blocked(`no route to ${remote}`, bound);
    }
    if (answer?.kind !== "route" || answer.index === 0) return free(bound);
    // Of a link that is bound to a VRF it is another interface.
    if (answer.index === bound?.index) return free(bound);
    const by = this.#askInterface(answer.index);
    const obstacle = obstacleOf(by);
    return obstacle === undefined ? free(by) : blocked(obstacle, by);
  }

  /** Whether a socket can be bound to `address`. */
  #hasAddress(address: Address): boolean {
    if (address.isUnspecified) return true;
    const { symbols } = this.#libc;
    const zone = address.zone === undefined ? 0 : interfaceIndex(this.#libc, address.zone);
    const family = address.family === 4 ? AF_INET : AF_INET6;
    const fd = symbols.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return true; // not known
    const sockaddr = writeSockaddr(remoteOf(address.bytes, 0, zone));
    const isMissing = symbols.bind(fd, sockaddr, sockaddr.length) < 0 &&
      this.#libc.errno() === ERRNO.EADDRNOTAVAIL;
    symbols.close(fd);
    return !isMissing;
  }

  #askInterface(index: number): InterfaceMessage | undefined {
    const answer = this.#ask((sequence) => writeInterfaceRequest(sequence, index));
    return answer?.kind === "interface" ? answer : undefined;
  }

  #ask(write: (sequence: number) => Uint8Array<ArrayBuffer>): NetlinkMessage | undefined {
    const sequence = this.#sequence = this.#sequence % 0xffff_ffff + 1;
    return this.#asking.ask(sequence, write(sequence));
  }
}

function absenceOf(name: string): string {
  return isPattern(name) ? `no interface is a ${name}` : `${name} does not exist`;
}

function obstacleOf(by: InterfaceMessage | undefined): string | undefined {
  if (!by) return undefined;
  if ((by.flags & IFF_UP) === 0) return `${by.name} is down`;
  return (by.flags & IFF_RUNNING) === 0 ? `${by.name} has no carrier` : undefined;
}

function free(by: InterfaceMessage | undefined): LinkWay {
  return { obstacle: undefined, interface: by?.index ?? 0, mtu: by?.mtu ?? 0 };
}

function blocked(obstacle: string, by?: InterfaceMessage): LinkWay {
  return { ...free(by), obstacle };
}
