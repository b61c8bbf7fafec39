/**
 * The descriptors of one process: tun devices, sockets and pipes.
 *
 * @module
 */

import { NUMBERS } from "./abi.ts";
import { LIMITS } from "./abi_limits.ts";
import { FakeRouteSocket } from "./fake_routing.ts";
import type { FakeTun } from "./fake_tun.ts";
import type { Datagram, FakeHost, Receiver } from "./fake_world.ts";
import { SystemError } from "./system_error.ts";

/** 0, 1 and 2 are taken. */
const FIRST_FD = 3;

/** A UDP socket. */
export class FakeSocket implements Receiver {
  address: Uint8Array = new Uint8Array(0);
  /** 0 until it is bound. */
  port = 0;
  isConnected = false;
  tellsDestination = false;
  dontFragment = false;
  /** so_error: returned by the next send, or by a receive that finds nothing; then cleared. */
  error: string | undefined;
  /** In bytes, until they are set. */
  sendBuffer = LIMITS.udp_sendspace;
  receiveBuffer = LIMITS.udp_recvspace;
  readonly queue: Datagram[] = [];

  constructor(readonly ipv6: boolean, public rdomain: number) {}

  /** Throws the stored error. */
  takeError(): void {
    const { error } = this;
    this.error = undefined;
    if (error !== undefined) throw new SystemError(error);
  }
}

/** A pipe; both ends are the same object. */
class Pipe {
  readonly bytes: number[] = [];
}

interface File {
  readonly kind: "tun" | "socket" | "pipe" | "route";
  readonly tun?: FakeTun;
  readonly name?: string;
  readonly socket?: FakeSocket;
  readonly pipe?: Pipe;
  readonly route?: FakeRouteSocket;
}

/** Open files by descriptor, the lowest free number first. */
export class FakeFiles {
  readonly #files: (File | undefined)[] = [];

  /** @param limit how many descriptors there may be: RLIMIT_NOFILE, getrlimit(2) */
  constructor(readonly host: FakeHost, readonly limit: number) {}

  /** Descriptors that are open. */
  get open(): number[] {
    return this.#files.flatMap((file, i) => file ? [i + FIRST_FD] : []);
  }

  openTun(path: string): number {
    this.#needRoom(1);
    const name = path.replace("/dev/", "");
    if (!this.host.devices.has(name)) throw new SystemError("ENOENT");
    const tun = this.host.openTun(name);
    tun.open();
    return this.#add({ kind: "tun", tun, name });
  }

  openSocket(ipv6: boolean, rdomain: number): number {
    this.#needRoom(1);
    return this.#add({ kind: "socket", socket: new FakeSocket(ipv6, rdomain) });
  }

  openRouteSocket(table: number): number {
    this.#needRoom(1);
    const route = new FakeRouteSocket(table);
    this.host.routeSockets.push(route);
    return this.#add({ kind: "route", route });
  }

  openPipe(): [number, number] {
    this.#needRoom(2);
    const pipe = new Pipe();
    return [this.#add({ kind: "pipe", pipe }), this.#add({ kind: "pipe", pipe })];
  }

  close(fd: number): number {
    const { tun, name, socket, route } = this.#file(fd);
    if (route) this.host.routeSockets.splice(this.host.routeSockets.indexOf(route), 1);
    if (tun) {
      tun.close();
      if (tun.goesOnClose) this.host.tuns.delete(name!);
    }
    if (socket?.port) this.host.receivers.splice(this.host.receivers.indexOf(socket), 1);
    this.#files[fd - FIRST_FD] = undefined;
    return 0;
  }

  tun(fd: number): FakeTun {
    const { tun } = this.#file(fd);
    if (!tun) throw new SystemError("ENOTTY");
    return tun;
  }

  socket(fd: number): FakeSocket {
    const { socket } = this.#file(fd);
    if (!socket) throw new SystemError("ENOTSOCK");
    return socket;
  }

  /** The routing socket behind a descriptor; undefined when it is something else. */
  route(fd: number): FakeRouteSocket | undefined {
    return this.#file(fd).route;
  }

  read(fd: number, into: Uint8Array): number {
    const { tun, pipe, route, socket } = this.#file(fd);
    if (route) return route.read(into);
    if (tun) return tun.read(into);
    if (socket) return this.#readSocket(socket, into);
    const byte = pipe!.bytes.shift();
    if (byte === undefined) throw new SystemError("EAGAIN");
    into[0] = byte;
    return 1;
  }

  write(fd: number, from: Uint8Array): number {
    const { tun, pipe, socket } = this.#file(fd);
    if (tun) return tun.write(from);
    if (socket) {
      if (!socket.isConnected) throw new Error("write(2) to a socket that is not connected");
      socket.takeError();
      return from.length;
    }
    pipe!.bytes.push(...from);
    return from.length;
  }

  /** What ppoll(2) says about a descriptor. */
  ready(fd: number): number {
    const file = this.#files[fd - FIRST_FD];
    if (!file) return NUMBERS.POLLNVAL;
    const { tun, socket, pipe, route } = file;
    if (socket?.error !== undefined) return NUMBERS.POLLIN | NUMBERS.POLLOUT;
    if (tun?.isDestroyed) return NUMBERS.POLLHUP;
    const waiting = tun?.outgoing.length ?? socket?.queue.length ?? route?.queue.length ??
      pipe!.bytes.length;
    return (waiting > 0 ? NUMBERS.POLLIN : 0) | NUMBERS.POLLOUT;
  }

  #readSocket(socket: FakeSocket, into: Uint8Array): number {
    const datagram = socket.queue.shift();
    if (!datagram) {
      socket.takeError();
      throw new SystemError("EAGAIN");
    }
    into.set(datagram.payload);
    return datagram.payload.length;
  }

  #file(fd: number): File {
    const file = this.#files[fd - FIRST_FD];
    if (!file) throw new SystemError("EBADF");
    return file;
  }

  #needRoom(count: number): void {
    if (FIRST_FD + this.open.length + count > this.limit) throw new SystemError("EMFILE");
  }

  #add(file: File): number {
    const free = this.#files.findIndex((other) => other === undefined);
    const at = free < 0 ? this.#files.length : free;
    if (at + FIRST_FD >= this.limit) throw new SystemError("EMFILE");
    this.#files[at] = file;
    return at + FIRST_FD;
  }
}
