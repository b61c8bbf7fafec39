/**
 * Receives datagrams of a Unix socket, in place of systemd, journald or syslogd.
 *
 * @module
 */

import { addressOf } from "../../../src/platform/ffi.ts";
import { AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK } from "../../../src/platform/linux/constants.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { writeUnixAddress } from "../../../src/platform/linux/unix_datagrams.ts";

/** A socket that is bound to a path, or to an abstract name that begins with "@". */
export class UnixReceiver implements Disposable {
  readonly #fd: number;
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(65_536);

  constructor(path: string) {
    const { symbols } = openLibc();
    this.#fd = symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const address = writeUnixAddress(path);
    if (symbols.bind(this.#fd, address, address.length) !== 0) throw new Error(`bind(${path})`);
  }

  /** Returns the next message, or undefined when none waits. */
  take(): string | undefined {
    const { symbols } = openLibc();
    const count = symbols.read(this.#fd, addressOf(this.#bytes), BigInt(this.#bytes.length));
    return count < 0 ? undefined : new TextDecoder().decode(this.#bytes.subarray(0, count));
  }

  /** Returns all that waits. */
  takeAll(): string[] {
    const messages: string[] = [];
    for (let message = this.take(); message !== undefined; message = this.take()) {
      messages.push(message);
    }
    return messages;
  }

  [Symbol.dispose](): void {
    openLibc().symbols.close(this.#fd);
  }
}
