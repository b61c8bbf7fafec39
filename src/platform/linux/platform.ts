/**
 * Linux, as the rest of the program sees it.
 *
 * @module
 */

import { readCommand } from "../command_output.ts";
import { loadLibcrypto } from "../libcrypto.ts";
import { inspectOpenFiles } from "../open_files.ts";
import type { Platform } from "../platform.ts";
import { lookupAddresses } from "../resolve.ts";
import { inspectHost } from "./inspect.ts";
import { openLibc } from "./libc.ts";
import { networkChanges, readForwarding } from "./network.ts";
import { openPoller } from "./poller.ts";
import { secureSignals } from "./signals.ts";
import { openSocket } from "./socket.ts";
import { openTun } from "./tun.ts";

/** OpenSSL 3; the name without a number is there only with its headers. */
const LIBCRYPTO = "libcrypto.so.3";

const OPEN_FILES_HINT = 'Raise LimitNOFILE= of the service, or "ulimit -n".';

/** Linux with glibc or musl, on x86-64 or arm64. Libraries are opened when they are first used. */
export const LINUX: Platform = {
  os: "linux",
  stateDirectory: "/var/lib/aggvpn",
  openTun: (name) => openTun(openLibc(), name),
  openSocket: (options) => openSocket(openLibc(), options),
  openPoller: () => openPoller(openLibc()),
  libcrypto: () => loadLibcrypto(LIBCRYPTO),
  // `replace` makes addresses and routes what they shall be; nothing of the interface is put back.
  keptInterfaces: () => [],
  keptChanges: () => [],
  // `nodad`: they can be used at once.
  awaitAddresses: () => Promise.resolve([]),
  networkChanges: (plan) => networkChanges(plan, readForwarding()),
  inspect: (needs) => [
    ...inspectHost(openLibc(), needs, loadLibcrypto(LIBCRYPTO) !== undefined),
    ...inspectOpenFiles(readCommand, needs.openFiles, OPEN_FILES_HINT),
  ],
  secureSignals: () => secureSignals(openLibc()),
  lookup: (host) => lookupAddresses(host),
  startFindings: (openFiles) => inspectOpenFiles(readCommand, openFiles, OPEN_FILES_HINT),
  sandbox: () => "Linux confines a service from outside: see systemd.exec(5)",
};
