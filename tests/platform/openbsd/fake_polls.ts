/**
 * ppoll(2) of the fake: struct pollfd and struct timespec.
 *
 * @module
 */

import { type Layouts, NUMBERS } from "./abi.ts";
import * as decode from "./decode.ts";
import type { FakeFiles } from "./fake_files.ts";
import { type Buffer, bytesOf, Struct } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Looks at the descriptors of one process. */
export class FakePolls {
  readonly #files: FakeFiles;
  readonly #layouts: Layouts;

  constructor(files: FakeFiles, layouts: Layouts) {
    this.#files = files;
    this.#layouts = layouts;
  }

  /** Describes what is asked; throws unless all of it is correct. */
  describe(list: Uint8Array<ArrayBuffer>, count: number, timeout: Buffer, mask: Buffer): string {
    if (mask !== null) throw new Error("ppoll(2) with a signal mask");
    const { size, offsets } = this.#layouts.pollfd;
    if (count * size !== list.length) throw new Error("ppoll(2): count and list do not fit");
    const entries = Array.from({ length: count }, (_, i) => {
      const entry = new Struct(list.subarray(i * size, (i + 1) * size));
      const events = decode.flags(entry.u16(offsets.events!), "POLLIN", "POLLOUT");
      return `{${entry.i32(offsets.fd!)}, ${events}}`;
    });
    const us = this.timeoutUs(timeout);
    const time = us === Infinity ? "NULL" : `${us} us`;
    return `ppoll([${entries.join(", ")}], ${count}, ${time}, NULL)`;
  }

  /** Reads struct timespec; NULL is Infinity. */
  timeoutUs(timeout: Buffer): number {
    if (timeout === null) return Infinity;
    const { size, offsets } = this.#layouts.timespec;
    const struct = new Struct(bytesOf(timeout));
    if (struct.bytes.length !== size) throw new Error("struct timespec has another size");
    const nanoseconds = struct.u64(offsets.tv_nsec!);
    if (nanoseconds > 999_999_999n) throw new Error(`tv_nsec of ${nanoseconds}`);
    return Number(struct.u64(offsets.tv_sec!)) * 1e6 + Number(nanoseconds) / 1e3;
  }

  /** Tells whether a list is not too long: doppoll() of sys/kern/sys_generic.c. */
  takes(count: number): boolean {
    return count <= this.#files.limit;
  }

  /** Fills in the returned events; returns how many entries have some, and what to record. */
  poll(list: Uint8Array<ArrayBuffer>, count: number): readonly [number, string] {
    if (!this.takes(count)) throw new SystemError("EINVAL");
    const { size, offsets } = this.#layouts.pollfd;
    const ready: string[] = [];
    for (let i = 0; i < count; i++) {
      const entry = new Struct(list.subarray(i * size, (i + 1) * size));
      const fd = entry.i32(offsets.fd!);
      const asked = entry.u16(offsets.events!) | NUMBERS.POLLHUP | NUMBERS.POLLNVAL;
      const events = this.#files.ready(fd) & asked;
      entry.setU16(offsets.revents!, events);
      if (events !== 0) {
        const names = ["POLLIN", "POLLOUT", "POLLHUP", "POLLNVAL"] as const;
        ready.push(`{${fd}, ${decode.flags(events, ...names)}}`);
      }
    }
    return [ready.length, ready.length === 0 ? "" : `[${ready.join(", ")}]`];
  }
}
