/**
 * setsockopt(2) and bind(2) of the fake: routing tables, buffers, addresses and ports.
 *
 * @module
 */

import { NUMBERS } from "./abi.ts";
import type { SocketAddress } from "./decode.ts";
import type { FakeSocket } from "./fake_files.ts";
import type { FakeRouteSocket } from "./fake_routing.ts";
import { type FakeHost, same } from "./fake_world.ts";
import { SystemError } from "./system_error.ts";

/** Who sets up a socket. */
export interface Owner {
  /** Effective user. */
  readonly uid: number;
  /** Routing table of the process. */
  readonly rtable: number;
  /** Largest socket buffer. */
  readonly maxBuffer: number;
}

/** Sets up the sockets of one process. */
export class FakeSocketSetup {
  constructor(readonly host: FakeHost, readonly owner: Owner) {}

  setOption(socket: FakeSocket, level: number, name: string, value: number): number {
    if (level === NUMBERS.IPPROTO_IP && socket.ipv6) throw new SystemError("EINVAL");
    if (level === NUMBERS.IPPROTO_IPV6 && !socket.ipv6) throw new SystemError("EINVAL");
    if (name === "SO_RTABLE") this.#setTable(socket, value);
    if (name === "SO_SNDBUF") socket.sendBuffer = this.#reserve(value, socket.sendBuffer);
    if (name === "SO_RCVBUF") socket.receiveBuffer = this.#reserve(value, socket.receiveBuffer);
    if (/^IP(V6)?_RECV/.test(name)) socket.tellsDestination = value !== 0;
    if (name === "IPV6_DONTFRAG") socket.dontFragment = value !== 0;
    return 0;
  }

  /** route_ctloutput() of sys/net/rtsock.c. */
  setRouteOption(socket: FakeRouteSocket, name: string, value: number): number {
    if (name === "ROUTE_MSGFILTER") socket.filter = value;
    else if (name === "ROUTE_TABLEFILTER") socket.table = value;
    else if (name === "SO_RCVBUF") {
      socket.receiveBuffer = this.#reserve(value, socket.receiveBuffer);
    } else throw new Error(`${name} of a routing socket`);
    return 0;
  }

  bind(socket: FakeSocket, local: SocketAddress): number {
    if (socket.port !== 0) throw new SystemError("EINVAL");
    if (socket.ipv6 !== (local.address.length === 16)) throw new SystemError("EAFNOSUPPORT");
    const wildcard = local.address.every((byte) => byte === 0);
    if (!wildcard && !this.host.owns(socket.rdomain, local.address)) {
      throw new SystemError("EADDRNOTAVAIL");
    }
    if (local.port > 0 && local.port < 1024 && this.owner.uid !== 0) {
      throw new SystemError("EACCES");
    }
    const address = wildcard ? new Uint8Array(0) : local.address;
    const isTaken = this.host.receivers.some((other) =>
      other.ipv6 === socket.ipv6 && other.rdomain === socket.rdomain &&
      other.port === local.port && same(other.address, address)
    );
    if (isTaken) throw new SystemError("EADDRINUSE");
    socket.address = address;
    socket.port = local.port || this.host.world.freePort();
    this.host.receivers.push(socket);
    return 0;
  }

  /** sbcheckreserve() and sbreserve() of sys/kern/uipc_socket2.c: all of a buffer, or none. */
  #reserve(bytes: number, current: number): number {
    if (bytes > current && this.host.memoryIsLow) throw new SystemError("ENOBUFS");
    if (bytes === 0 || bytes > this.owner.maxBuffer) throw new SystemError("ENOBUFS");
    return bytes;
  }

  /**
   * In the kernel's order: ip_ctloutput() of sys/netinet/ip_output.c, then in_pcbset_rtableid() of
   * sys/netinet/in_pcb.c.
   */
  #setTable(socket: FakeSocket, table: number): void {
    const { rtable, uid } = this.owner;
    if (socket.rdomain === table) return;
    if (rtable !== table && rtable !== 0 && uid !== 0) throw new SystemError("EPERM");
    if (!this.host.tables.has(table)) throw new SystemError("EINVAL");
    if (socket.port !== 0) throw new SystemError("EBUSY");
    socket.rdomain = table;
  }
}
