/**
 * UDP sockets on Linux, a batch per system call and trains of datagrams per message:
 * udp(7), ip(7), ipv6(7), socket(7).
 *
 * Datagrams leave with DF set (IPv4) or unfragmented (IPv6), and the path MTU the
 * kernel has learnt is ignored: the core probes each path itself (RFC 8899),
 * and a forged ICMP message must not be able to shrink it. EMSGSIZE therefore refers to the MTU of
 * the interface only.
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
import { receiveMessages } from "./receive_messages.ts";
import { bindSocket, localRemote, openDescriptor } from "./socket_setup.ts";
import { MAX_TRAIN, transmitMessages } from "./transmit_messages.ts";
import { canSendTrains, joinReceived } from "./udp_offload.ts";

const FAILURES = sendFailures(ERRNO);
const BUGS = socketBugs(ERRNO);

/**
 * Errors that may be due to the train, not to its datagrams: the interface cannot compute checksums
 * (EIO), the kernel does not know how (EINVAL), or one datagram is too long.
 */
const TRAIN_ERRORS: readonly number[] = [ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE];

/**
 * Opens and binds a UDP socket. Throws AggvpnError when the address, the port, the interface or the
 * mark is not available.
 *
 * @param release of the kernel, such as `6.1.0-13-amd64`
 */
export function openSocket(
  libc: Libc,
  options: SocketOptions,
  release: string = Deno.osRelease(),
): LinuxSocket {
  const fd = openDescriptor(libc, options);
  try {
    joinReceived(libc, fd, release);
    bindSocket(libc, fd, options);
    const trains = canSendTrains(libc, fd, release);
    return new LinuxSocket(libc, fd, localRemote(libc, fd).toString(), trains);
  } catch (error) {
    libc.symbols.close(fd);
    throw error;
  }
}

/** An open UDP socket. */
export class LinuxSocket implements LinkSocket {
  failure: SendFailure | undefined;
  receiveDrops = 0;
  backlog = false;
  readonly #libc: Libc;
  #longestTrain: number;
  #open = true;

  /** @param trains whether several datagrams may be sent as one message */
  constructor(libc: Libc, readonly fd: number, readonly localAddress: string, trains: boolean) {
    this.#libc = libc;
    this.#longestTrain = trains ? MAX_TRAIN : 1;
  }

  receive(batch: ReceiveBatch): number {
    const messages = receiveMessages(batch);
    if (!this.backlog) messages.accept(this.#receive(messages.address, batch.messages));
    const count = messages.split();
    if (messages.drops >= 0) this.receiveDrops = messages.drops;
    this.backlog = messages.backlog;
    return count;
  }

  send(batch: TransmitBatch, first: number): number {
    const messages = transmitMessages(batch);
    this.failure = undefined;
    let longest = this.#longestTrain;
    let refused = 0;
    let next = first;
    while (next < batch.count) {
      messages.prepare(next, longest);
      const sent = this.#libc.symbols.sendmmsg(this.fd, messages.address, messages.count, 0);
      if (sent > 0) {
        // Refused together but accepted alone: trains do not work here.
        if (longest === 1 && refused === ERRNO.EINVAL) this.#longestTrain = 1;
        for (let i = 0; i < sent; i++) next += messages.trains[i]!;
        // A short count hides an error: the next call starts with the message that met it.
        continue;
      }
      const errno = this.#libc.errno();
      if (messages.trains[0] === 1 || !TRAIN_ERRORS.includes(errno)) {
        this.failure = this.#sendFailure(errno);
        break;
      }
      if (errno === ERRNO.EIO) this.#longestTrain = 1;
      refused = errno;
      longest = 1;
    }
    return next - first;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }

  /** An error concerns an earlier datagram (ECONNREFUSED, ...): the queue behind it is intact. */
  #receive(headers: bigint, most: number): number {
    for (let skipped = 0; skipped < MAX_SKIPPED_ERRORS; skipped++) {
      const count = this.#libc.symbols.recvmmsg(this.fd, headers, most, MSG_DONTWAIT, 0n);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === ERRNO.EAGAIN) return 0;
      this.#checkBug(errno);
    }
    return 0;
  }

  /** Errors not in the table (ENETUNREACH, ENETDOWN, EINVAL, ...): this link has no way out. */
  #sendFailure(errno: number): SendFailure {
    this.#checkBug(errno);
    return FAILURES[errno] ?? "unreachable";
  }

  #checkBug(errno: number): void {
    if (!BUGS.includes(errno)) return;
    throw new Error(systemError(this.#libc, `UDP socket ${this.localAddress}`, errno).message);
  }
}
