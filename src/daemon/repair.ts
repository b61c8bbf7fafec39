/**
 * Puts back what somebody else has changed of a running tunnel's network: a firewall that was loaded
 * again, a DHCP client that cleans up, an interface that was taken down and up.
 *
 * Each change says how to see whether it is still there. The look is cheap, a few commands that change
 * nothing, and taken every now and then. What is missing is made again in the order of the start.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { AwaitCommand } from "../platform/command_output.ts";
import type { SystemChange, SystemCommand } from "../platform/platform.ts";
import { changeLine, commandLine, type StartCommand } from "../platform/run_changes.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** Time between two looks in milliseconds. */
export const REPAIR_INTERVAL_MS = 10_000;

/** What {@linkcode Repair} works with. */
export interface RepairOptions {
  /** What is to be in place; may change between two looks, see {@linkcode Repair.whileIdle}. */
  readonly changes: () => readonly SystemChange[];
  /** MTU of the interface in bytes. */
  readonly mtu: () => number;
  /** Gets each change that was done by somebody else before. */
  readonly onTaken: (change: SystemChange) => void;
  /** Gets each command as it is run: `+ ip route add ...`. */
  readonly onChange: (line: string) => void;
  readonly look: AwaitCommand;
  readonly run: StartCommand;
}

/** Keeps the changes of one tunnel in place until {@linkcode close}. */
export class Repair {
  readonly #options: RepairOptions;
  /** Changes that could not be made again, which is told once. */
  readonly #failing: Set<SystemChange> = new Set();
  /** Those of changes that may fail which did not. */
  readonly #seen: Set<SystemChange> = new Set();
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** Programs that are run while the tunnel runs. */
  get programs(): readonly string[] {
    return this.#watched.flatMap(({ run, look }) => [run[0] ?? "", look!.run[0] ?? ""]);
  }

  /** Looks, and puts back what is missing; resolves when that is done. One look at a time. */
  repair(): Promise<void> {
    if (this.#isClosed || this.#watched.length === 0) return Promise.resolve();
    return this.#running ??= this.#repair().finally(() => this.#running = undefined);
  }

  /** Runs `change` while nothing is looked at; resolves or rejects as it does. */
  async whileIdle(change: () => Promise<void>): Promise<void> {
    while (this.#running) await this.#running;
    const running = change();
    this.#running = running.catch(() => {}).finally(() => this.#running = undefined);
    await running;
  }

  /** Resolves when no command runs any more; none is started after that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  get #watched(): readonly SystemChange[] {
    return this.#options.changes().filter(({ look }) => look !== undefined);
  }

  async #repair(): Promise<void> {
    const outputs = new Map<string, string>();
    const done: string[] = [];
    for (const change of this.#watched) {
      const isThere = await this.#isThere(change, outputs);
      if (this.#isClosed) break;
      if (isThere) {
        this.#failing.delete(change);
        this.#seen.add(change);
      } else if (change.look!.isGate) break;
      else if (change.mayFail && !this.#seen.has(change)) continue;
      else if (await this.#putBack(change)) done.push(commandLine(change.run));
    }
    if (done.length === 0) return;
    log.warning("Somebody changed the network; put back: {commands}", {
      commands: done.join(", "),
    });
  }

  async #isThere({ look }: SystemChange, outputs: Map<string, string>): Promise<boolean> {
    const key = look!.run.join(" ");
    let output = outputs.get(key);
    if (output === undefined) {
      const answer = await this.#options.look(look!.run);
      outputs.set(key, output = answer.success ? answer.output : "");
    }
    return look!.shows.test(output);
  }

  async #putBack(change: SystemChange): Promise<boolean> {
    const command: SystemCommand = change.atMtu?.(this.#options.mtu()) ?? change;
    this.#options.onChange(`+ ${changeLine(command)}`);
    if (change.isDone) this.#options.onTaken(change);
    const { success, message } = await this.#options.run(command.run, command.input);
    if (!success && !this.#failing.has(change)) {
      this.#failing.add(change);
      const fields = { command: commandLine(command.run), reason: message };
      log.warning("Cannot put back what somebody removed: {command} {reason}", fields);
    }
    return success;
  }
}
