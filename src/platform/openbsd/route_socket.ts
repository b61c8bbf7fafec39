/**
 * A socket to the kernel's routing: route(4).
 *
 * No promise of pledge(2) allows to open one, so that comes first; reading and writing need only
 * `stdio`. The kernel answers a question before write(2) returns, so its answer can be read at once.
 *
 * @module
 */

import { addressOf } from "../ffi.ts";
import {
  AF_ROUTE,
  ROUTE_MSGFILTER,
  ROUTE_TABLEFILTER,
  RTABLE_ANY,
  RTM_MAXSIZE,
  SO_RCVBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { openFilesHint } from "./open_files.ts";
import { parseMessage, type RouteMessage, type RoutingMessage } from "./route_messages.ts";

/** Asked for: many messages may come while the program is busy. */
const BUFFER_BYTES = 256 << 10;

/** Opens a socket that hears messages of `types` (RTM_...), of every table. Throws AggvpnError. */
export function openRouteSocket(libc: Libc, types: readonly number[]): RouteSocket {
  const { symbols } = libc;
  const fd = symbols.socket(AF_ROUTE, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const errno = libc.errno("socket");
    throw systemError(libc, "Cannot open a routing socket", errno, openFilesHint(errno));
  }
  const filter = types.reduce((mask, type) => mask | 1 << type, 0);
  const options = [
    [AF_ROUTE, ROUTE_MSGFILTER, filter],
    [AF_ROUTE, ROUTE_TABLEFILTER, RTABLE_ANY],
    [SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES],
  ] as const;
  for (const [level, option, value] of options) {
    // Refinements: without them more is heard, and less of it kept.
    if (symbols.setsockopt(fd, level, option, Uint32Array.of(value), 4) < 0) {
      libc.errno("setsockopt");
    }
  }
  return new RouteSocket(libc, fd);
}

/** An open socket. */
export class RouteSocket {
  readonly #libc: Libc;
  readonly #room: Uint8Array<ArrayBuffer> = new Uint8Array(RTM_MAXSIZE);
  readonly #address: bigint;
  #open = true;

  constructor(libc: Libc, readonly fd: number) {
    this.#libc = libc;
    this.#address = addressOf(this.#room);
  }

  /** Reads one message; "nothing" when none waits, undefined for one that is of no use here. */
  receive(): RoutingMessage | "nothing" | undefined {
    const length = this.#libc.symbols.read(this.fd, this.#address, BigInt(RTM_MAXSIZE));
    if (length >= 0) return parseMessage(this.#room.slice(0, length));
    return this.#libc.errno("read") === ERRNO.ENOBUFS ? { kind: "lost" } : "nothing";
  }

  /** Asks a question of that number; returns the answer, or the number of the error. */
  ask(sequence: number, question: Uint8Array<ArrayBuffer>): RouteMessage | number {
    const size = BigInt(question.length);
    const written = this.#libc.symbols.write(this.fd, addressOf(question), size);
    const errno = written < 0 ? this.#libc.errno("write") : 0;
    // What failed is answered too, with the same error.
    for (;;) {
      const message = this.receive();
      if (message === "nothing") return errno;
      if (message?.kind === "route" && message.sequence === sequence) {
        return errno === 0 ? message : errno;
      }
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }
}
