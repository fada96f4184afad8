/**
 * Members of options that nobody reads. A misspelt one would be a choice that is silently not made, so it is refused with the nearest name that is known.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

/** The number of letters to change, insert, leave out or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same, swapped));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** The known name that was most likely meant, or undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const found = distance(name.toLowerCase(), candidate.toLowerCase());
    if (found < least) [best, least] = [candidate, found];
  }
  return best;
}

/**
 * Checks that an object of options has known members only. One whose value is undefined counts as absent.
 *
 * @param path What the object is called, for messages; empty for options at the top.
 * @throws SottoError `invalid-argument`
 */
export function knownKeys(path: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null)
    throw new SottoError('invalid-argument', `${path} is ${show(value)}; it must be an object that can hold ${known.join(', ')}`);
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new SottoError(
      'invalid-argument',
      `${path === '' ? '' : `${path}.`}${name} is not known${meant}${meant === '' ? '; ' : ' '}${path === '' ? 'the options' : path} can hold ${known.join(', ')}`,
    );
  }
}
