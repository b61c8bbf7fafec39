/**
 * What the demo shows as it runs: rows that grow, redrawn in place on a terminal, elsewhere one
 * plain line per second. 80 columns.
 *
 * @module
 */

/** Columns of a row's label, chart and figure; with two blanks they are 79. */
const LABEL = 16;
const CHART = 48;
const FIGURE = 13;
const BLOCKS = " ▁▂▃▄▅▆▇█";
const ASCII = " .:-=+*%#";

/** SGR codes of ECMA-48. Nothing is said by colour alone. */
const COLORS = { green: "32", cyan: "36", red: "31", bold: "1", dim: "2" } as const;
/** A colour of the demo. */
export type Color = keyof typeof COLORS;

/** One row: a rate over time. */
export class Row {
  readonly label: string;
  readonly color: Color;
  /** Bits per second of each step of the chart. */
  readonly values: number[] = [];
  /** Shown at the end instead of the last value. */
  figureBps: number | undefined;

  constructor(label: string, color: Color) {
    this.label = label;
    this.color = color;
  }
}

/** Words under a place of the charts, such as where a line was cut. */
export interface Mark {
  readonly step: number;
  readonly text: string;
}

/** Where and how it is drawn. */
export interface ScreenOptions {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly color: boolean;
  readonly unicode: boolean;
  /** Bits per second of a full block. */
  readonly fullBps: number;
  /** Steps of a chart that are one second. */
  readonly stepsPerSecond: number;
}

/** Draws rows. */
export class Screen {
  readonly #options: ScreenOptions;
  #drawn = 0;
  #said = 0;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Writes lines that stay. */
  print(...lines: readonly string[]): void {
    this.#drawn = 0;
    this.#options.write(lines.map((line) => line + "\n").join(""));
  }

  /** A text in a colour, if colours are wanted. */
  paint(text: string, color: Color): string {
    return this.#options.color ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
  }

  /** Shows the rows as they are now, and what has happened under them. */
  update(rows: readonly Row[], marks: readonly Mark[] = []): void {
    if (this.#options.isTerminal) this.#redraw(this.#lines(rows, marks));
    else this.#speak(rows, marks.at(-1)?.text ?? "");
  }

  /** Shows the rows a last time, so that they stay. */
  finish(rows: readonly Row[], marks: readonly Mark[] = []): void {
    const lines = this.#lines(rows, marks);
    if (this.#options.isTerminal) this.#redraw(lines);
    else this.#options.write(lines.map((line) => line + "\n").join(""));
    this.#drawn = 0;
    this.#said = 0;
  }

  /** A row as text. */
  line(row: Row): string {
    const bps = row.figureBps ?? row.values.at(-1) ?? 0;
    const figure = `${(bps / 1e6).toFixed(1)} Mbit/s`.padStart(FIGURE);
    const chart = this.paint(this.#chart(row).padEnd(CHART), row.color);
    return ` ${row.label.padEnd(LABEL)}${chart} ${figure}`;
  }

  #lines(rows: readonly Row[], marks: readonly Mark[]): string[] {
    return [...rows.map((row) => this.line(row)), ...marks.length === 0 ? [] : [marksLine(marks)]];
  }

  #chart(row: Row): string {
    const levels = this.#options.unicode ? BLOCKS : ASCII;
    return row.values.slice(0, CHART).map((bps) => {
      const level = Math.ceil(bps / this.#options.fullBps * (levels.length - 1) - 0.2);
      return levels[Math.max(0, Math.min(levels.length - 1, level))];
    }).join("");
  }

  #redraw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    this.#options.write(up + lines.map((line) => `\r${line}\x1b[K\n`).join(""));
    for (let extra = lines.length; extra < this.#drawn; extra++) this.#options.write("\x1b[K\n");
    this.#drawn = Math.max(lines.length, this.#drawn);
  }

  #speak(rows: readonly Row[], note: string): void {
    const { stepsPerSecond, write } = this.#options;
    const steps = rows[0]?.values.length ?? 0;
    if (Math.floor(steps / stepsPerSecond) <= this.#said) return;
    this.#said = Math.floor(steps / stepsPerSecond);
    const rates = rows.map((row) => {
      const last = row.values.slice(-stepsPerSecond);
      const bps = last.reduce((sum, value) => sum + value, 0) / Math.max(1, last.length);
      return `${row.label.trim()} ${(bps / 1e6).toFixed(1)}`;
    });
    const line = ` ${String(this.#said).padStart(2)} s  ${rates.join(", ")} Mbit/s  ${note}`;
    write(line.trimEnd() + "\n");
  }
}

/** A line with a pointer and words for each mark. */
export function marksLine(marks: readonly Mark[]): string {
  return marks.reduce((line, { step, text }) => {
    const column = 1 + LABEL + Math.min(step, CHART - 1);
    return `${line.padEnd(column)}${line.length > column ? " " : ""}^${text}`;
  }, "");
}
