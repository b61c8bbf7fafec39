/**
 * Colour, which only repeats what the words say.
 *
 * @module
 */

/** Graphic renditions of ECMA-48 section 8.3.117. */
const CODES = { bold: 1, red: 31, yellow: 33 } as const;

/** When to use colour: what `--color` may be. */
export const COLOR_CHOICES: readonly string[] = ["auto", "always", "never"];

/** Returns `text` in a style, or as it is when `color` is off. */
export function paint(style: keyof typeof CODES, text: string, color: boolean): string {
  return color ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}
