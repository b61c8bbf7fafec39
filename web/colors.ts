/**
 * Colours of links: those of Okabe and Ito, which people with any colour vision can tell apart, for
 * light and for dark. Lines differ in their dashes too.
 *
 * @module
 */

const LIGHT: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#a6488a",
  "#8a6d00",
  "#2a8fbd",
  "#5b5bd6",
  "#606a74",
];
const DARK: readonly string[] = [
  "#56b4e9",
  "#f0883e",
  "#2fc89a",
  "#e091c3",
  "#f0e442",
  "#7f9cf5",
  "#b8a1ff",
  "#a9b4c0",
];
const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** The colour of the link with this number. */
export function colorOf(id: number): string {
  const colors = darkScheme.matches ? DARK : LIGHT;
  return colors[id % colors.length]!;
}

/** How its lines are dashed. */
export function dashOf(id: number): number[] {
  return DASHES[id % DASHES.length]!;
}

/** The colour that the style sheet gives a variable. */
export function styleColor(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

/** Calls `listener` when light becomes dark or dark light. */
export function onSchemeChange(listener: () => void): void {
  darkScheme.addEventListener("change", listener);
}
