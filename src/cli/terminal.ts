/**
 * The terminal that shows what is written.
 *
 * @module
 */

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Returns the size of the terminal that stdout is; undefined when it is none, or does not know. */
export function terminalSize(): TerminalSize | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
  } catch {
    return undefined; // it wants every standard stream to be a terminal
  }
}
