/**
 * Collects the problems of a file.
 *
 * @module
 */

import type { Problem } from "./config.ts";
import type { Position } from "./tree.ts";

/** Problems as they are found; sorted by place when they are read. */
export class Report {
  readonly #problems: Problem[] = [];

  /** Adds an error; `at` is undefined when it concerns the file as a whole. */
  error(at: Position | undefined, message: string, hint?: string): void {
    this.#add("error", at, message, hint);
  }

  /** Adds a warning. */
  warn(at: Position | undefined, message: string, hint?: string): void {
    this.#add("warning", at, message, hint);
  }

  /** Adds problems that another part has found. */
  addAll(problems: readonly Problem[]): void {
    this.#problems.push(...problems);
  }

  /** Whether there is an error so far. */
  get hasErrors(): boolean {
    return this.#problems.some((problem) => problem.severity === "error");
  }

  /** All problems in the order of the text, those of the whole file first. */
  get problems(): readonly Problem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  #add(
    severity: Problem["severity"],
    at: Position | undefined,
    message: string,
    hint?: string,
  ): void {
    const { line, column } = at ?? { line: 0, column: 0 };
    this.#problems.push({ severity, line, column, message, ...hint !== undefined && { hint } });
  }
}
