/**
 * The system's log by sendsyslog(2): without a socket, under every pledge(2), and kept by the kernel
 * until syslogd(8) runs. syslogd notes the time.
 *
 * @module
 */

import type { SyslogSink } from "../platform.ts";
import type { Libc } from "./libc.ts";

/** Returns the way to the system's log. */
export function openSyslog({ symbols }: Libc): SyslogSink {
  return {
    wantsTime: false,
    send: (message) => symbols.sendsyslog(message, BigInt(message.length), 0) === 0,
    close: () => {},
  };
}
