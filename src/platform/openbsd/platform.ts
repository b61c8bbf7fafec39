/**
 * OpenBSD, as the rest of the program sees it.
 *
 * @module
 */

import type { AeadProvider } from "../../crypto/aead.ts";
import { type CallChoice, callChoice } from "../call_way.ts";
import {
  type AwaitCommand,
  awaitCommand,
  type ReadCommand,
  readCommand,
} from "../command_output.ts";
import { tryFirst } from "../first_calls.ts";
import { loadLibcrypto } from "../libcrypto.ts";
import type { Platform } from "../platform.ts";
import { watchIfPossible } from "../watch_if_possible.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM } from "./constants.ts";
import { awaitAddresses } from "./duplicates.ts";
import { readDefaultMtu } from "./host_state.ts";
import { inspectHost, startFindings } from "./inspect.ts";
import { closedCommands, readKept } from "./kept_interface.ts";
import { LEAK_GUARD_PROGRAMS, leakGuardChange, readGuarded } from "./leak_guard.ts";
import { type Libc, openLibc } from "./libc.ts";
import { lookup } from "./lookup.ts";
import { networkChanges, readPlanState } from "./network.ts";
import { watchNetwork } from "./network_watch.ts";
import { openPoller } from "./poller.ts";
import { clockState } from "./diagnosis.ts";
import { openInquiry } from "./inquiry.ts";
import { sandbox } from "./sandbox.ts";
import { endProcess, killGroup, secureSignals } from "./signals.ts";
import { openSocket } from "./socket.ts";
import { survey } from "./survey.ts";
import { openSyslog } from "./syslog.ts";
import { openTun } from "./tun.ts";

/** LibreSSL's, by its bare name: ld.so(1) finds the newest. */
const LIBCRYPTO = "libcrypto.so";

/** What the platform is built on; a test builds it on something else. */
export interface OpenbsdSystem {
  /** How C functions are called, found out once. */
  readonly calls: () => CallChoice;
  readonly libc: () => Libc;
  readonly libcrypto: () => AeadProvider | undefined;
  readonly read: ReadCommand;
  readonly await: AwaitCommand;
  readonly exists: (path: string) => boolean;
  readonly executable: () => string;
}

/** Makes the platform of a system. */
export function openbsdPlatform(system: OpenbsdSystem): Platform {
  const { libcrypto, read, exists } = system;
  const libc = tryFirst(system.libc, { family: AF_INET, type: SOCK_DGRAM | SOCK_CLOEXEC });
  return {
    os: "openbsd",
    stateDirectory: "/var/db/aggvpn",
    openTun: (name, kind) => openTun(libc(), name, kind),
    openSocket: (options) => openSocket(libc(), options),
    openInquiry: (options, remote, kind) => openInquiry(libc(), options, remote, kind),
    clockState: () => clockState(system.await),
    answerFilter: () => undefined,
    interfaceMtu: ({ rdomain, family }) =>
      rdomain === undefined ? undefined : readDefaultMtu(read, rdomain, family),
    openPoller: () => openPoller(libc()),
    watchNetwork: (links) => watchIfPossible(() => watchNetwork(libc(), links)),
    libcrypto,
    keptInterfaces: (name) => readKept(read, name),
    closedCommands,
    awaitAddresses: (plan) => awaitAddresses(system.await, plan),
    networkChanges: (plan) => networkChanges(plan, readPlanState(read, plan)),
    guardChange: async (plan) => leakGuardChange(plan, await readGuarded(system.await)),
    guardPrograms: LEAK_GUARD_PROGRAMS,
    openSyslog: () => openSyslog(libc()),
    survey: () => survey(read),
    inspect: (needs) => {
      const hasLibcrypto = libcrypto() !== undefined;
      const calls = system.calls().findings;
      const executable = system.executable();
      return inspectHost({ libc: libc(), read, hasLibcrypto, calls, executable, exists }, needs);
    },
    secureSignals: () => secureSignals(libc()),
    raisePriority: () => {}, // the service's login class does it
    endProcess: (pid) => endProcess(libc(), pid),
    killGroup: (leader) => killGroup(libc(), leader),
    lookup: (host, { rdomain }) => lookup(libc(), system.await, host, rdomain),
    startFindings: (openFiles) => [
      ...system.calls().findings,
      ...startFindings(libc(), read, openFiles),
    ],
    sandbox(needs): undefined {
      sandbox(libc(), needs);
    },
  };
}

/** The kernel enforces landing instructions where the CPU can. */
const calls = callChoice(
  "probe",
  () => ({ read: readCommand, deno: Deno.execPath(), library: "libc.so" }),
);

/** OpenBSD 7.2 or later on amd64 or arm64. Libraries are opened when they are first used. */
export const OPENBSD: Platform = openbsdPlatform({
  calls,
  libc: () => openLibc(calls().way),
  libcrypto: () => loadLibcrypto(LIBCRYPTO, calls().way),
  read: readCommand,
  await: awaitCommand,
  exists(path): boolean {
    try {
      Deno.statSync(path);
      return true;
    } catch (error) {
      // When it may not be looked at, it at least exists.
      return !(error instanceof Deno.errors.NotFound);
    }
  },
  executable: () => Deno.execPath(),
});
