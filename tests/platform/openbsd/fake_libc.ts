/**
 * A libc in the shape of Deno's FFI: the functions of src/platform/openbsd/symbols.ts over a
 * {@linkcode FakeHost}, which read the memory behind the pointers they are given, by OpenBSD's
 * layouts, and write down every call.
 *
 * It refuses what OpenBSD would refuse, and throws at what is a mistake whatever the kernel says of
 * it: padding that is not zero, lengths that do not fit, options that do not exist.
 *
 * @module
 */

import type { Libc } from "../../../src/platform/openbsd/libc.ts";
import { ERRORS, type Layouts, layoutsOf, NUMBERS } from "./abi.ts";
import type { Machine } from "./c_layout.ts";
import * as decode from "./decode.ts";
import { FakeFiles, type FakeSocket } from "./fake_files.ts";
import { TunRequest } from "./fake_ioctl.ts";
import { FakeMessages } from "./fake_messages.ts";
import { FakePolls } from "./fake_polls.ts";
import { FakeSandbox } from "./fake_sandbox.ts";
import { type FakeHost, same } from "./fake_world.ts";
import { type Buffer, bytesAt, bytesOf, hex, Struct, textOf } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** What a fake libc is like. */
export interface FakeOptions {
  readonly machine?: Machine;
  /** Effective user; 0 unless said otherwise. */
  readonly uid?: number;
  /** Routing table of the process: `route -T N exec`. */
  readonly rtable?: number;
  /** Whether recvmmsg(2) and sendmmsg(2) are there, as since 7.2. */
  readonly batches?: boolean;
  /** Largest socket buffer: SB_MAX. */
  readonly maxBuffer?: number;
}

/** Numbers of interfaces, for if_nametoindex(3). */
const INTERFACES: Readonly<Record<string, number>> = { lo0: 3, em0: 1, em1: 2 };
const MAX_BATCH = 1024;

/** The C library of one process. */
export class FakeLibc implements Libc {
  /** One line for each call. */
  readonly calls: string[] = [];
  readonly symbols: Libc["symbols"];
  readonly layouts: Layouts;
  readonly files: FakeFiles;
  readonly sandbox: FakeSandbox = new FakeSandbox();
  readonly #messages: FakeMessages;
  readonly #polls: FakePolls;
  readonly #uid: number;
  readonly #rtable: number;
  readonly #maxBuffer: number;
  #errno = 0;

  constructor(readonly host: FakeHost, options: FakeOptions = {}) {
    this.layouts = layoutsOf(options.machine ?? "amd64");
    this.#uid = options.uid ?? 0;
    this.#rtable = options.rtable ?? 0;
    this.#maxBuffer = options.maxBuffer ?? 2 << 20;
    this.files = new FakeFiles(host);
    this.#messages = new FakeMessages(host, this.layouts);
    this.#polls = new FakePolls(this.files, this.layouts);
    this.symbols = this.#bind(options.batches ?? true);
  }

  errno(): number {
    return this.#errno;
  }

  describe(errno: number): string {
    return Object.values(ERRORS).find(([number]) => number === errno)?.[2] ?? `Unknown ${errno}`;
  }

