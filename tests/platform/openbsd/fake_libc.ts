/**
 * A libc with the interface of Deno's FFI: the functions of src/platform/openbsd/symbols.ts over a
 * {@linkcode FakeHost}, which read the memory behind the pointers they get, by OpenBSD's layouts,
 * and record every call.
 *
 * It refuses what OpenBSD would refuse, and throws at mistakes even if the kernel would accept
 * them: padding that is not zero, lengths that do not fit, options that do not exist.
 *
 * @module
 */

import type { Libc } from "../../../src/platform/openbsd/libc.ts";
import { Refusals } from "../../../src/platform/openbsd/refusals.ts";
import { ERRORS, type Layouts, layoutsOf, NUMBERS } from "./abi.ts";
import { LIMITS } from "./abi_limits.ts";
import type { Machine } from "./c_layout.ts";
import * as decode from "./decode.ts";
import { FakeFiles } from "./fake_files.ts";
import { TunRequest } from "./fake_ioctl.ts";
import { FakeMessages } from "./fake_messages.ts";
import { FakeRouting } from "./fake_routing.ts";
import { FakePolls } from "./fake_polls.ts";
import { FakeSandbox } from "./fake_sandbox.ts";
import { FakeSocketSetup } from "./fake_socket_setup.ts";
import type { FakeHost } from "./fake_world.ts";
import { type Buffer, bytesAt, bytesOf, hex, Struct, textOf } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Options of a fake libc. */
export interface FakeOptions {
  readonly machine?: Machine;
  /** Effective user; 0 unless said otherwise. */
  readonly uid?: number;
  /** Routing table of the process: `route -T N exec`. */
  readonly rtable?: number;
  /** Whether recvmmsg(2) and sendmmsg(2) exist, as since 7.2. */
  readonly batches?: boolean;
  /** Most datagrams the kernel takes in a batch. */
  readonly maxBatch?: number;
  /** How many files may be open: 128 unless said otherwise, as in class daemon of login.conf(5). */
  readonly openFiles?: number;
  /** Largest socket buffer, which is granted. */
  readonly maxBuffer?: number;
}

