/**
 * Linux, as the rest of the program sees it.
 *
 * @module
 */

import { loadLibcrypto } from "../libcrypto.ts";
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

/** Linux with glibc or musl, on x86-64 or arm64. Libraries are opened when they are first used. */
export const LINUX: Platform = {
  os: "linux",
  stateDirectory: "/var/lib/aggvpn",
  openTun: (name, kind) => openTun(openLibc(), name, kind),
  openSocket: (options) => openSocket(openLibc(), options),
  openPoller: () => openPoller(openLibc()),
  libcrypto: () => loadLibcrypto(LIBCRYPTO),
  networkChanges: (plan) => networkChanges(plan, readForwarding()),
  inspect: (needs) => inspectHost(openLibc(), needs, loadLibcrypto(LIBCRYPTO) !== undefined),
  secureSignals: () => secureSignals(openLibc()),
  lookup: (host) => lookupAddresses(host),
  startFindings: () => [],
  sandbox: () => "Linux confines a service from outside: see systemd.exec(5)",
};
