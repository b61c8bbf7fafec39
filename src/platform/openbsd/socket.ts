/**
 * UDP sockets on OpenBSD, a batch per system call: udp(4), ip(4), ip6(4).
 *
 * OpenBSD has no option for the DF bit of IPv4: a datagram larger than the MTU of
 * its interface leaves in fragments, and EMSGSIZE comes only beyond 65507 bytes. Over IPv6
 * nothing is fragmented. The kernel does not tell how many datagrams a full receive buffer cost.
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../batch.ts";
import type { SendFailure } from "../../batch.ts";
import type { LinkSocket, SocketOptions } from "../platform.ts";
import { MAX_SKIPPED_ERRORS, sendFailures, socketBugs } from "../socket_errors.ts";
import { MSG_DONTWAIT } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { type ReceiveMessages, receiveMessages, transmitMessages } from "./messages.ts";
import { bindSocket, localRemote, openDescriptor } from "./socket_setup.ts";

const FAILURES = sendFailures(ERRNO);
const BUGS = socketBugs(ERRNO);

/**
 * Opens and binds a UDP socket. Throws AggvpnError when the routing table, the address or the port
 * is not available.
 */
export function openSocket(libc: Libc, options: SocketOptions): OpenbsdSocket {
  const fd = openDescriptor(libc, options);
  try {
    bindSocket(libc, fd, options);
    return new OpenbsdSocket(libc, fd, localRemote(libc, fd).toString());
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/** An open UDP socket. */
export class OpenbsdSocket implements LinkSocket {
  failure: SendFailure | undefined;
  readonly receiveDrops = 0;
  readonly backlog = false;
  readonly #libc: Libc;
  #open = true;

  constructor(libc: Libc, readonly fd: number, readonly localAddress: string) {
    this.#libc = libc;
  }

  receive(batch: ReceiveBatch): number {
    const messages = receiveMessages(batch);
    const count = this.#receive(messages);
    messages.finish(count);
    return count;
  }

  send(batch: TransmitBatch, first: number): number {
    const messages = transmitMessages(batch);
    messages.prepare(first);
    this.failure = undefined;
    let next = first;
    while (next < batch.count) {
      const sent = this.#sendMany(messages.addresses, next, batch.count);
      if (sent < 0) {
        this.failure = this.#sendFailure();
        break;
      }
      // A short count hides an error: the next call starts with the datagram that met it.
      next += sent;
    }
    return next - first;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }

  /**
   * An error is one that recvmmsg(2) met after earlier datagrams and kept (so_error): the queue is
   * intact. What ICMP says about a datagram reaches only connected sockets: in_pcbnotifyall() of
   * sys/netinet/in_pcb.c.
   */
  #receive(messages: ReceiveMessages): number {
    for (let skipped = 0; skipped < MAX_SKIPPED_ERRORS; skipped++) {
      const count = this.#receiveMany(messages);
      if (count >= 0) return count;
      const errno = this.#libc.errno("recvmmsg");
      if (errno === ERRNO.EAGAIN) return 0;
      this.#checkBug(errno);
    }
    return 0;
  }

  #receiveMany(messages: ReceiveMessages): number {
    const { symbols } = this.#libc;
    const { addresses } = messages;
    if (symbols.recvmmsg) {
      return symbols.recvmmsg(this.fd, addresses[0]!, addresses.length, MSG_DONTWAIT, 0n);
    }
    for (let i = 0; i < addresses.length; i++) {
      const length = symbols.recvmsg(this.fd, addresses[i]!, MSG_DONTWAIT);
      if (length < 0) return i === 0 ? -1 : i;
      messages.setLength(i, length);
    }
    return addresses.length;
  }

  /** Returns how many of the datagrams from `first` to `end` were sent, or -1 for none. */
  #sendMany(addresses: readonly bigint[], first: number, end: number): number {
    const { symbols } = this.#libc;
    if (symbols.sendmmsg) return symbols.sendmmsg(this.fd, addresses[first]!, end - first, 0);
    for (let i = first; i < end; i++) {
      if (symbols.sendmsg(this.fd, addresses[i]!, 0) < 0) return i === first ? -1 : i - first;
    }
    return end - first;
  }

  /** Errors not in the table (EHOSTUNREACH, ENETDOWN, ...) mean that this link has no way out. */
  #sendFailure(): SendFailure {
    const errno = this.#libc.errno("sendmmsg");
    this.#checkBug(errno);
    return FAILURES[errno] ?? "unreachable";
  }

  #checkBug(errno: number): void {
    if (!BUGS.includes(errno)) return;
    throw new Error(systemError(this.#libc, `UDP socket ${this.localAddress}`, errno).message);
  }
}
