/**
 * Waits for descriptors and a deadline at once: ppoll(2), and an eventfd(2) that
 * ends the wait from this side.
 *
 * A wait on a thread of Deno's pool costs two wake-ups of threads and a promise, which is
 * most of what an idle tunnel adds to a round trip. So the poller waits on the program's own thread
 * where it can, and watches the descriptors on which Deno itself waits (epoll(7): an epoll
 * descriptor is readable while it has events): a signal, a client of the control socket or an
 * answer from another thread ends the wait, and Deno gets to run.
 *
 * Work that Deno has taken from its descriptors and not yet done cannot be seen from here, nor can
 * a timer or a promise. So Deno gets a brief turn after a while in any case: after a short while if
 * it has just run, then after twice as long each time, up to a bound.
 *
 * @module
 */

import { addressOf } from "../ffi.ts";
import type { Poller } from "../platform.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN, POLLOUT } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";

/** Words of struct pollfd: fd i32, then events and returned events, 16 bits each. */
const POLLFD_WORDS = 2;
/** Where the returned events are in the second word (little-endian). */
const REVENTS_SHIFT = 16;
/** Longest wait in seconds; ends early rather than overflowing time_t. */
const MAX_WAIT_S = 1e9;
/** Longest time before the rest of the program gets a turn: its timers may be late by that much. */
export const MAX_ALONE_US = 320_000;
/** ... and the first such time after it has run, since it may have left something to do. */
export const LEAST_ALONE_US = 5_000;
/** How long it runs once it has something to do: one thing leads to another. */
const LET_RUN_US = 20_000;
/**
 * Deno looks at its descriptors when it is out of work, or has done 61 things (tokio's
 * `event_interval`): a wait that ends at once, as all do under load, counts as one thing and takes
 * no time. So this often a wait is a rest, which does not end early.
 */
export const REST_EVERY_US = 5_000;
/** How long a rest takes. */
export const REST_US = 100;
/** What /proc calls a descriptor that epoll_create(2) made. */
const EPOLL_LINK = "anon_inode:[eventpoll]";
/** Bytes of what an eventfd reads and writes. */
const EVENT_BYTES = 8n;

/** Opens a poller; throws AggvpnError when there is no descriptor left for it. */
export function openPoller(libc: Libc): LinuxPoller {
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw systemError(libc, "Cannot open an eventfd", libc.errno());
  return new LinuxPoller(libc, fd, runtimeDescriptors());
}

/** The descriptors on which Deno waits; empty where they cannot be seen. */
function runtimeDescriptors(): readonly number[] {
  try {
    return Array.from(Deno.readDirSync("/proc/self/fd"), (entry) => Number(entry.name))
      .filter(isEpoll);
  } catch {
    return []; // no /proc
  }
}