  /** Takes the lines so far. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  /** Runs a call, writes it down and translates its error. */
  #call(what: string, run: () => number | readonly [number, string]): number {
    try {
      const outcome = run();
      const [result, detail] = typeof outcome === "number" ? [outcome, ""] : outcome;
      this.calls.push(`${what} = ${result}${detail === "" ? "" : ` ${detail}`}`);
      return result;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#errno = ERRORS[error.code]![0];
      this.calls.push(`${what} = -1 ${error.code}`);
      return -1;
    }
  }

  #bind(batches: boolean): Libc["symbols"] {
    return {
      open: (path, mode) => this.#open(textOf(path as Buffer), mode),
      close: (fd) => this.#call(`close(${fd})`, () => this.files.close(fd)),
      ioctl: (fd, request, info) => this.#ioctl(fd, BigInt(request), bytesOf(info as Buffer)),
      read: (fd, at, count) => this.#read(fd, bytesAt(BigInt(at), Number(count))),
      write: (fd, at, count) => this.#write(fd, bytesAt(BigInt(at), Number(count))),
      writev: (fd, at, count) => this.#writev(fd, BigInt(at), count),
      pipe2: (pair, mode) => this.#pipe(pair as Int32Array, mode),
      socket: (domain, type, protocol) => this.#socket(domain, type, protocol),
      setsockopt: (fd, level, name, value, length) =>
        this.#setsockopt(fd, level, name, bytesOf(value as Buffer), length),
      bind: (fd, name, length) => this.#bindSocket(fd, bytesOf(name as Buffer), length),
      getsockname: (fd, name, length) =>
        this.#getsockname(fd, bytesOf(name as Buffer), bytesOf(length as Buffer)),
      recvmmsg: batches
        ? (fd, at, count, mode, timeout) =>
          this.#recvmmsg(fd, BigInt(at), count, mode, BigInt(timeout))
        : null,
      sendmmsg: batches
        ? (fd, at, count, mode) => this.#sendmmsg(fd, BigInt(at), count, mode)
        : null,
      recvmsg: (fd, at, mode) => this.#recvmsg(fd, BigInt(at), mode),
      sendmsg: (fd, at, mode) => this.#sendmsg(fd, BigInt(at), mode),
      if_nametoindex: (name) => this.#nameToIndex(textOf(name as Buffer)),
      getrtable: () => this.#call("getrtable()", () => this.#rtable),
      getpid: () => {
        this.calls.push("getpid() = its own");
        return Deno.pid;
      },
      geteuid: () => this.#call("geteuid()", () => this.#uid),
      ppoll: (list, count, timeout, mask) =>
        this.#ppoll(bytesOf(list as Buffer), count, timeout as Buffer, mask as Buffer),
      ppollAsync: (list, count, timeout, mask) =>
        this.#ppollAsync(bytesOf(list as Buffer), count, timeout as Buffer, mask as Buffer),
      signal: (number, handler) => {
        const name = number === NUMBERS.SIGUSR1 ? "SIGUSR1" : `${number}`;
        this.#call(`signal(${name}, ${handler === 1n ? "SIG_IGN" : handler})`, () => 0);
        return 0n;
      },
      unveil: (path, permissions) => {
        const [at, what] = [path, permissions].map((text) => text && textOf(text as Buffer));
        const quoted = [at, what].map((text) => text === null ? "NULL" : JSON.stringify(text));
        return this.#call(`unveil(${quoted.join(", ")})`, () => this.sandbox.unveil(at!, what!));
      },
      pledge: (promises, execPromises) => {
        const text = textOf(promises as Buffer);
        const exec = execPromises === null
          ? "NULL"
          : JSON.stringify(textOf(execPromises as Buffer));
        const line = `pledge(${JSON.stringify(text)}, ${exec})`;
        return this.#call(line, () => this.sandbox.pledge(text));
      },
      strerror: () => null,
      __errno: () => null,
    } as Libc["symbols"];
  }

  #open(path: string, mode: number): number {
    const text = decode.flags(mode, "O_RDWR", "O_NONBLOCK", "O_CLOEXEC");
    return this.#call(`open(${JSON.stringify(path)}, ${text})`, () => {
      this.sandbox.require("open(2) of a tun", []);
      if (this.#uid !== 0) throw new SystemError("EACCES");
      return this.files.openTun(path);
    });
  }

  #ioctl(fd: number, request: bigint, info: Uint8Array<ArrayBuffer>): number {
    const tunRequest = new TunRequest(decode.request(request), info, this.layouts);
    const { name } = tunRequest;
    return this.#call(`ioctl(${fd}, ${name}, ${tunRequest.describe()})`, () => {
      this.sandbox.require(name, []);
      return tunRequest.run(this.files.tun(fd));
    });
  }

  #read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    return this.#call(`read(${fd}, *, ${into.length})`, () => {
      const length = this.files.read(fd, into);
      return [length, `{${hex(into.subarray(0, length))}}`];
    });
  }

  #write(fd: number, from: Uint8Array<ArrayBuffer>): number {
    const text = `write(${fd}, {${hex(from)}}, ${from.length})`;
    return this.#call(text, () => this.#writeFile(fd, from));
  }

  #writev(fd: number, at: bigint, count: number): number {
    const { size, offsets } = this.layouts.iovec;
    const pieces = Array.from({ length: count }, (_, i) => {
      const iovec = new Struct(bytesAt(at + BigInt(i * size), size));
      return bytesAt(iovec.u64(offsets.iov_base!), Number(iovec.u64(offsets.iov_len!)));
    });
    const text = pieces.map((piece) => `{${hex(piece)}}`).join(", ");
    return this.#call(
      `writev(${fd}, [${text}], ${count})`,
      () => this.#writeFile(fd, Uint8Array.from(pieces.flatMap((piece) => [...piece]))),
    );
  }

  #writeFile(fd: number, from: Uint8Array<ArrayBuffer>): number {
    const length = this.files.write(fd, from);
    this.host.world.changed();
    return length;
  }

  #pipe(pair: Int32Array, mode: number): number {
    if (pair.length !== 2) throw new Error("pipe2(2) writes two descriptors");
    return this.#call(`pipe2(*, ${decode.flags(mode, "O_NONBLOCK", "O_CLOEXEC")})`, () => {
      pair.set(this.files.openPipe());
      return [0, `[${pair.join(", ")}]`];
    });
  }

  #socket(domain: number, type: number, protocol: number): number {
    const kind = decode.flags(type, "SOCK_DGRAM", "SOCK_NONBLOCK", "SOCK_CLOEXEC");
    return this.#call(`socket(${decode.family(domain)}, ${kind}, ${protocol})`, () => {
      this.sandbox.require("socket(2)", ["inet"]);
      return this.files.openSocket(domain === NUMBERS.AF_INET6, this.#rtable);
    });
  }

  #setsockopt(
    fd: number,
    level: number,
    number: number,
    value: Uint8Array<ArrayBuffer>,
    length: number,
  ): number {
    const [levelName, name] = decode.option(level, number);
    if (length !== 4 || value.length !== 4) throw new Error(`${name} is an int`);
    const set = new Struct(value).u32(0);
    const what = `setsockopt(${fd}, ${levelName}, ${name}, ${set} {${hex(value)}}, ${length})`;
    return this.#call(what, () => {
      this.sandbox.requireOption(name);
      const socket = this.files.socket(fd);
      if (level === NUMBERS.IPPROTO_IP && socket.ipv6) throw new SystemError("EINVAL");
      if (level === NUMBERS.IPPROTO_IPV6 && !socket.ipv6) throw new SystemError("EINVAL");
      if (name === "SO_RTABLE") this.#setTable(socket, set);
      if (/BUF$/.test(name) && set > this.#maxBuffer) throw new SystemError("ENOBUFS");
      if (/^IP(V6)?_RECV/.test(name)) socket.tellsDestination = set !== 0;
      if (name === "IPV6_DONTFRAG") socket.dontFragment = set !== 0;
      return 0;
    });
  }

  /** In the order of the kernel: sys/netinet/in_pcb.c, in_pcbset_rtableid(). */
  #setTable(socket: FakeSocket, table: number): void {
    if (!this.host.tables.has(table)) throw new SystemError("EINVAL");
    if (this.#rtable !== table && this.#rtable !== 0 && this.#uid !== 0) {
      throw new SystemError("EPERM");
    }
    if (socket.port !== 0) throw new SystemError("EBUSY");
    socket.rdomain = table;
  }

  #bindSocket(fd: number, name: Uint8Array<ArrayBuffer>, length: number): number {
    const bytes = name.slice(0, length);
    const local = decode.readAddress(this.layouts, bytes);
    return this.#call(`bind(${fd}, ${decode.addressText(bytes, local)}, ${length})`, () => {
      this.sandbox.require("bind(2)", ["inet"]);
      const socket = this.files.socket(fd);
      if (socket.port !== 0) throw new SystemError("EINVAL");
      if (socket.ipv6 !== (local.address.length === 16)) throw new SystemError("EAFNOSUPPORT");
      const wildcard = local.address.every((byte) => byte === 0);
      if (!wildcard && !this.host.owns(socket.rdomain, local.address)) {
        throw new SystemError("EADDRNOTAVAIL");
      }
      if (local.port > 0 && local.port < 1024 && this.#uid !== 0) throw new SystemError("EACCES");
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
    });
  }

  #getsockname(
    fd: number,
    name: Uint8Array<ArrayBuffer>,
    length: Uint8Array<ArrayBuffer>,
  ): number {
    const room = new Struct(length).u32(0);
    if (room > name.length) throw new Error("getsockname(2) would write beyond its buffer");
    return this.#call(`getsockname(${fd}, *, ${room})`, () => {
      const { address, port, ipv6 } = this.files.socket(fd);
      const any = new Uint8Array(ipv6 ? 16 : 4);
      const local = { address: address.length === 0 ? any : address, port, scope: 0 };
      const bytes = decode.writeAddress(this.layouts, local);
      name.set(bytes.subarray(0, room));
      new Struct(length).setU32(0, bytes.length);
      return [0, decode.addressText(bytes, local)];
    });
  }

  #recvmmsg(fd: number, at: bigint, count: number, mode: number, timeout: bigint): number {
    if (timeout !== 0n) throw new Error("recvmmsg(2) with a timeout");
    const { size, offsets } = this.layouts.mmsghdr;
    const text = decode.flags(mode, "MSG_DONTWAIT");
    return this.#call(`recvmmsg(${fd}, *, ${count}, ${text}, NULL)`, () => {
      const socket = this.files.socket(fd);
      const details: string[] = [];
      for (let i = 0; i < Math.min(count, MAX_BATCH) && socket.queue.length > 0; i++) {
        const header = new Struct(bytesAt(at + BigInt(i * size), size));
        const [length, detail] = this.#messages.receive(socket, header);
        header.setU32(offsets.msg_len!, length);
        details.push(detail);
      }
      if (details.length === 0) throw new SystemError("EAGAIN");
      return [details.length, `[${details.join(", ")}]`];
    });
  }

  #sendmmsg(fd: number, at: bigint, count: number, mode: number): number {
    const { size, offsets } = this.layouts.mmsghdr;
    const headers = Array.from(
      { length: count },
      (_, i) => new Struct(bytesAt(at + BigInt(i * size), size)),
    );
    const texts = headers.map((header) => this.#messages.describe(header)).join(", ");
    return this.#call(`sendmmsg(${fd}, [${texts}], ${count}, ${mode})`, () => {
      const socket = this.files.socket(fd);
      for (const [i, header] of headers.entries()) {
        try {
          header.setU32(offsets.msg_len!, this.#messages.send(socket, header));
        } catch (error) {
          if (i > 0 && error instanceof SystemError) return i;
          throw error;
        }
      }
      return count;
    });
  }

  #recvmsg(fd: number, at: bigint, mode: number): number {
    const text = decode.flags(mode, "MSG_DONTWAIT");
    return this.#call(`recvmsg(${fd}, *, ${text})`, () => {
      const socket = this.files.socket(fd);
      if (socket.queue.length === 0) throw new SystemError("EAGAIN");
      return this.#messages.receive(socket, new Struct(bytesAt(at, this.layouts.msghdr.size)));
    });
  }

  #sendmsg(fd: number, at: bigint, mode: number): number {
    const header = new Struct(bytesAt(at, this.layouts.msghdr.size));
    return this.#call(
      `sendmsg(${fd}, ${this.#messages.describe(header)}, ${mode})`,
      () => this.#messages.send(this.files.socket(fd), header),
    );
  }

  #nameToIndex(name: string): number {
    return this.#call(`if_nametoindex(${JSON.stringify(name)})`, () => INTERFACES[name] ?? 0);
  }

  #ppoll(list: Uint8Array<ArrayBuffer>, count: number, timeout: Buffer, mask: Buffer): number {
    const us = this.#polls.timeoutUs(timeout);
    if (us !== 0) throw new Error("ppoll(2) would hold up the program");
    return this.#call(
      this.#polls.describe(list, count, timeout, mask),
      () => this.#polls.poll(list, count),
    );
  }

  async #ppollAsync(
    list: Uint8Array<ArrayBuffer>,
    count: number,
    timeout: Buffer,
    mask: Buffer,
  ): Promise<number> {
    const text = this.#polls.describe(list, count, timeout, mask);
    const deadline = this.host.world.now + this.#polls.timeoutUs(timeout);
    await this.host.world.sleep(deadline, () => this.#polls.poll(list, count)[0]);
    return this.#call(text, () => this.#polls.poll(list, count));
  }
}
