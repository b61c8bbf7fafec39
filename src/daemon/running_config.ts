/**
 * The configuration of a running tunnel: its file, and what commands have changed since that was
 * read.
 *
 * Each change by a command is a function of the configuration; what is in force is the file with all
 * of them applied. A new change replaces an older one of the same thing. A reload forgets all of
 * them, as a restart does, and so does the end of the time that one was given.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config, LogLevel, Problem } from "../config/config.ts";
import type { PlainTable } from "../config/plain.ts";
import { AggvpnError } from "../errors.ts";
import type { Applied } from "./reconfigure.ts";
import type { EventHub } from "./event_hub.ts";
import type { ServiceNotifier } from "./service_notifier.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** A configuration file as it is now, or what is wrong with it. */
export interface FileReading {
  readonly config?: Config;
  readonly problems: readonly Problem[];
  /** The document without its secrets; absent when something is wrong. */
  readonly document?: PlainTable;
}

/** What {@linkcode RunningConfig} works with. */
export interface RunningConfigOptions {
  readonly tunnel: {
    readonly config: Config;
    /** Names of the links that there are (client). */
    readonly socketNames: readonly string[];
    readonly events: EventHub;
    reconfigure(make: (current: Config) => Config): Promise<Applied>;
  };
  /** Reads the file again, with `more` appended to its text. Never throws. */
  readonly read: (more?: string) => FileReading;
  readonly setLogLevel: (level: LogLevel) => void;
  readonly wallMs: () => number;
  /** Is told of each reload. */
  readonly manager?: Pick<ServiceNotifier, "reloading" | "ready">;
}

/** Something that a command changes. */
export interface Change {
  /** What it is about: of changes of one thing the last one counts. */
  readonly about: string;
  /** In words: `link lte: backup`. */
  readonly words: string;
  /** When it ends, in milliseconds since 1970; absent: never. */
  readonly endsAtMs?: number;
  readonly apply: (config: Config) => Config;
  /** Makes the document say so, as far as a file can. */
  readonly write?: (document: PlainTable) => void;
}

/** What a reload did. */
export interface Reloaded {
  readonly file: string;
  /** Empty when nothing was different. */
  readonly words: readonly string[];
  /** Changes by commands that the file has replaced. */
  readonly forgotten: readonly string[];
  readonly warnings: readonly Problem[];
}

/** A file that cannot be applied; nothing was. */
export interface Refused {
  readonly file: string;
  readonly problems: readonly Problem[];
}

/** Applies a file and commands to one tunnel. */
export class RunningConfig {
  readonly #options: RunningConfigOptions;
  #file: Config;
  #document: PlainTable;
  readonly #changes: Map<string, { readonly change: Change; readonly timer: number | undefined }> =
    new Map();

  /** @param started the reading that the tunnel was started with */
  constructor(options: RunningConfigOptions, started: FileReading) {
    this.#options = options;
    this.#file = options.tunnel.config;
    this.#document = started.document ?? {};
  }

  /** The configuration in force. */
  get current(): Config {
    return this.#options.tunnel.config;
  }

  /** Names of the links that there are, those that were found by themselves too. */
  get linkNames(): readonly string[] {
    return this.#options.tunnel.socketNames;
  }

  /** What is in force as a file would say it, without secrets. */
  get document(): PlainTable {
    const document = structuredClone(this.#document);
    for (const { write } of this.changes) write?.(document);
    return document;
  }

  /** Changes by commands that are in force, the oldest first. */
  get changes(): readonly Change[] {
    return [...this.#changes.values()].map(({ change }) => change);
  }

  /** Reads the file with `more` appended. Throws AggvpnError with its first error. */
  readWith(more: string): { readonly config: Config; readonly document: PlainTable } {
    const { config, problems, document = {} } = this.#options.read(more);
    if (config) return { config, document };
    const { message, hint } = problems.find(({ severity }) => severity === "error")!;
    throw new AggvpnError(message, hint === undefined ? {} : { hint });
  }

  /**
   * Reads the file again and applies it, whole or not at all. Rejects with AggvpnError when some of it
   * needs a restart.
   */
  async reload(by: string): Promise<Reloaded | Refused> {
    const { manager } = this.#options;
    manager?.reloading();
    try {
      return await this.#reload(by);
    } finally {
      manager?.ready();
    }
  }

  async #reload(by: string): Promise<Reloaded | Refused> {
    const { file } = this.#file;
    const { config, problems, document } = this.#options.read();
    if (!config) {
      for (const { message, line } of problems.filter(({ severity }) => severity === "error")) {
        log.error("Not reloaded, {file}:{line}: {message}", { file, line, message });
      }
      return { file, problems };
    }
    let applied: Applied;
    try {
      applied = await this.#options.tunnel.reconfigure(() => config);
    } catch (error) {
      if (error instanceof AggvpnError) {
        log.error("Not reloaded: {reason}", { reason: error.message });
      }
      throw error;
    }
    const forgotten = this.changes.map(({ words }) => words);
    this.#forgetAll();
    this.#file = config;
    this.#document = document ?? {};
    this.#follow(applied);
    const what = applied.words.length === 0 ? "nothing is different" : applied.words.join(", ");
    this.#tell(`${file} was reloaded by ${by}: ${what}`);
    return { file, words: applied.words, forgotten, warnings: problems };
  }

  /** Puts a change in force, in place of an older one of the same thing. */
  async change(change: Change): Promise<void> {
    const before = this.#changes.get(change.about);
    const others = this.changes.filter(({ about }) => about !== change.about);
    await this.#apply([...others, change]);
    clearTimeout(before?.timer);
    const timer = change.endsAtMs === undefined
      ? undefined
      : setTimeout(() => void this.#end(change), change.endsAtMs - this.#options.wallMs());
    this.#changes.delete(change.about);
    this.#changes.set(change.about, { change, timer: timer as number | undefined });
    this.#tell(change.words);
  }

  /** Ends a change, if there is one about this, and says so. Returns whether there was. */
  async forget(about: string): Promise<boolean> {
    const known = this.#changes.get(about);
    if (!known) return false;
    await this.#apply(this.changes.filter((change) => change !== known.change));
    clearTimeout(known.timer);
    this.#changes.delete(about);
    this.#tell(`${known.change.words} is over`);
    return true;
  }

  /** Nothing ends by itself any more. */
  close(): void {
    this.#forgetAll();
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    const make = (): Config => changes.reduce((config, { apply }) => apply(config), this.#file);
    this.#follow(await this.#options.tunnel.reconfigure(make));
  }

  async #end(change: Change): Promise<void> {
    try {
      await this.forget(change.about);
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      log.error("{words} cannot end: {reason}", { words: change.words, reason: error.message });
    }
  }

  /** The log is not the daemon's. */
  #follow({ before }: Applied): void {
    const { logLevel } = this.current;
    if (logLevel !== before.logLevel) this.#options.setLogLevel(logLevel);
  }

  #forgetAll(): void {
    for (const { timer } of this.#changes.values()) clearTimeout(timer);
    this.#changes.clear();
  }

  #tell(message: string): void {
    this.#options.tunnel.events.publish({ type: "changed", message });
  }
}
