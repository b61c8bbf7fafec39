/**
 * What a subcommand is. Help, the manual page and shell completion are rendered
 * from these objects.
 *
 * @module
 */

/** The terminal as a command sees it, so that tests can replace it. */
export interface Shell {
  /** The answer. */
  readonly stdout: (text: string) => void;
  /** Everything else. */
  readonly stderr: (text: string) => void;
  /** Whether to colour what goes to stdout: `--color`, over NO_COLOR, over being a terminal. */
  readonly color: boolean;
  /** Aborted when nobody reads stdout any more; absent: that is not known. */
  readonly gone?: AbortSignal;
  /** How wide text for people is to be. */
  readonly columns: number;
}

/** A flag of a subcommand. */
export interface Flag {
  /** One line, imperative, no period. */
  readonly doc: string;
  /** Name of its value, such as `FILE`; absent for a switch. */
  readonly value?: string;
  /** One letter, such as `v`. */
  readonly short?: string;
  /** The only values, for completion. */
  readonly choices?: readonly string[];
}

/** Names that there are, which completion looks up. */
export type Named = "file" | "tunnel" | "link" | "client" | "command";

/** What a name in capitals stands for, for completion: names, or one of some words. */
export type Completes = Named | readonly string[];

/** What the user typed after the subcommand's name, already checked against it. */
export interface Arguments {
  readonly operands: readonly string[];
  /** Value of each flag given; `true` for a switch. */
  readonly flags: Readonly<Record<string, string | true>>;
}

/** A subcommand. */
export interface Command {
  readonly name: string;
  /**
   * Operands of the synopsis, such as `FILE`, `[NAME]` or `[MORE...]`; checked for number.
   * Alternatives are `FILE|NAME`; what is not in capitals is a word to be typed as it is.
   */
  readonly operands: string;
  /**
   * What operands and values of flags stand for where that is not clear: FILE is a file, NAME and
   * TUNNEL are a tunnel, LINK, CLIENT and COMMAND what they say.
   */
  readonly completes?: Readonly<Record<string, Completes>>;
  /** One line for `aggvpn help`; imperative, no period. */
  readonly summary: string;
  /** Paragraphs for `aggvpn help NAME` and the manual page. */
  readonly description: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Returns the exit status; throws AggvpnError. */
  readonly run: (shell: Shell, args: Arguments) => Promise<number>;
}
