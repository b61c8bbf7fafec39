/**
 * Lets nothing leave a host around its tunnel: set up before anything else of the tunnel, and
 * removed after everything, but only by a clean end. A tunnel that is killed or fails leaves it in
 * place, until the next start takes it over or `aggvpn down` removes it.
 *
 * What may leave is known only as time goes by: the addresses of servers, the name of the interface,
 * the networks that this host joins. Whenever something is different the guard is replaced at once.
 * It is also looked at now and then, and put back when somebody has removed it.
 *
 * While the name of a server is looked up, and only then, questions to name servers may leave: on a
 * host whose resolver is elsewhere no tunnel could ever be set up otherwise. Other programs' questions
 * leave as well for that long.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { AggvpnError } from "../errors.ts";
import type { AwaitCommand } from "../platform/command_output.ts";
import type { GuardPlan, Platform, SystemChange } from "../platform/platform.ts";
import { changeLine, commandLine, type CommandResult } from "../platform/run_changes.ts";
import type { StartCommand } from "../platform/run_changes.ts";
import type { ChangeJournal } from "./change_journal.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** What {@linkcode LeakGuard} works with. */
export interface LeakGuardOptions {
  readonly platform: Pick<Platform, "guardChange" | "guardPrograms">;
  readonly name: string;
  /** The configured interface; absent: {@linkcode LeakGuard.setInterface} tells it. */
  readonly interface: string | undefined;
  /** The interfaces that links leave by, as they are at the moment. */
  readonly uplinks: () => readonly string[];
  /** Gets each command as it is run: `+ nft ...`. */
  readonly onChange: (line: string) => void;
  readonly run: StartCommand;
  readonly look: AwaitCommand;
  readonly journal: ChangeJournal | undefined;
}

/** The guard of one tunnel, from {@linkcode open} until {@linkcode close}. */
export class LeakGuard {
  readonly #options: LeakGuardOptions;
  /** What an earlier run has left. */
  readonly #left: readonly (readonly string[])[];
  #interface: string | undefined;
  #remotes: () => GuardPlan["remotes"] = () => [];
  #lookups = 0;
  #applied: SystemChange | undefined;
  #isWanted = false;
  #running: Promise<void> | undefined;
  #isFailing = false;
  #isClosed = false;
  #isHeld: boolean;

  private constructor(options: LeakGuardOptions) {
    this.#options = options;
    this.#interface = options.interface;
    this.#left = options.journal?.readKept() ?? [];
    this.#isHeld = this.#left.length > 0;
  }

  /** Sets the guard up. Throws AggvpnError when that fails: there is no tunnel without it. */
  static async open(options: LeakGuardOptions): Promise<LeakGuard> {
    const guard = new LeakGuard(options);
    const change = await options.platform.guardChange(guard.#plan);
    const { undo } = change;
    options.journal?.keep([...undo ? [undo] : [], ...guard.#left]);
    const { success, message } = await guard.#apply(change);
    if (!success) {
      options.journal?.keep(guard.#left);
      throw new AggvpnError(`Cannot run "${changeLine(change)}": ${message}`, {
        hint: "Without it packets could leave around the tunnel; leak_guard = false does without.",
      });
    }
    // One of another name.
    for (const command of guard.#left) {
      if (undo && commandLine(command) !== commandLine(undo)) await guard.#undo(command);
    }
    options.journal?.keep(undo ? [undo] : []);
    return guard;
  }

  /** Programs that are run while the tunnel runs, and at its end. */
  get programs(): readonly string[] {
    const { run, undo, look } = this.#applied ?? { run: [] };
    const own = [run[0], undo?.[0], look?.run[0]].filter((program) => program !== undefined);
    return [...new Set([...this.#options.platform.guardPrograms, ...own])];
  }

  /** The tunnel's interface has this name. */
  setInterface(name: string): Promise<void> {
    this.#interface = name;
    return this.refresh();
  }

  /** `remotes` tells from now on where the tunnel's datagrams may go. */
  follow(remotes: () => GuardPlan["remotes"]): Promise<void> {
    this.#remotes = remotes;
    return this.refresh();
  }

  /** Lets questions to name servers out until `lookup` has ended. */
  async whileAsking<T>(lookup: () => Promise<T>): Promise<T> {
    this.#lookups++;
    await this.refresh();
    try {
      return await lookup();
    } finally {
      this.#lookups--;
      // Whoever waits for the answer is told first, and knows more addresses then.
      setTimeout(() => void this.refresh(), 0);
    }
  }

  /** Looks whether everything is as it should be, and puts it right. Never rejects. */
  refresh(): Promise<void> {
    this.#isWanted = true;
    return this.#running ??= this.#refresh().finally(() => this.#running = undefined);
  }

  /** From now on only a clean end removes it. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The end that comes is a clean one. */
  release(): void {
    this.#isHeld = false;
  }

  /** Ends the guard; unless the end is `clean`, one that is held stays. */
  async close(clean: boolean): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    const undo = this.#applied?.undo;
    if (!clean && this.#isHeld) {
      const { name } = this.#options;
      const fields = { command: `aggvpn down ${name}` };
      log.warning(
        'Nothing leaves around the tunnel until it runs again; "{command}" ends that',
        fields,
      );
      return;
    }
    if (undo) await this.#undo(undo);
    this.#options.journal?.keep([]);
  }

  get #plan(): GuardPlan {
    const { name, uplinks } = this.#options;
    return {
      name,
      ...this.#interface !== undefined && { interface: this.#interface },
      remotes: this.#remotes(),
      uplinks: uplinks(),
      asksNames: this.#lookups > 0,
    };
  }

  async #refresh(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        await this.#update(await this.#options.platform.guardChange(this.#plan));
      } catch (error) {
        if (!(error instanceof AggvpnError)) throw error;
        this.#complain(error.message);
      }
    }
  }

  async #update(change: SystemChange): Promise<void> {
    const isSame = this.#applied && changeLine(this.#applied) === changeLine(change);
    const isThere = await this.#isThere(change);
    // What was asked for meanwhile is done next.
    if (this.#isClosed || isSame && isThere) return;
    if (!isThere) {
      log.warning("Somebody changed the network; put back: {commands}", {
        commands: "the guard against leaks",
      });
    }
    const { success, message } = await this.#apply(change);
    if (success) this.#isFailing = false;
    else this.#complain(message);
  }

  async #isThere({ look }: SystemChange): Promise<boolean> {
    if (!look) return true;
    const { success, output } = await this.#options.look(look.run);
    return success && look.shows.test(output);
  }

  async #apply(change: SystemChange): Promise<CommandResult> {
    this.#options.onChange(`+ ${changeLine(change)}`);
    const result = await this.#options.run(change.run, change.input);
    if (result.success) this.#applied = change;
    return result;
  }

  async #undo(command: readonly string[]): Promise<void> {
    this.#options.onChange(`- ${commandLine(command)}`);
    const { success, message } = await this.#options.run(command);
    if (success) return;
    log.warning("{command} {reason}", { command: commandLine(command), reason: message });
  }

  #complain(reason: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    log.error("Cannot renew the guard against leaks: {reason}", { reason });
  }
}
