/**
 * "Did you mean": names that differ from what was typed by a slip.
 *
 * @module
 */

/** Returns those of `known` within two slips of `name`, nearest first. */
export function similarNames(name: string, known: readonly string[]): string[] {
  return known
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .filter(({ other, distance }) =>
      distance <= 2 && distance < Math.max(name.length, other.length)
    )
    .sort((a, b) => a.distance - b.distance)
    .map(({ other }) => other);
}

/** Insertions, deletions and replacements between two words (Levenshtein, one row at a time). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
