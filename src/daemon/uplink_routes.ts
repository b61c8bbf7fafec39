/**
 * Routes and rules of uplinks, made and undone as these come and go.
 *
 * One run at a time, beside the event loop; what changes meanwhile is one more run.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { awaitCommand } from "../platform/command_output.ts";
import type { SystemChange, Uplink, UplinkSystem } from "../platform/platform.ts";
import { changeLine, commandLine, type StartCommand } from "../platform/run_changes.ts";
import { Repair } from "./repair.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** What {@linkcode UplinkRoutes} works with. */
export interface UplinkRoutesOptions {
  readonly plan: ReturnType<UplinkSystem["planner"]>;
  /** Gets each command as it is run. */
  readonly onChange: (line: string) => void;
  readonly run: StartCommand;
  /** Gets what would undo everything, in order, before each change. */
  readonly note: (undo: readonly (readonly string[])[]) => void;
}

/** Keeps the routes and rules of the present uplinks until {@linkcode close}. */
export class UplinkRoutes {
  readonly #options: UplinkRoutesOptions;
  /** What was made, by the line of the command, in that order. */
  readonly #made = new Map<string, SystemChange>();
  #wanted: readonly SystemChange[] = [];
  #repair: Repair | undefined;
  #running: Promise<void> | undefined;
  #isStale = false;

  constructor(options: UplinkRoutesOptions) {
    this.#options = options;
  }

  /** There are these uplinks. Resolves when the system is as they need it. */
  update(uplinks: readonly Uplink[]): Promise<void> {
    const wanted = this.#options.plan(uplinks);
    const isSame = wanted.map(changeLine).join("\n") === this.#wanted.map(changeLine).join("\n");
    if (isSame) return this.#running ?? Promise.resolve();
    this.#wanted = wanted;
    this.#isStale = true;
    return this.#running ??= this.#follow().finally(() => this.#running = undefined);
  }

  /** Puts back what somebody else has removed. */
  async repair(): Promise<void> {
    if (!this.#running) await this.#repair?.repair();
  }

  /** Undoes everything. */
  async close(): Promise<void> {
    await this.update([]);
    await this.#repair?.close();
  }

  async #follow(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#repair?.close();
      const wanted = new Map(this.#wanted.map((change) => [changeLine(change), change]));
      for (const [line, change] of [...this.#made].reverse()) {
        if (!wanted.has(line)) await this.#undo(line, change);
      }
      for (const [line, change] of wanted) {
        if (!this.#made.has(line)) await this.#make(line, change);
      }
      // What could not be made is left alone; what could is missed when it is gone.
      const made = [...this.#made.values()].map((change) => ({ ...change, mayFail: false }));
      this.#repair = this.#repairOf(made);
    }
  }

  async #make(line: string, change: SystemChange): Promise<void> {
    this.#options.onChange(`+ ${line}`);
    this.#made.set(line, change);
    this.#note();
    const { success, message } = await this.#options.run(change.run, change.input);
    if (success) return;
    this.#made.delete(line);
    log.warning("{command} {reason}", { command: line, reason: `failed: ${message}` });
  }

  async #undo(line: string, { undo }: SystemChange): Promise<void> {
    this.#made.delete(line);
    if (undo) {
      const command = commandLine(undo);
      this.#options.onChange(`- ${command}`);
      const { success, message } = await this.#options.run(undo);
      // A route goes with its interface.
      if (!success) log.debug("{command} {reason}", { command, reason: message });
    }
    this.#note();
  }

  #note(): void {
    const undo = [...this.#made.values()].reverse().flatMap(({ undo }) => undo ? [undo] : []);
    this.#options.note(undo);
  }

  #repairOf(changes: readonly SystemChange[]): Repair {
    const { onChange, run } = this.#options;
    return new Repair({
      changes: () => changes,
      mtu: () => 0,
      onTaken: () => {},
      onChange,
      look: awaitCommand,
      run,
    });
  }
}
