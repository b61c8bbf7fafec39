/**
 * A socket that is connected to one other end, so that the system tells what comes back besides
 * answers: that a port is closed, that a router refuses. Links do without, since their other end may
 * move, and anybody could forge such a message; a diagnosis wants to know.
 *
 * @module
 */

import { addressOf, type CErrors, errnoName, type Memory } from "./ffi.ts";

/** What to ask by: a datagram, or a stream. */
export type InquiryKind = "udp" | "tcp";

/** An open question. Nothing waits: ask again later. */
export interface Inquiry {
  /** Sends all of `bytes`, which are few; false: not yet. Throws {@linkcode Refusal}. */
  write(bytes: Uint8Array): boolean;
  /** Returns what came; undefined: nothing yet; empty: no more comes. Throws {@linkcode Refusal}. */
  read(): Uint8Array | undefined;
  close(): void;
}

/** The network has said no. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  /** @param code such as `ECONNREFUSED` */
  constructor(readonly code: string) {
    super(code);
  }
}

/** The calls of C that are made. */
export interface InquiryLibc extends CErrors {
  readonly symbols: {
    readonly connect: (fd: number, name: Uint8Array<ArrayBuffer>, length: number) => number;
    readonly read: (fd: number, at: bigint, count: bigint) => number;
    readonly write: (fd: number, at: bigint, count: bigint) => number;
    readonly close: (fd: number) => number;
  };
}

/** Answers are short; of a longer one the rest is not of interest. */
const ANSWER_BYTES = 4096;
/** Errors that are an answer of the network; all others may pass. */
const REFUSALS = [
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EPERM",
  "EACCES",
] as const;

/** How a system makes the socket of an inquiry. */
export interface InquirySystem {
  readonly errno: Readonly<Record<typeof REFUSALS[number], number>>;
  /** Returns a descriptor that does not block, bound as a link would be. */
  readonly open: () => number;
  /** Where it is connected to. */
  readonly sockaddr: Uint8Array<ArrayBuffer>;
}

/** Opens an inquiry. Throws AggvpnError as the opening of a link does. */
export function openInquiry(libc: InquiryLibc, system: InquirySystem): Inquiry {
  const fd = system.open();
  return new ConnectedSocket(libc, system, fd);
}

class ConnectedSocket implements Inquiry {
  readonly #libc: InquiryLibc;
  readonly #system: InquirySystem;
  readonly #fd: number;
  readonly #answer: Memory & Uint8Array = new Uint8Array(ANSWER_BYTES);
  #refusal: Refusal | undefined;

  constructor(libc: InquiryLibc, system: InquirySystem, fd: number) {
    this.#libc = libc;
    this.#system = system;
    this.#fd = fd;
    const { sockaddr } = system;
    if (libc.symbols.connect(fd, sockaddr, sockaddr.length) < 0) this.#note("connect");
  }

  write(bytes: Uint8Array): boolean {
    if (this.#refusal) throw this.#refusal;
    const memory = bytes.slice();
    const { write } = this.#libc.symbols;
    if (write(this.#fd, addressOf(memory), BigInt(memory.length)) >= 0) return true;
    this.#note("write");
    if (this.#refusal) throw this.#refusal;
    return false;
  }

  read(): Uint8Array | undefined {
    if (this.#refusal) throw this.#refusal;
    const answer = this.#answer;
    const count = this.#libc.symbols.read(this.#fd, addressOf(answer), BigInt(answer.length));
    if (count >= 0) return answer.slice(0, count);
    this.#note("read");
    if (this.#refusal) throw this.#refusal;
    return undefined;
  }

  close(): void {
    this.#libc.symbols.close(this.#fd);
  }

  /** A connection that is being made, and a buffer that is full or empty, are no refusals. */
  #note(call: string): void {
    const name = errnoName(this.#system.errno, this.#libc.errno(call));
    if (REFUSALS.some((refusal) => refusal === name)) this.#refusal = new Refusal(name);
  }
}
