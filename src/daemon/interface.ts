/**
 * Sets up the tunnel interface with addresses, routes and whatever else it needs from the system,
 * and undoes all of it.
 *
 * An interface that stays gets back its old settings: most of them while it is still open, like all
 * other changes; those that closing it would change again, only afterwards.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { NetworkPlan, Platform, SystemCommand, Tun, TunKind } from "../platform/platform.ts";
import {
  type ReportKind,
  type RunCommand,
  startCommand,
  undoWith,
} from "../platform/run_changes.ts";
import { logFinding } from "./log_finding.ts";
import { InterfaceMtu, leastMtu } from "./interface_mtu.ts";
import type { ChangeJournal } from "./change_journal.ts";
import { awaitCommand } from "../platform/command_output.ts";
import { Repair } from "./repair.ts";
import { TunnelNetwork } from "./tunnel_network.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** What {@linkcode openInterface} needs. */
export interface InterfaceOptions {
  readonly platform: Platform;
  /** Name of the interface; the system chooses when absent. */
  readonly name: string | undefined;
  readonly kind: TunKind;
  /** Returns what the interface should look like. */
  readonly plan: (device: string) => NetworkPlan;
  /** Gets each system change as it is made: `+ ip link set ...`, `- ip route del ...`. */
  readonly onChange: (line: string) => void;
  /** For tests: makes a change of the system. */
  readonly run: RunCommand | undefined;
  /** Where to note what would undo everything; absent: nowhere. */
  readonly journal?: ChangeJournal | undefined;
}

/** An interface that is set up. */
export interface OpenInterface {
  readonly tun: Tun;
  readonly mtu: InterfaceMtu;
  readonly repair: Repair;
  /** Programs that are run to change its MTU, to put back and to undo everything. */
  readonly programs: readonly string[];
  /**
   * Has routes, rules and name servers be as another plan says. Throws AggvpnError, with nothing
   * changed, when that cannot be.
   */
  readonly replan: (plan: NetworkPlan) => Promise<void>;
}

/**
 * Opens the interface and sets it up, and pushes the undoing of all of it onto `stack`. Resolves
 * when its addresses can be used, or the log says that they cannot. Throws AggvpnError.
 */
export async function openInterface(
  options: InterfaceOptions,
  stack: AsyncDisposableStack,
): Promise<OpenInterface> {
  const { platform, name, kind, run } = options;
  const interfaces = platform.keptInterfaces(name);
  const report = changeReporter(options.onChange);
  const closed: { commands: readonly (readonly string[])[] } = { commands: [] };
  stack.defer(() => options.journal?.clear());
  stack.defer(() => undoWith(closed.commands, report, run));
  const tun = platform.openTun(name, kind);
  stack.defer(() => tun.close());
  log.debug("Interface {name} has offload: {offload}", { name: tun.name, offload: tun.offload });

  const kept = interfaces.find((one) => one.name === tun.name);
  if (kept) closed.commands = platform.closedCommands(kept);
  const plan = { ...options.plan(tun.name), ...kept && { kept } };
  const network = new TunnelNetwork({
    plan,
    changes: (plan) => platform.networkChanges(plan),
    note: (undo) => options.journal?.note([...undo, ...closed.commands]),
    report,
    run,
  });
  network.make();
  stack.defer(() => network.undo());
  // One unusable address is no reason to give up the others.
  for (const finding of await platform.awaitAddresses(plan)) logFinding(finding);
  const commandsFor = (mtu: number): SystemCommand[] =>
    network.changes.flatMap(({ atMtu }) => atMtu ? [atMtu(mtu)] : []);
  const mtu = new InterfaceMtu({
    start: plan.mtu,
    least: leastMtu(plan),
    commandsFor,
    onChange: options.onChange,
    run: run ?? startCommand,
  });
  stack.defer(() => mtu.close());
  const repair = new Repair({
    changes: () => network.changes,
    mtu: () => mtu.current,
    onTaken: (change) => network.take(change),
    onChange: options.onChange,
    look: awaitCommand,
    run: run ?? startCommand,
  });
  stack.defer(() => repair.close());
  const later = [...commandsFor(plan.mtu).map(({ run }) => run), ...closed.commands];
  const programs = [
    ...later.flatMap(([program]) => program ?? []),
    ...network.programs,
    ...repair.programs,
  ];
  const replan = (plan: NetworkPlan): Promise<void> =>
    repair.whileIdle(() => network.replace({ ...plan, ...kept && { kept } }, run ?? startCommand));
  return { tun, mtu, repair, programs, replan };
}

/** Shows changes to those who asked for them, and failures to everybody. */
function changeReporter(
  onChange: (line: string) => void,
): (line: string, kind: ReportKind) => void {
  let command = "";
  return (line, kind) => {
    if (kind === "failure") return log.warning("{command} {reason}", { command, reason: line });
    command = line;
    onChange(`${kind === "undo" ? "-" : "+"} ${line}`);
  };
}
