/**
 * A socket to the kernel's routing: netlink(7), rtnetlink(7).
 *
 * Non-blocking. The kernel answers a request before the call that makes it returns, so its answer can
 * be read at once.
 *
 * @module
 */

import { addressOf } from "../ffi.ts";
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import {
  DATAGRAM_LENGTH,
  FLAGS,
  HEADER_WORDS,
  IOV,
  IOV_COUNT,
  IOVEC_LENGTH,
  IOVEC_WORDS,
  NAME,
  NAME_LENGTH,
  setAddress,
} from "./message_layout.ts";
import { type NetlinkMessage, parseMessages } from "./route_messages.ts";

/** sockaddr_nl of <linux/netlink.h>: family u16 0, port id u32 4, groups u32 8. */
const SOCKADDR_BYTES = 12;
const NAME_WORDS = SOCKADDR_BYTES / 4;
const PORT_ID = 1;
/** Datagrams that are received at once. */
const DATAGRAMS = 16;
/** Room for one: an interface takes one or two KiB, everything else less. */
const ROOM_BYTES = 8192;
/** Asked for: the kernel charges a route with about 800 bytes. */
const RECEIVE_BUFFER_BYTES = 2 << 20;

const REFUSED = "Cannot list interfaces and routes";

/** What {@linkcode NetlinkSocket.receive} has read. */
export interface Received {
  readonly messages: readonly NetlinkMessage[];
  /** Something was told that could not be read: it did not fit, or made no sense. */
  readonly isIncomplete: boolean;
  /** Whether nothing waits any more. */
  readonly isAll: boolean;
}

/** Opens a socket that hears what `groups` (RTNLGRP_...) are told. Throws AggvpnError. */
export function openNetlink(libc: Libc, groups: readonly number[]): NetlinkSocket {
  const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = libc.symbols.socket(AF_NETLINK, type, NETLINK_ROUTE);
  if (fd < 0) throw systemError(libc, "Cannot open a netlink socket", libc.errno());
  const address = new Uint32Array(NAME_WORDS);
  address[0] = AF_NETLINK;
  address[2] = groups.reduce((mask, group) => mask | 1 << group - 1, 0);
  const bytes = new Uint8Array(address.buffer);
  if (libc.symbols.bind(fd, bytes, bytes.length) < 0) {
    const errno = libc.errno();
    libc.symbols.close(fd);
    throw systemError(libc, "Cannot bind a netlink socket", errno);
  }
  if (groups.length > 0) {
    const size = Uint32Array.of(RECEIVE_BUFFER_BYTES);
    const isForced = libc.symbols.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) === 0;
    if (!isForced) libc.symbols.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4);
  }
  return new NetlinkSocket(libc, fd);
}

/** An open socket. */
export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #headers: Uint32Array<ArrayBuffer> = new Uint32Array(DATAGRAMS * HEADER_WORDS);
  readonly #names: Uint32Array<ArrayBuffer> = new Uint32Array(DATAGRAMS * NAME_WORDS);
  readonly #buffers: Uint32Array<ArrayBuffer> = new Uint32Array(DATAGRAMS * IOVEC_WORDS);
  readonly #room: Uint8Array<ArrayBuffer> = new Uint8Array(DATAGRAMS * ROOM_BYTES);
  readonly #address: bigint;
  #open = true;

  constructor(libc: Libc, readonly fd: number) {
    this.#libc = libc;
    this.#address = addressOf(this.#headers);
    const [names, buffers, room] = [this.#names, this.#buffers, this.#room].map(addressOf) as [
      bigint,
      bigint,
      bigint,
    ];
    for (let i = 0; i < DATAGRAMS; i++) {
      const at = i * HEADER_WORDS;
      setAddress(this.#headers, at + NAME, names + BigInt(i * SOCKADDR_BYTES));
      setAddress(this.#headers, at + IOV, buffers + BigInt(i * IOVEC_WORDS * 4));
      setAddress(this.#buffers, i * IOVEC_WORDS, room + BigInt(i * ROOM_BYTES));
      this.#headers[at + IOV_COUNT] = 1;
      this.#buffers[i * IOVEC_WORDS + IOVEC_LENGTH] = ROOM_BYTES;
    }
  }

  /** Reads what waits, at most a few datagrams. */
  receive(): Received {
    for (let i = 0; i < DATAGRAMS; i++) {
      this.#headers[i * HEADER_WORDS + NAME_LENGTH] = SOCKADDR_BYTES;
      this.#headers[i * HEADER_WORDS + FLAGS] = 0;
    }
    const { recvmmsg } = this.#libc.symbols;
    const count = recvmmsg(this.fd, this.#address, DATAGRAMS, MSG_DONTWAIT, 0n);
    if (count < 0) {
      const errno = this.#libc.errno();
      const isNothing = errno === ERRNO.EAGAIN || errno === ERRNO.EINTR;
      // ENOBUFS: more was told than there was room for. What follows can be read again.
      return { messages: [], isIncomplete: !isNothing, isAll: errno !== ERRNO.ENOBUFS };
    }
    const messages: NetlinkMessage[] = [];
    let isIncomplete = false;
    for (let i = 0; i < count; i++) {
      const told = this.#read(i);
      if (told) messages.push(...told);
      else isIncomplete = true;
    }
    return { messages, isIncomplete, isAll: count < DATAGRAMS };
  }

  /** Sends a request and returns the answer to it; undefined for none. */
  ask(sequence: number, request: Uint8Array<ArrayBuffer>): NetlinkMessage | undefined {
    const { write } = this.#libc.symbols;
    if (write(this.fd, addressOf(request), BigInt(request.length)) < 0) return undefined;
    for (;;) {
      const { messages, isAll } = this.receive();
      const answer = messages.find((message) => message.sequence === sequence);
      if (answer || isAll) return answer;
    }
  }

  /**
   * Sends a request for a list and returns it. Throws AggvpnError when the kernel does not answer, or
   * not with all of it.
   */
  list(sequence: number, request: Uint8Array<ArrayBuffer>): NetlinkMessage[] {
    const { write } = this.#libc.symbols;
    const failed = write(this.fd, addressOf(request), BigInt(request.length)) < 0;
    const list: NetlinkMessage[] = [];
    while (!failed) {
      const { messages, isIncomplete, isAll } = this.receive();
      for (const message of messages) {
        if (message.sequence !== sequence) continue;
        if (message.kind === "done") return list;
        if (message.kind === "error") throw systemError(this.#libc, REFUSED, message.errno);
        list.push(message);
      }
      if (isIncomplete || isAll && messages.length === 0) break;
    }
    throw systemError(this.#libc, REFUSED, this.#libc.errno());
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }

  /** The messages of datagram `i`; undefined when they cannot be read. */
  #read(i: number): readonly NetlinkMessage[] | undefined {
    // Any process with the right to may send to this socket; the kernel is 0.
    if (this.#names[i * NAME_WORDS + PORT_ID] !== 0) return [];
    if ((this.#headers[i * HEADER_WORDS + FLAGS]! & MSG_TRUNC) !== 0) return undefined;
    const length = this.#headers[i * HEADER_WORDS + DATAGRAM_LENGTH]!;
    return parseMessages(this.#room.slice(i * ROOM_BYTES, i * ROOM_BYTES + length));
  }
}
