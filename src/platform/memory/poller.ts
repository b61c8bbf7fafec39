/**
 * A poller over things in memory: told which are readable, woken when that changes.
 *
 * @module
 */

import type { Poller } from "../platform.ts";

/** A poller without a kernel. Everything is writable at once. */
export class MemoryPoller implements Poller {
  readonly #isReadable: (fd: number) => boolean;
  #watched: readonly { fd: number; writable: boolean }[] = [];
  #ready: readonly boolean[] = [];
  #woken = false;
  #endWait: (() => void) | undefined;

  /** @param isReadable tells whether something waits at a descriptor */
  constructor(isReadable: (fd: number) => boolean) {
    this.#isReadable = isReadable;
  }

  watch(fds: readonly { fd: number; writable: boolean }[]): void {
    this.#watched = fds.map((entry) => ({ ...entry }));
    this.#ready = [];
  }

  async wait(timeoutUs: number): Promise<void> {
    if (this.#endWait) throw new Error("wait() on a poller that waits");
    if (!this.#woken && !this.#anyReady()) await this.#sleep(timeoutUs);
    else await this.#sleep(0);
    this.#woken = false;
    this.#ready = this.#watched.map((entry) => this.#isEntryReady(entry));
  }

  waitHere(): boolean {
    return false; // what it waits for happens on this thread
  }

  letRun(): void {
    // It always does.
  }

  ready(index: number): boolean {
    return this.#ready[index] ?? false;
  }

  wake(): void {
    this.#woken = true;
    this.#endWait?.();
  }

  /** Tells the poller that something became readable. */
  notify(): void {
    if (this.#anyReady()) this.#endWait?.();
  }

  close(): void {
    this.wake();
  }

  #anyReady(): boolean {
    return this.#watched.some((entry) => this.#isEntryReady(entry));
  }

  #isEntryReady(entry: { fd: number; writable: boolean }): boolean {
    return entry.writable || this.#isReadable(entry.fd);
  }

  /** Goes through the event loop even for a timeout of 0, as the real one does. */
  #sleep(timeoutUs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.#endWait = undefined;
        resolve();
      };
      this.#endWait = end;
      if (timeoutUs !== Infinity) timer = setTimeout(end, Math.max(0, timeoutUs) / 1000);
    });
  }
}
