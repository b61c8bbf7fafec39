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
  applyChanges,
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
  const changes = platform.networkChanges(plan);
  // What others did at first comes to be undone here too, once it was put back.
  const taken: (readonly string[])[] = [];
  let made: readonly (readonly string[])[] = [];
  const note = (undo: readonly (readonly string[])[]): void => {
    made = undo;
    options.journal?.note([...taken, ...made, ...closed.commands]);
  };
  stack.defer(applyChanges(changes, report, run, note));
  stack.defer(() => undoWith(taken, report, run));
  // One unusable address is no reason to give up the others.
  for (const finding of await platform.awaitAddresses(plan)) logFinding(finding);
  const undoing = [...changes.flatMap(({ undo }) => undo ? [undo] : []), ...closed.commands];
  const commandsFor = (mtu: number): SystemCommand[] =>
    changes.flatMap(({ atMtu }) => atMtu ? [atMtu(mtu)] : []);
  const mtu = new InterfaceMtu({
    start: plan.mtu,
    least: leastMtu(plan),
    commandsFor,
    onChange: options.onChange,
    run: run ?? startCommand,
  });
  stack.defer(() => mtu.close());
  const repair = new Repair({
    changes,
    mtu: () => mtu.current,
    onTaken: ({ undo }) => {
      if (!undo || taken.includes(undo)) return;
      taken.unshift(undo);
      note(made);
    },
    onChange: options.onChange,
    look: awaitCommand,
    run: run ?? startCommand,
  });
  stack.defer(() => repair.close());
  const later = [...commandsFor(plan.mtu).map(({ run }) => run), ...undoing];
  const programs = [...later.flatMap(([program]) => program ?? []), ...repair.programs];
  return { tun, mtu, repair, programs };
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
