/**
 * UDP sockets on Linux, a batch per system call: udp(7), ip(7), ipv6(7), socket(7).
 *
 * Datagrams leave with DF set (IPv4) or unfragmented (IPv6), and the path MTU the
 * kernel has learnt is ignored: the core probes each path itself (RFC 8899),
 * and a forged ICMP message must not be able to shrink it. EMSGSIZE therefore
 * speaks of the MTU of the interface only.
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../batch.ts";
import type { LinkSocket, SendFailure, SocketOptions } from "../platform.ts";
import { MSG_DONTWAIT } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { receiveMessages, transmitMessages } from "./messages.ts";
import { bindSocket, localRemote, openDescriptor } from "./socket_setup.ts";

/** Errors a receive skips before it lets the poller have another look. */
const MAX_SKIPPED_ERRORS = 4;

const FAILURES: Readonly<Record<number, SendFailure>> = {
  [ERRNO.EAGAIN]: "again",
  [ERRNO.EINTR]: "again",
  [ERRNO.ENOBUFS]: "nobufs",
  [ERRNO.ENOMEM]: "nobufs",
  [ERRNO.EMSGSIZE]: "message-size",
  [ERRNO.ECONNREFUSED]: "refused",
  [ERRNO.EPERM]: "denied",
  [ERRNO.EACCES]: "denied",
};

/** Errors of a program that uses a descriptor or an address it must not. */
const BUGS: readonly number[] = [ERRNO.EBADF, ERRNO.ENOTSOCK, ERRNO.EFAULT];

/**
 * Opens and binds a UDP socket. Throws AggvpnError when the address, the port, the
 * interface or the mark cannot be had.
 */
export function openSocket(libc: Libc, options: SocketOptions): LinuxSocket {
  const fd = openDescriptor(libc, options);
  try {
    bindSocket(libc, fd, options);
    return new LinuxSocket(libc, fd, localRemote(libc, fd).toString());
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/** An open UDP socket. */
export class LinuxSocket implements LinkSocket {
  failure: SendFailure | undefined;
  receiveDrops = 0;
  readonly #libc: Libc;
  #open = true;

  constructor(libc: Libc, readonly fd: number, readonly localAddress: string) {
    this.#libc = libc;
  }

  receive(batch: ReceiveBatch): number {
    const messages = receiveMessages(batch);
    const count = this.#receive(messages.addresses[0]!, messages.addresses.length);
    messages.finish(count);
    if (messages.drops >= 0) this.receiveDrops = messages.drops;
    return count;
  }

  send(batch: TransmitBatch, first: number): number {
    const messages = transmitMessages(batch);
    const { symbols } = this.#libc;
    messages.prepare(first);
    this.failure = undefined;
    let next = first;
    while (next < batch.count) {
      const sent = symbols.sendmmsg(this.fd, messages.addresses[next]!, batch.count - next, 0);
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

  /** An error is that of an earlier datagram (ECONNREFUSED, ...): the queue behind it is intact. */
  #receive(headers: bigint, limit: number): number {
    for (let skipped = 0; skipped < MAX_SKIPPED_ERRORS; skipped++) {
      const count = this.#libc.symbols.recvmmsg(this.fd, headers, limit, MSG_DONTWAIT, 0n);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === ERRNO.EAGAIN) return 0;
      this.#checkBug(errno);
    }
    return 0;
  }

  /** What is not in the table (ENETUNREACH, ENETDOWN, EINVAL, ...) means that this link has no way out. */
  #sendFailure(): SendFailure {
    const errno = this.#libc.errno();
    this.#checkBug(errno);
    return FAILURES[errno] ?? "unreachable";
  }

  #checkBug(errno: number): void {
    if (!BUGS.includes(errno)) return;
    throw new Error(systemError(this.#libc, `UDP socket ${this.localAddress}`, errno).message);
  }
}