function isEpoll(fd: number): boolean {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`) === EPOLL_LINK;
  } catch {
    return false; // closed again: that of the directory
  }
}

/** A poller; its entries are the watched descriptors, its own eventfd, then Deno's descriptors. */
export class LinuxPoller implements Poller {
  readonly #libc: Libc;
  readonly #eventFd: number;
  readonly #runtimeFds: readonly number[];
  /** struct timespec: seconds, nanoseconds, 64 bits each. */
  readonly #timeout: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  readonly #event: Uint8Array<ArrayBuffer> = new Uint8Array(Number(EVENT_BYTES));
  readonly #eventAddress: bigint;
  #entries: Int32Array<ArrayBuffer>;
  #count = 0n;
  /** How many of them are not Deno's: while Deno runs it watches its own. */
  #ownCount = 0n;
  /** When the rest of the program last ran, and how long until it runs again; microseconds. */
  #ranAtUs = now();
  #aloneUs = LEAST_ALONE_US;
  /** When a wait last took as long as a rest. */
  #restedAtUs = now();
  /** Until when the rest of the program runs; forever where nothing tells that it has work. */
  #letRunUntil = Infinity;
  #waiting = false;
  #woken = false;
  #closed = false;

  /** @param runtimeFds descriptors that are readable while the rest of the program has events */
  constructor(libc: Libc, eventFd: number, runtimeFds: readonly number[]) {
    this.#libc = libc;
    this.#eventFd = eventFd;
    this.#runtimeFds = runtimeFds;
    this.#eventAddress = addressOf(this.#event);
    this.#entries = this.#entriesOf([]);
    this.letRun();
  }

  watch(fds: readonly { fd: number; writable: boolean }[]): void {
    // A wait in progress keeps the list it began with.
    this.#entries = this.#entriesOf(fds);
  }

  waitHere(timeoutUs: number): boolean {
    this.#check();
    const start = now();
    if (start < this.#letRunUntil || this.#woken) return false;
    const mostUs = this.#ranAtUs + this.#aloneUs - start;
    if (mostUs <= 0) {
      this.#aloneUs = Math.min(2 * this.#aloneUs, MAX_ALONE_US);
      this.#restedAtUs = -Infinity; // the next wait does nothing else
      return false;
    }
    const entries = this.#entries;
    const timeout = this.#timespec(Math.min(timeoutUs, mostUs));
    const count = this.#libc.symbols.ppoll(entries, this.#count, timeout, null);
    if (count < 0) this.#checkError();
    if (!this.#isRuntimeReady(entries)) return true;
    this.letRun();
    return false;
  }

  letRun(): void {
    this.#aloneUs = LEAST_ALONE_US;
    if (this.#runtimeFds.length > 0) this.#letRunUntil = now() + LET_RUN_US;
  }

  async wait(timeoutUs: number): Promise<void> {
    this.#check();
    this.#waiting = true;
    const start = now();
    const entries = this.#entries;
    try {
      if (start - this.#restedAtUs >= REST_EVERY_US) await this.#rest(entries);
      else await this.#waitThere(entries, timeoutUs);
    } finally {
      this.#waiting = false;
      this.#ranAtUs = now();
      if (this.#ranAtUs - start >= REST_US) this.#restedAtUs = this.#ranAtUs;
      this.#drainEvent();
      if (this.#closed) this.#libc.symbols.close(this.#eventFd);
    }
  }

  /** Any returned event counts: after POLLERR or POLLHUP a read finds out what is wrong. */
  ready(index: number): boolean {
    return this.#entries[index * POLLFD_WORDS + 1]! >>> REVENTS_SHIFT !== 0;
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    this.letRun();
    this.#event[0] = 1;
    this.#libc.symbols.write(this.#eventFd, this.#eventAddress, EVENT_BYTES);
  }

  close(): void {
    if (this.#closed) return;
    this.wake();
    this.#closed = true;
    if (!this.#waiting) this.#libc.symbols.close(this.#eventFd);
  }

  #check(): void {
    if (!this.#waiting && !this.#closed) return;
    throw new Error("wait() on a poller that waits or is closed");
  }

  #entriesOf(fds: readonly { fd: number; writable: boolean }[]): Int32Array<ArrayBuffer> {
    const own = [this.#eventFd, ...this.#runtimeFds];
    const entries = new Int32Array((fds.length + own.length) * POLLFD_WORDS);
    let at = 0;
    for (const { fd, writable } of fds) {
      entries[at++] = fd;
      entries[at++] = writable ? POLLIN | POLLOUT : POLLIN;
    }
    for (const fd of own) {
      entries[at++] = fd;
      entries[at++] = POLLIN;
    }
    this.#count = BigInt(fds.length + own.length);
    this.#ownCount = BigInt(fds.length + 1);
    return entries;
  }

  #isRuntimeReady(entries: Int32Array): boolean {
    for (let i = 1; i <= this.#runtimeFds.length; i++) {
      if (entries[entries.length + 1 - i * POLLFD_WORDS]! >>> REVENTS_SHIFT !== 0) return true;
    }
    return false;
  }

  /** Asynchronous even with a timeout of 0: that lets the rest of the program run. */
  async #waitThere(entries: Int32Array<ArrayBuffer>, timeoutUs: number): Promise<void> {
    const { symbols } = this.#libc;
    const timeout = this.#timespec(timeoutUs);
    const count = await symbols.ppollAsync(entries, this.#ownCount, timeout, null);
    if (count < 0) this.#pollAgain(entries);
  }

  /** Waits without watching any descriptor, then looks at them all. */
  async #rest(entries: Int32Array<ArrayBuffer>): Promise<void> {
    await this.#libc.symbols.ppollAsync(entries, 0n, this.#timespec(REST_US), null);
    this.#pollAgain(entries);
  }

  /** Polls from this thread, whose errno can be read: the other thread's cannot. */
  #pollAgain(entries: Int32Array<ArrayBuffer>): void {
    const timeout = this.#timespec(0);
    if (this.#libc.symbols.ppoll(entries, this.#ownCount, timeout, null) < 0) this.#checkError();
  }

  #checkError(): void {
    const errno = this.#libc.errno();
    if (errno !== ERRNO.EINTR) throw systemError(this.#libc, "Cannot poll descriptors", errno);
  }

  #drainEvent(): void {
    if (!this.#woken) return;
    this.#woken = false;
    this.#libc.symbols.read(this.#eventFd, this.#eventAddress, EVENT_BYTES);
  }

  /** Returns struct timespec; null waits forever. */
  #timespec(timeoutUs: number): Uint32Array<ArrayBuffer> | null {
    if (timeoutUs === Infinity) return null;
    const us = Math.max(0, Math.ceil(timeoutUs));
    this.#timeout[0] = Math.min(Math.floor(us / 1e6), MAX_WAIT_S);
    this.#timeout[2] = us % 1e6 * 1000;
    return this.#timeout;
  }
}

/** Microseconds of the monotonic clock. */
function now(): number {
  return performance.now() * 1000;
}
