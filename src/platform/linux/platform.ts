/**
 * Linux, as the rest of the program sees it.
 *
 * @module
 */

import type { AeadProvider } from "../../crypto/aead.ts";
import { callChoice } from "../call_way.ts";
import { awaitCommand, readAhead, readCommand } from "../command_output.ts";
import { tryFirst } from "../first_calls.ts";
import { loadLibcrypto } from "../libcrypto.ts";
import { inspectOpenFiles } from "../open_files.ts";
import type { HostFinding, Platform } from "../platform.ts";
import { lookupAddresses } from "../resolve.ts";
import { watchIfPossible } from "../watch_if_possible.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM } from "./constants.ts";
import { clockState } from "./diagnosis.ts";
import { dnsChanges, readDnsHost } from "./dns.ts";
import { readHostState, readKept } from "./host_state.ts";
import { inspectHost, inspectReversePath } from "./inspect.ts";
import { openInquiry } from "./inquiry.ts";
import { interfaceMtu } from "./interfaces.ts";
import { LEAK_GUARD_READS, leakGuardChange } from "./leak_guard.ts";
import { type Libc, openLibc } from "./libc.ts";
import { networkChanges } from "./network.ts";
import { watchNetwork } from "./network_watch.ts";
import { dnsPart, ofPart } from "../plan_parts.ts";
import { openPoller } from "./poller.ts";
import { raisePriority } from "./priority.ts";
import { endProcess, killGroup, secureSignals } from "./signals.ts";
import { openSocket } from "./socket.ts";
import { survey } from "./survey.ts";
import { openTun } from "./tun.ts";
import { monotonicUs, openSyslog, openUnixDatagrams } from "./unix_datagrams.ts";
import { uplinkPlanner } from "./uplink_routes.ts";
import { listInterfaces } from "./uplinks.ts";

/** OpenSSL 3; the name without a number exists only where its headers are installed. */
const LIBCRYPTO = "libcrypto.so.3";

const OPEN_FILES_HINT = 'Raise LimitNOFILE= of the service, or "ulimit -n".';

/** No kernel of Linux enforces landing instructions on programs, so nothing is probed. */
const calls = callChoice(
  "stubs",
  () => ({ read: readCommand, deno: Deno.execPath(), library: "libc.so.6" }),
);

const libc = tryFirst<Libc>(
  () => openLibc(calls().way),
  { family: AF_INET, type: SOCK_DGRAM | SOCK_CLOEXEC },
);

function libcrypto(): AeadProvider | undefined {
  return loadLibcrypto(LIBCRYPTO, calls().way);
}

function startFindings(openFiles: number): HostFinding[] {
  // Here, so that a libc that does not work stops the start.
  libc();
  return [...calls().findings, ...inspectOpenFiles(readCommand, openFiles, OPEN_FILES_HINT)];
}

/** Linux with glibc or musl, on x86-64 or arm64. Libraries are opened when they are first used. */
export const LINUX: Platform = {
  os: "linux",
  stateDirectory: "/var/lib/aggvpn",
  openTun: (name, kind) => openTun(libc(), name, kind),
  openSocket: (options) => openSocket(libc(), options),
  openInquiry: (options, remote, kind) => openInquiry(libc(), options, remote, kind),
  clockState: () => Promise.resolve(clockState(libc())),
  answerFilter: ({ name: link, interface: name }) =>
    name === undefined ? undefined : inspectReversePath(link, name)[0],
  interfaceMtu: ({ interface: name }) =>
    name === undefined ? undefined : interfaceMtu(libc(), name),
  openPoller: () => openPoller(libc()),
  watchNetwork: (links) => watchIfPossible(() => watchNetwork(libc(), links)),
  uplinks: { list: () => listInterfaces(libc()), planner: () => uplinkPlanner(readCommand) },
  libcrypto,
  keptInterfaces: (name) => readKept(readCommand, name),
  closedCommands: () => [],
  // `nodad`: they can be used at once.
  awaitAddresses: () => Promise.resolve([]),
  networkChanges: (plan) => [
    ...networkChanges(plan, readHostState(readCommand)),
    ...ofPart(dnsPart(plan), dnsChanges(plan, readDnsHost(plan.interface))),
  ],
  guardChange: async (plan) =>
    leakGuardChange(plan, await readAhead(awaitCommand, LEAK_GUARD_READS)),
  guardPrograms: ["nft", "ip"],
  openSyslog: () => openSyslog(libc()),
  serviceManager: {
    open: (path) => openUnixDatagrams(libc(), path),
    monotonicUs: () => monotonicUs(libc()),
  },
  survey: () => survey(readCommand, listInterfaces(libc())),
  inspect: (needs) => [
    ...inspectHost(libc(), needs, libcrypto() !== undefined),
    ...startFindings(needs.openFiles),
  ],
  secureSignals: () => secureSignals(libc()),
  raisePriority: () => raisePriority(libc()),
  endProcess: (pid) => endProcess(libc(), pid),
  killGroup: (leader) => killGroup(libc(), leader),
  lookup: (host) => lookupAddresses(host),
  startFindings,
  sandbox: () => "Linux confines a service from outside: see systemd.exec(5)",
};
