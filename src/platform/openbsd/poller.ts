/**
 * Waits for descriptors and a deadline at once: ppoll(2) on a thread of Deno's
 * pool, and a pipe(2) to itself that ends the wait from this side.
 *
 * kqueue(2) would do as well; ppoll needs no kernel state that has to follow every change of the
 * list.
 *
 * @module
 */

import { addressOf } from "../ffi.ts";
import type { Poller } from "../platform.ts";
import { O_CLOEXEC, O_NONBLOCK, POLLIN, POLLOUT } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { OPEN_FILES_HINT, openFilesHint } from "./open_files.ts";
import {
  POLLFD_BYTES,
  POLLFD_EVENTS,
  POLLFD_FD,
  POLLFD_REVENTS,
  TIMESPEC_BYTES,
  TIMESPEC_NSEC,
  TIMESPEC_SEC,
} from "./structures.ts";

/** A pollfd in words of 4 bytes; the second has events and, in its upper half, returned events. */
const POLLFD_WORDS = POLLFD_BYTES / 4;
const FD = POLLFD_FD / 4;
const EVENTS = POLLFD_EVENTS / 4;
const REVENTS_SHIFT = (POLLFD_REVENTS - POLLFD_EVENTS) * 8;
/** A timespec in words of 8 bytes. */
const TIMESPEC_WORDS = TIMESPEC_BYTES / 8;
const SECONDS = TIMESPEC_SEC / 8;
const NANOSECONDS = TIMESPEC_NSEC / 8;
/** Longest wait in seconds; the kernel refuses what overflows its clock. */
const MAX_WAIT_S = 1e8;

/** Opens a poller; throws AggvpnError when there are no descriptors left for it. */
export function openPoller(libc: Libc): OpenbsdPoller {
  const pipe = new Int32Array(2);
  if (libc.symbols.pipe2(pipe, O_NONBLOCK | O_CLOEXEC) < 0) {
    const errno = libc.errno("pipe2");
    throw systemError(libc, "Cannot open a pipe", errno, openFilesHint(errno));
  }
  return new OpenbsdPoller(libc, pipe[0]!, pipe[1]!);
}

/** A poller; entry 0 of what it polls is the reading end of its own pipe. */
export class OpenbsdPoller implements Poller {
  readonly #libc: Libc;
  readonly #pipe: { readonly reading: number; readonly writing: number };
  readonly #timeout: BigInt64Array<ArrayBuffer> = new BigInt64Array(TIMESPEC_WORDS);
  readonly #byte: Uint8Array<ArrayBuffer> = new Uint8Array(1);
  readonly #byteAddress: bigint;
  #entries: Int32Array<ArrayBuffer> = new Int32Array(0);
  #waiting = false;
  #woken = false;
  #closed = false;

  constructor(libc: Libc, reading: number, writing: number) {
    this.#libc = libc;
    this.#pipe = { reading, writing };
    this.#byteAddress = addressOf(this.#byte);
    this.watch([]);
  }

  watch(fds: readonly { fd: number; writable: boolean }[]): void {
    // A wait in progress keeps the list it began with.
    const entries = new Int32Array((fds.length + 1) * POLLFD_WORDS);
    entries[FD] = this.#pipe.reading;
    entries[EVENTS] = POLLIN;
    for (const [i, { fd, writable }] of fds.entries()) {
      entries[(i + 1) * POLLFD_WORDS + FD] = fd;
      entries[(i + 1) * POLLFD_WORDS + EVENTS] = writable ? POLLIN | POLLOUT : POLLIN;
    }
    this.#entries = entries;
  }

  /** Deno's own descriptor (kqueue(2)) cannot be found here: only `wait()` lets Deno run. */
  waitHere(): boolean {
    return false;
  }

  letRun(): void {
    // It always does.
  }

  async wait(timeoutUs: number): Promise<void> {
    if (this.#waiting || this.#closed) {
      throw new Error("wait() on a poller that waits or is closed");
    }
    this.#waiting = true;
    const entries = this.#entries;
    try {
      // Asynchronous even with a timeout of 0: that lets the rest of the program run.
      const count = await this.#libc.symbols.ppollAsync(
        entries,
        countOf(entries),
        this.#timespec(timeoutUs),
        null,
      );
      if (count < 0) this.#pollAgain(entries);
    } finally {
      this.#waiting = false;
      this.#drainPipe();
      if (this.#closed) this.#closePipe();
    }
  }

  /** Any returned event counts: after POLLERR or POLLHUP a read finds out what is wrong. */
  ready(index: number): boolean {
    return this.#entries[(index + 1) * POLLFD_WORDS + EVENTS]! >>> REVENTS_SHIFT !== 0;
  }

  wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    this.#libc.symbols.write(this.#pipe.writing, this.#byteAddress, 1n);
  }

  close(): void {
    if (this.#closed) return;
    this.wake();
    this.#closed = true;
    if (!this.#waiting) this.#closePipe();
  }

  /** Polls from this thread, whose errno can be read: the other thread's cannot. */
  #pollAgain(entries: Int32Array<ArrayBuffer>): void {
    const { symbols } = this.#libc;
    if (symbols.ppoll(entries, countOf(entries), this.#timespec(0), null) >= 0) return;
    const errno = this.#libc.errno("ppoll");
    if (errno === ERRNO.EINTR) return;
    // EINVAL: the list is longer than the limit of open files; timeouts are in bounds.
    const hint = errno === ERRNO.EINVAL ? OPEN_FILES_HINT : undefined;
    throw systemError(this.#libc, "Cannot poll descriptors", errno, hint);
  }

  #drainPipe(): void {
    if (!this.#woken) return;
    this.#woken = false;
    this.#libc.symbols.read(this.#pipe.reading, this.#byteAddress, 1n);
  }

  #closePipe(): void {
    this.#libc.symbols.close(this.#pipe.writing);
    this.#libc.symbols.close(this.#pipe.reading);
  }

  /** Returns struct timespec: seconds, nanoseconds; null waits forever. */
  #timespec(timeoutUs: number): BigInt64Array<ArrayBuffer> | null {
    if (timeoutUs === Infinity) return null;
    const us = Math.max(0, Math.ceil(timeoutUs));
    const seconds = Math.min(Math.floor(us / 1e6), MAX_WAIT_S);
    this.#timeout[SECONDS] = BigInt(seconds);
    this.#timeout[NANOSECONDS] = BigInt(us % 1e6 * 1000);
    return this.#timeout;
  }
}

function countOf(entries: Int32Array): number {
  return entries.length / POLLFD_WORDS;
}