/** Numbers of interfaces, for if_nametoindex(3). */
const INTERFACES: Readonly<Record<string, number>> = { lo0: 3, em0: 1, em1: 2 };

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
  /** What the kernel tells routing sockets. */
  readonly routing: FakeRouting;
  readonly #uid: number;
  readonly #rtable: number;
  /** Existing process groups besides this one's, by the number of their leader. */
  readonly groups = new Set<number>();
  /** Calls that the program found refused by pledge(2). */
  readonly refused: string[] = [];
  /** Whether somebody takes messages of sendsyslog(2). */
  hasSyslogd = true;
  readonly #refusals = new Refusals((call) => this.refused.push(call));
  readonly #maxBatch: number;
  readonly #setup: FakeSocketSetup;
  #errno = 0;

  constructor(readonly host: FakeHost, options: FakeOptions = {}) {
    this.layouts = layoutsOf(options.machine ?? "amd64");
    this.#uid = options.uid ?? 0;
    this.#rtable = options.rtable ?? 0;
    this.#maxBatch = options.maxBatch ?? LIMITS.vlen;
    this.files = new FakeFiles(host, options.openFiles ?? LIMITS["openfiles-cur"]);
    this.#setup = new FakeSocketSetup(host, {
      uid: this.#uid,
      rtable: this.#rtable,
      maxBuffer: options.maxBuffer ?? LIMITS.SB_MAX,
    });
    this.#messages = new FakeMessages(host, this.layouts);
    this.routing = new FakeRouting(host, this.layouts);
    this.#polls = new FakePolls(this.files, this.layouts);
    this.symbols = this.#bind(options.batches ?? true);
  }

  errno(call: string): number {
    return this.#refusals.note(call, this.#errno);
  }

  describe(errno: number): string {
    return Object.values(ERRORS).find(([number]) => number === errno)?.[2] ?? `Unknown ${errno}`;
  }

  /** Returns and clears the lines so far. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  /** Runs a call, records it and translates its error. */
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
      close: (fd) =>
        this.#call(`close(${fd})`, () => {
          this.sandbox.call("close");
          return this.files.close(fd);
        }),
      ioctl: (fd, request, info) => this.#ioctl(fd, BigInt(request), bytesOf(info as Buffer)),
      read: (fd, at, count) => this.#read(fd, bytesAt(BigInt(at), Number(count))),
      write: (fd, at, count) => this.#write(fd, bytesAt(BigInt(at), Number(count))),
      writev: (fd, at, count) => this.#writev(fd, BigInt(at), count),
      pipe2: (pair, mode) => this.#pipe(pair as Int32Array, mode),
      socket: (domain, type, protocol) => this.#socket(domain, type, protocol),
      setsockopt: (fd, level, name, value, length) =>
        this.#setsockopt(fd, level, name, bytesOf(value as Buffer), length),
      bind: (fd, name, length) => this.#bindSocket(fd, bytesOf(name as Buffer), length),
      connect: (fd, name, length) => this.#connect(fd, bytesOf(name as Buffer), length),
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
      getrtable: () => this.#ask("getrtable", this.#rtable),
      geteuid: () => this.#ask("geteuid", this.#uid),
      getpid: () => {
        this.calls.push("getpid() = its own");
        return Deno.pid;
      },
      ppoll: (list, count, timeout, mask) =>
        this.#ppoll(bytesOf(list as Buffer), count, timeout as Buffer, mask as Buffer),
      ppollAsync: (list, count, timeout, mask) =>
        this.#ppollAsync(bytesOf(list as Buffer), count, timeout as Buffer, mask as Buffer),
      kill: (pid, signal) => this.#kill(pid, signal),
      signal: (number, handler) => {
        const name = number === NUMBERS.SIGUSR1 ? "SIGUSR1" : `${number}`;
        this.#call(`signal(${name}, ${handler === 1n ? "SIG_IGN" : handler})`, () => {
          this.sandbox.call("sigaction");
          return 0;
        });
        return 0n;
      },
      sendsyslog: (message, length, mode) => {
        const text = new TextDecoder().decode(
          bytesOf(message as Buffer).subarray(0, Number(length)),
        );
        // PLEDGE_ALWAYS: no promise is needed.
        return this.#call(`sendsyslog(${JSON.stringify(text)}, ${length}, ${mode})`, () => {
          if (!this.hasSyslogd) throw new SystemError("ENOTCONN");
          return 0;
        });
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

  #ask(name: "getrtable" | "geteuid", answer: number): number {
    return this.#call(`${name}()`, () => {
      this.sandbox.call(name);
      return answer;
    });
  }

  #open(path: string, mode: number): number {
    const text = decode.flags(mode, "O_RDWR", "O_NONBLOCK", "O_CLOEXEC");
    return this.#call(`open(${JSON.stringify(path)}, ${text})`, () => {
      this.sandbox.open(path, { read: true, write: true });
      if (this.#uid !== 0) throw new SystemError("EACCES");
      return this.files.openTun(path);
    });
  }

  #ioctl(fd: number, request: bigint, info: Uint8Array<ArrayBuffer>): number {
    const tunRequest = new TunRequest(decode.request(request), info, this.layouts);
    const { name } = tunRequest;
    return this.#call(`ioctl(${fd}, ${name}, ${tunRequest.describe()})`, () => {
      this.sandbox.ioctlTun(name);
      return tunRequest.run(this.files.tun(fd));
    });
  }

  #read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    return this.#call(`read(${fd}, *, ${into.length})`, () => {
      this.sandbox.call("read");
      const length = this.files.read(fd, into);
      return [length, `{${hex(into.subarray(0, length))}}`];
    });
  }

  #write(fd: number, from: Uint8Array<ArrayBuffer>): number {
    const isRoute = this.files.open.includes(fd) && this.files.route(fd) !== undefined;
    const what = isRoute ? `${this.routing.describe(from)} ` : "";
    const text = `write(${fd}, ${what}{${hex(from)}}, ${from.length})`;
    return this.#call(text, () => this.#writeFile("write", fd, from));
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
      () => this.#writeFile("writev", fd, Uint8Array.from(pieces.flatMap((piece) => [...piece]))),
    );
  }

  #writeFile(name: "write" | "writev", fd: number, from: Uint8Array<ArrayBuffer>): number {
    this.sandbox.call(name);
    if (this.files.route(fd)) return this.routing.ask(from);
    const length = this.files.write(fd, from);
    this.host.world.changed();
    return length;
  }

  #pipe(pair: Int32Array, mode: number): number {
    if (pair.length !== 2) throw new Error("pipe2(2) writes two descriptors");
    return this.#call(`pipe2(*, ${decode.flags(mode, "O_NONBLOCK", "O_CLOEXEC")})`, () => {
      this.sandbox.call("pipe2");
      pair.set(this.files.openPipe());
      return [0, `[${pair.join(", ")}]`];
    });
  }

  #socket(domain: number, type: number, protocol: number): number {
    const kind = decode.socketType(type);
    return this.#call(`socket(${decode.family(domain)}, ${kind}, ${protocol})`, () => {
      if (domain === NUMBERS.AF_ROUTE) {
        this.sandbox.socket("route");
        return this.files.openRouteSocket(this.#rtable);
      }
      this.sandbox.socket(domain === NUMBERS.AF_INET6 ? "inet6" : "inet");
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
      this.sandbox.setsockopt(name);
      const route = this.files.route(fd);
      if (route) return this.#setup.setRouteOption(route, name, set);
      return this.#setup.setOption(this.files.socket(fd), level, name, set);
    });
  }

  #bindSocket(fd: number, name: Uint8Array<ArrayBuffer>, length: number): number {
    const bytes = name.slice(0, length);
    const local = decode.readAddress(this.layouts, bytes);
    return this.#call(`bind(${fd}, ${decode.addressText(bytes, local)}, ${length})`, () => {
      this.sandbox.call("bind");
      return this.#setup.bind(this.files.socket(fd), local);
    });
  }

  /** Of a datagram socket: it only remembers. */
  #connect(fd: number, name: Uint8Array<ArrayBuffer>, length: number): number {
    const bytes = name.slice(0, length);
    const remote = decode.readAddress(this.layouts, bytes);
    return this.#call(`connect(${fd}, ${decode.addressText(bytes, remote)}, ${length})`, () => {
      this.sandbox.call("connect");
      this.files.socket(fd).isConnected = true;
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
      this.sandbox.call("getsockname");
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
      this.sandbox.call("recvmmsg");
      const socket = this.files.socket(fd);
      const details: string[] = [];
      for (let i = 0; i < Math.min(count, this.#maxBatch); i++) {
        const header = new Struct(bytesAt(at + BigInt(i * size), size));
        try {
          const [length, detail] = this.#messages.receive(socket, header);
          header.setU32(offsets.msg_len!, length);
          details.push(detail);
        } catch (error) {
          if (i === 0 || !(error instanceof SystemError)) throw error;
          // The error that ended the batch is kept for the next call, unless it only means the end.
          if (error.code !== "EAGAIN") socket.error = error.code;
          break;
        }
      }
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
      this.sandbox.send("sendmmsg");
      const socket = this.files.socket(fd);
      const taken = headers.slice(0, this.#maxBatch);
      for (const [i, header] of taken.entries()) {
        try {
          header.setU32(offsets.msg_len!, this.#messages.send(socket, header));
        } catch (error) {
          if (i > 0 && error instanceof SystemError) return i;
          throw error;
        }
      }
      return taken.length;
    });
  }

  #recvmsg(fd: number, at: bigint, mode: number): number {
    const text = decode.flags(mode, "MSG_DONTWAIT");
    return this.#call(`recvmsg(${fd}, *, ${text})`, () => {
      this.sandbox.call("recvmsg");
      const socket = this.files.socket(fd);
      return this.#messages.receive(socket, new Struct(bytesAt(at, this.layouts.msghdr.size)));
    });
  }

  #sendmsg(fd: number, at: bigint, mode: number): number {
    const header = new Struct(bytesAt(at, this.layouts.msghdr.size));
    return this.#call(
      `sendmsg(${fd}, ${this.#messages.describe(header)}, ${mode})`,
      () => {
        this.sandbox.send("sendmsg");
        return this.#messages.send(this.files.socket(fd), header);
      },
    );
  }

  /** Signals a process group, or its leader alone; the test names the existing ones. */
  #kill(pid: number, signal: number): number {
    const names = ["SIGKILL", "SIGTERM"] as const;
    const name = names.find((name) => NUMBERS[name] === signal) ?? `${signal}`;
    return this.#call(`kill(${pid}, ${name})`, () => {
      this.sandbox.kill();
      if (!this.groups.delete(Math.abs(pid))) throw new SystemError("ESRCH");
      return 0;
    });
  }

  #nameToIndex(name: string): number {
    return this.#call(`if_nametoindex(${JSON.stringify(name)})`, () => {
      this.sandbox.call("sysctl");
      return INTERFACES[name] ?? 0;
    });
  }

  #ppoll(list: Uint8Array<ArrayBuffer>, count: number, timeout: Buffer, mask: Buffer): number {
    const us = this.#polls.timeoutUs(timeout);
    if (us !== 0) throw new Error("ppoll(2) would hold up the program");
    return this.#call(
      this.#polls.describe(list, count, timeout, mask),
      () => this.#poll(list, count),
    );
  }

  #poll(list: Uint8Array<ArrayBuffer>, count: number): readonly [number, string] {
    this.sandbox.call("ppoll");
    return this.#polls.poll(list, count);
  }

  async #ppollAsync(
    list: Uint8Array<ArrayBuffer>,
    count: number,
    timeout: Buffer,
    mask: Buffer,
  ): Promise<number> {
    const text = this.#polls.describe(list, count, timeout, mask);
    const { world } = this.host;
    const deadline = world.now + this.#polls.timeoutUs(timeout);
    if (this.#polls.takes(count)) {
      await world.sleep(deadline, () => this.#polls.poll(list, count)[0]);
    }
    // It failed on another thread, which has its own errno.
    const errno = this.#errno;
    const result = this.#call(text, () => this.#poll(list, count));
    this.#errno = errno;
    return result;
  }
}
