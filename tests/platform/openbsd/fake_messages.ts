/**
 * sendmsg(2) and recvmsg(2) of the fake: struct msghdr and what it points to, read and written as
 * udp_output() and soreceive() of sys/netinet/udp_usrreq.c and sys/kern/uipc_socket.c do.
 *
 * @module
 */

import { type Layouts, NUMBERS } from "./abi.ts";
import * as decode from "./decode.ts";
import { describeControl, readSource, writeDestination } from "./fake_control.ts";
import type { FakeSocket } from "./fake_files.ts";
import type { FakeHost } from "./fake_world.ts";
import { bytesAt, hex, Struct } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Largest UDP payload over IPv4: RFC 768, RFC 791. */
const MAX_PAYLOAD_BYTES = 65507;
/** What fits an Ethernet frame after IPv6 and UDP headers. */
const UNFRAGMENTED_BYTES = 1500 - 48;

/** What a msghdr points to. */
interface Message {
  readonly name: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly control: Uint8Array<ArrayBuffer>;
}

/** Datagrams between msghdr structures and the sockets of a host. */
export class FakeMessages {
  constructor(readonly host: FakeHost, readonly layouts: Layouts) {}

  /** Describes what a header asks to send; throws unless all of it is correct. */
  describe(header: Struct): string {
    const { name, data, control } = this.#read(header);
    const to = decode.addressText(name, decode.readAddress(this.layouts, name));
    const from = control.length === 0 ? "" : `, ${describeControl(this.layouts, control)}`;
    return `{to ${to}${from}, ${data.length} bytes {${hex(data)}}}`;
  }

  /** Sends; returns how many bytes. */
  send(socket: FakeSocket, header: Struct): number {
    const { name, data, control } = this.#read(header);
    const to = decode.readAddress(this.layouts, name);
    this.#checkBuffer(socket, data.length, control.length);
    if (!socket.ipv6 && data.length > MAX_PAYLOAD_BYTES) throw new SystemError("EMSGSIZE");
    const from = this.#sourceOf(socket, control);
    if (socket.port === 0) throw new Error("A datagram from a socket that is not bound");
    this.#checkWay(socket, to);
    if (socket.dontFragment && data.length > UNFRAGMENTED_BYTES) throw new SystemError("EMSGSIZE");
    const payload = data.slice();
    this.host.world.send({ from, fromPort: socket.port, to: to.address, toPort: to.port, payload });
    return data.length;
  }

  /**
   * sosend(): a stored error; nothing waits in the buffer, so it is never full (EAGAIN), but it
   * bounds a datagram.
   */
  #checkBuffer(socket: FakeSocket, data: number, control: number): void {
    socket.takeError();
    if (control + data > socket.sendBuffer) throw new SystemError("EMSGSIZE");
  }

  /** ip_output(), ip6_output(): a route, pf(4), an interface. */
  #checkWay(socket: FakeSocket, to: decode.SocketAddress): void {
    const table = this.host.tables.get(socket.rdomain)!;
    if (!table.hasRoute) throw new SystemError("EHOSTUNREACH");
    if (this.host.blocks(to)) throw new SystemError("EACCES");
    if (table.failure !== undefined) throw new SystemError(table.failure);
  }

  /** Receives into what a header points to; returns the length and what to record. */
  receive(socket: FakeSocket, header: Struct): readonly [number, string] {
    const { name, data, control } = this.#read(header);
    if (socket.queue.length === 0) {
      socket.takeError();
      throw new SystemError("EAGAIN");
    }
    const { from, fromPort, to, payload } = socket.queue.shift()!;
    const { msg_namelen = 0, msg_controllen = 0, msg_flags = 0 } = this.layouts.msghdr.offsets;
    const address = { address: from, port: fromPort, scope: 0 };
    const bytes = decode.writeAddress(this.layouts, address);
    name.set(bytes.subarray(0, name.length));
    header.setU32(msg_namelen, bytes.length);
    const length = Math.min(payload.length, data.length);
    data.set(payload.subarray(0, length));
    const destination = socket.tellsDestination
      ? writeDestination(this.layouts, to)
      : new Uint8Array(0);
    const fits = destination.length <= control.length;
    control.set(fits ? destination : new Uint8Array(0));
    header.setU32(msg_controllen, fits ? destination.length : 0);
    const truncated = payload.length > length ? NUMBERS.MSG_TRUNC : 0;
    header.setU32(msg_flags, truncated | (fits ? 0 : NUMBERS.MSG_CTRUNC));
    const at = destination.length === 0 ? "" : `, at ${decode.ip(to)} {${hex(destination)}}`;
    const cut = truncated ? " MSG_TRUNC" : "";
    const text = `${length} bytes {${hex(payload.subarray(0, length))}}${cut}`;
    return [length, `{from ${decode.addressText(bytes, address)}${at}, ${text}}`];
  }

  #read(header: Struct): Message {
    const { msghdr, iovec } = this.layouts;
    const at = msghdr.offsets;
    header.expectZero(at.msg_namelen! + 4, at.msg_iov!, "msghdr");
    header.expectZero(at.msg_iovlen! + 4, at.msg_control!, "msghdr");
    if (header.u32(at.msg_iovlen!) !== 1) throw new Error("msg_iovlen is not 1");
    const iov = new Struct(bytesAt(header.u64(at.msg_iov!), iovec.size));
    const base = iov.u64(iovec.offsets.iov_base!);
    return {
      name: bytesAt(header.u64(at.msg_name!), header.u32(at.msg_namelen!)),
      data: bytesAt(base, Number(iov.u64(iovec.offsets.iov_len!))),
      control: bytesAt(header.u64(at.msg_control!), header.u32(at.msg_controllen!)),
    };
  }

  /**
   * The address that the sender chose, that of the socket, or that of the route: in_pcbselsrc() of
   * sys/netinet/in_pcb.c, in6_pcbselsrc() of sys/netinet6/in6_src.c. Their error when there is none
   * differs by family.
   */
  #sourceOf(socket: FakeSocket, control: Uint8Array<ArrayBuffer>): Uint8Array {
    if (control.length > 0) {
      const [, address] = readSource(this.layouts, control);
      if (!this.host.owns(socket.rdomain, address)) throw new SystemError("EADDRNOTAVAIL");
      return address;
    }
    if (socket.address.length > 0) return socket.address;
    const size = socket.ipv6 ? 16 : 4;
    const { hasRoute, addresses } = this.host.tables.get(socket.rdomain)!;
    const first = addresses.find((own) => own.length === size);
    if (!hasRoute || !first) throw new SystemError(socket.ipv6 ? "EHOSTUNREACH" : "EADDRNOTAVAIL");
    return first;
  }
}
