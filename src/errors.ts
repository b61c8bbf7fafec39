/**
 * Errors a user can act on. Everything else is a bug and is allowed to crash.
 *
 * @module
 */

/** What the process returns to the shell. */
export const EXIT = { ok: 0, failure: 1, usage: 2, config: 3, noSession: 4 } as const;

/** An operating error: what failed, why, and what the user can do about it. */
export class AggvpnError extends Error {
  override readonly name: string = "AggvpnError";
  /** Process exit status when this error reaches `main.ts`. */
  readonly exitCode: number = EXIT.failure;
  /** One imperative sentence telling the user what to try next. */
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, options);
    this.hint = options.hint;
  }
}

/**
 * Something of this host or the network is not there, and may appear at any time: an interface, an
 * address, a name. What needs it can wait.
 */
export class AbsentError extends AggvpnError {
  override readonly name = "AbsentError";
}

/** A misuse of the command line: exit status 2. */
export class UsageError extends AggvpnError {
  override readonly name = "UsageError";
  override readonly exitCode = EXIT.usage;
}
