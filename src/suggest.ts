/**
 * "Did you mean": the known word that a mistyped one probably stands for.
 *
 * The distance counts letters added, left out, replaced, and neighbours swapped
 * (optimal string alignment), since those are typical typing errors.
 *
 * @module
 */

/** Longer words are not compared: nobody mistypes them, and the table is quadratic. */
const MAX_COMPARED_LENGTH = 64;

/** Counts the errors that lead from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? beforeLast[j - 2]! + 1 : Infinity;
      row.push(Math.min(replace, swap, last[j]! + 1, row[j - 1]! + 1));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}

/**
 * Returns the candidate nearest to `word`, or undefined when none is near: at most one error in
 * three letters, not counting letter case and `-` for `_`.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_COMPARED_LENGTH) return undefined;
  const typed = fold(word);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, fold(candidate));
    if (distance >= least || distance >= candidate.length) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** Returns those of `known` within two errors of `name`, nearest first. */
export function similarNames(name: string, known: readonly string[]): string[] {
  if (name.length > MAX_COMPARED_LENGTH) return [];
  return known
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .filter(({ other, distance }) =>
      distance <= 2 && distance < Math.max(name.length, other.length)
    )
    .sort((a, b) => a.distance - b.distance)
    .map(({ other }) => other);
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}
