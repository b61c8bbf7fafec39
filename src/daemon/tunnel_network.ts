/**
 * The changes of the system that make a tunnel's plan true: made at the start, undone at the end, and
 * in between replaced where another plan differs.
 *
 * Another plan may differ in its routes, the rules of links and the name servers. What no plan has
 * any more is undone first, since the same route may come back by another gateway; then what is new
 * is made. When a command fails, all of this is taken back.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { partsOf } from "../platform/plan_parts.ts";
import type { NetworkPlan, SystemChange } from "../platform/platform.ts";
import {
  applyChanges,
  changeLine,
  type ReportKind,
  type RunCommand,
  type StartCommand,
  undoWith,
} from "../platform/run_changes.ts";

type Command = readonly string[];

/** What {@linkcode TunnelNetwork} works with. */
export interface TunnelNetworkOptions {
  readonly plan: NetworkPlan;
  /** Returns the commands that make a plan true on the host as it is. Throws AggvpnError. */
  readonly changes: (plan: NetworkPlan) => readonly SystemChange[];
  /** Gets what would undo everything, before each change. */
  readonly note: (undo: readonly Command[]) => void;
  readonly report: (line: string, kind: ReportKind) => void;
  /** For tests: makes a change of the system. */
  readonly run: RunCommand | undefined;
}

/** The network of one tunnel. */
export class TunnelNetwork {
  readonly #options: TunnelNetworkOptions;
  #plan: NetworkPlan;
  #changes: readonly SystemChange[];
  /** What undoes what was made, in order. */
  #made: readonly Command[] = [];
  /** The same for what others did at first and this program had to put back. */
  readonly #taken: Command[] = [];

  /** Throws AggvpnError when the plan cannot be made true. */
  constructor(options: TunnelNetworkOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#changes = options.changes(options.plan);
  }

  /** Everything that is to be in place, in the order in which it is made. */
  get changes(): readonly SystemChange[] {
    return this.#changes;
  }

  /** Programs that undo it. */
  get programs(): readonly string[] {
    return this.#changes.flatMap(({ undo }) => undo?.[0] ?? []);
  }

  /** Makes all changes. Throws AggvpnError, with all of them undone, when one fails. */
  make(): void {
    const { report, run } = this.#options;
    applyChanges(this.#changes, report, run, (undo) => this.#note(undo));
  }

  /** Undoes everything. */
  undo(): void {
    const { report, run } = this.#options;
    undoWith([...this.#taken.splice(0), ...this.#made], report, run);
    this.#made = [];
  }

  /** A change that others had made has come to be this program's. */
  take({ undo }: SystemChange): void {
    if (!undo || this.#taken.includes(undo)) return;
    this.#taken.unshift(undo);
    this.#note(this.#made);
  }

  /** Makes another plan true. Throws AggvpnError, with nothing changed, when that is not possible. */
  async replace(plan: NetworkPlan, run: StartCommand): Promise<void> {
    const [before, after] = [partsOf(this.#plan), partsOf(plan)];
    const gone = this.#changes.filter(({ part }) => part !== undefined && !after.has(part));
    const isNew = ({ part }: SystemChange): boolean => part !== undefined && !before.has(part);
    if (gone.length === 0 && after.isSubsetOf(before)) return;
    // Whether it is possible is known before anything is undone.
    this.#options.changes(plan);
    const undone = gone.filter(({ undo }) => undo !== undefined).toReversed();
    for (const { undo } of undone) await this.#run({ run: undo! }, "undo", run);
    const made: SystemChange[] = [];
    try {
      for (const change of this.#options.changes(plan).filter(isNew)) {
        const failure = await this.#run(change, "change", run);
        if (failure === undefined) made.push(change);
        else if (!change.mayFail) throw failureOf(change, failure);
      }
    } catch (error) {
      for (const { undo } of made.toReversed()) {
        if (undo) await this.#run({ run: undo }, "undo", run);
      }
      for (const change of undone.toReversed()) await this.#run(change, "change", run);
      throw error;
    }
    this.#plan = plan;
    this.#changes = [...this.#changes.filter((change) => !gone.includes(change)), ...made];
    const without = this.#made.filter((undo) => !gone.some((change) => change.undo === undo));
    this.#note([...made.toReversed().flatMap(({ undo }) => undo ? [undo] : []), ...without]);
  }

  /** Returns why it failed. */
  async #run(
    change: Pick<SystemChange, "run" | "input">,
    kind: "change" | "undo",
    run: StartCommand,
  ): Promise<string | undefined> {
    this.#options.report(changeLine(change), kind);
    const { success, message } = await run(change.run, change.input);
    if (success) return undefined;
    if (kind === "undo") this.#options.report(`failed: ${message}`, "failure");
    return message;
  }

  #note(made: readonly Command[]): void {
    this.#made = made;
    this.#options.note([...this.#taken, ...made]);
  }
}

function failureOf(change: SystemChange, message: string): AggvpnError {
  return new AggvpnError(`Cannot run "${changeLine(change)}": ${message}`, {
    hint: "Run the command by hand to see why it fails; what was changed before it was taken back.",
  });
}
