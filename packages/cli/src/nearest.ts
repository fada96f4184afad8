/**
 * "Did you mean …?"
 *
 * @module
 */

/** Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The choice that `given` was most likely meant to be: a beginning of it, or at most a third of its letters wrong. */
export function nearest(given: string, choices: readonly string[]): string | undefined {
  if (given.length >= 2) {
    const begun = choices.filter((choice) => choice.startsWith(given));
    if (begun.length === 1) return begun[0];
  }
  let best: string | undefined;
  let least = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const choice of choices) {
    const steps = distance(given, choice);
    if (steps < least) [best, least] = [choice, steps];
  }
  return best;
}
