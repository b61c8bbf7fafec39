/**
 * Non-blocking sockets of the network namespace in which they were made: a test holds the ends of a
 * connection in one thread and carries its packets in between.
 *
 * @module
 */

import { openLibc } from "../../../src/platform/linux/libc.ts";
import { NOT_LINUX } from "./requirements.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IPPROTO_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
/** IP_PMTUDISC_DO, IPV6_PMTUDISC_DO */
const PMTUDISC_DO = 2;
const EAGAIN = 11;
const EINPROGRESS = 115;
const MSG_NOSIGNAL = 0x4000;

const FUNCTIONS = {
  listen: { parameters: ["i32", "i32"], result: "i32" }, // listen(2)
  accept4: { parameters: ["i32", "usize", "usize", "i32"], result: "i32" }, // accept(2)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" }, // connect(2)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" }, // send(2)
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" }, // recv(2)
} as const;

// Opened outside a test, which would otherwise seem to leak it.
const library = NOT_LINUX ? undefined : Deno.dlopen("libc.so.6", FUNCTIONS);

/** An address: 4 or 16 bytes. */
export type Address = readonly number[];

function sockaddr(address: Address, port: number): Uint8Array<ArrayBuffer> {
  const isIpv4 = address.length === 4;
  const bytes = new Uint8Array(isIpv4 ? 16 : 28);
  bytes.set([isIpv4 ? AF_INET : AF_INET6, 0, port >> 8, port & 0xff]);
  bytes.set(address, isIpv4 ? 4 : 8);
  return bytes;
}

/** A TCP or UDP socket. */
export class InnerSocket {
  readonly #buffer = new Uint8Array(0x1_0000);

  private constructor(readonly fd: number, readonly family: 4 | 6) {}

  /** A socket of this thread's network, not bound. */
  static open(kind: "tcp" | "udp", family: 4 | 6): InnerSocket {
    const { symbols } = openLibc();
    const type = (kind === "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK;
    const domain = family === 4 ? AF_INET : AF_INET6;
    return new InnerSocket(check(symbols.socket(domain, type, 0)), family);
  }

  bind(address: Address, port: number): this {
    const name = sockaddr(address, port);
    check(openLibc().symbols.bind(this.fd, name, name.length));
    return this;
  }

  listen(): this {
    check(library!.symbols.listen(this.fd, 1));
    return this;
  }

  /** Returns an incoming connection. */
  accept(): InnerSocket | undefined {
    const fd = library!.symbols.accept4(this.fd, 0n, 0n, SOCK_NONBLOCK);
    return fd < 0 ? orNothing(EAGAIN) : new InnerSocket(fd, this.family);
  }

  /** Begins to connect. */
  connect(address: Address, port: number): void {
    const name = sockaddr(address, port);
    if (library!.symbols.connect(this.fd, name, name.length) < 0) orNothing(EINPROGRESS);
  }

  /** Makes the kernel cut what one call of {@linkcode send} gives it: udp(7). */
  setSegmentBytes(bytes: number): void {
    const value = Int32Array.of(bytes);
    check(openLibc().symbols.setsockopt(this.fd, SOL_UDP, UDP_SEGMENT, value, 4));
  }

  /** Refuses what is longer than the path's MTU: ip(7), ipv6(7). */
  forbidFragments(): void {
    const [level, option] = this.family === 4
      ? [IPPROTO_IP, IP_MTU_DISCOVER]
      : [IPPROTO_IPV6, IPV6_MTU_DISCOVER];
    check(openLibc().symbols.setsockopt(this.fd, level, option, Int32Array.of(PMTUDISC_DO), 4));
  }

  /** Returns how many bytes were taken. */
  send(bytes: Uint8Array): number {
    const copy = bytes.slice();
    const sent = library!.symbols.send(this.fd, copy, BigInt(copy.length), MSG_NOSIGNAL);
    if (sent < 0) orNothing(EAGAIN);
    return Math.max(0, sent);
  }

  /** Returns what has come: part of a stream, or one datagram. */
  receive(): Uint8Array | undefined {
    const length = library!.symbols.recv(this.fd, this.#buffer, BigInt(this.#buffer.length), 0);
    return length < 0 ? orNothing(EAGAIN) : this.#buffer.slice(0, length);
  }

  close(): void {
    openLibc().symbols.close(this.fd);
  }
}

function check(result: number): number {
  if (result < 0) throw new Error(openLibc().describe(openLibc().errno()));
  return result;
}

/** Throws unless the last call failed for a temporary reason. */
function orNothing(errno: number): undefined {
  const found = openLibc().errno();
  if (found !== errno && found !== EAGAIN) throw new Error(openLibc().describe(found));
  return undefined;
}
