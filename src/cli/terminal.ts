/**
 * The terminal that shows what is written.
 *
 * @module
 */

import { COLUMNS } from "./wrap.ts";

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

/** Returns the width of that terminal; that of a usual one where there is none. */
export function terminalColumns(): number {
  return terminalSize()?.columns ?? COLUMNS;
}
