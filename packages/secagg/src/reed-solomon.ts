/**
 * Wrong shares among the right ones. The shares of one secret are a word of a generalised Reed–Solomon code: with a
 * shares, t of which open the secret, up to ⌊(a − t)/2⌋ wrong ones are found. Syndromes do not depend on the secret, so
 * neither does the time.
 *
 * @module
 */
import { addMultiple, invert, multiply, toBytes, toWords } from './field.ts';
import type { Field } from './field.ts';

/** u_i = Π_{j≠i} (x_i − x_j)^−1, the column multipliers of the dual code. */
export function dualMultipliers(field: Field, points: readonly number[]): number[] {
  return points.map((x, i) => {
    let product = 1;
    for (const [j, other] of points.entries()) if (j !== i) product = multiply(field, product, x ^ other);
    return invert(field, product);
  });
}

/**
 * Syndromes that {@link sharesAgree} looks at. Any s of them see up to s wrong shares for certain: the columns of s places are
 * independent (Vandermonde). s + 1 holders who know of one another can cancel in them. Nothing of the sum rests on that, since the secret is
 * checked by itself, against its commitment or key: what goes unseen only goes unblamed. So the number is not the whole redundancy a − t, which for
 * 512 members would be 170 passes over the shares of each dealer; with eight, errors that were not made to cancel go unseen with a probability of 2^−64
 * for each element.
 */
const QUICK_SYNDROMES = 8;

/**
 * A quick look at shares whose secret is known to be right: false where up to eight of them are wrong, as far as the
 * redundancy a − t goes. `multipliers` are {@link dualMultipliers} of the points.
 */
export function sharesAgree(
  field: Field,
  points: readonly number[],
  multipliers: readonly number[],
  shares: readonly Uint8Array[],
  t: number,
): boolean {
  return disagreement(field, points, multipliers, shares, Math.min(QUICK_SYNDROMES, points.length - t)).every(
    (byte) => byte === 0,
  );
}

/** The first `count` syndromes of all elements, laid over one another by or: zero in an element in which the shares agree so far. */
function disagreement(
  field: Field,
  points: readonly number[],
  multipliers: readonly number[],
  shares: readonly Uint8Array[],
  count: number,
): Uint8Array {
  const factors = [...multipliers];
  const words = shares.map(toWords);
  const all = new Uint32Array(words[0]?.length ?? 0);
  for (let k = 0; k < count; k++) {
    const syndrome = new Uint32Array(all.length);
    for (const [i, share] of words.entries()) {
      addMultiple(field, syndrome, share, factors[i]!);
      factors[i] = multiply(field, factors[i]!, points[i]!);
    }
    for (const [w, word] of syndrome.entries()) all[w]! |= word;
  }
  return toBytes(all);
}

/**
 * Places of the wrong shares, ascending: empty where all agree, `undefined` where more are wrong than can be told.
 *
 * `points` are distinct and not zero; `shares` have equal lengths; `t` shares determine the secret.
 */
export function findWrongShares(
  field: Field,
  points: readonly number[],
  shares: readonly Uint8Array[],
  t: number,
): readonly number[] | undefined {
  const alive = points.map((_, i) => i);
  const wrong: number[] = [];
  const limit = Math.floor((points.length - t) / 2);
  const elementBytes = field.bits / 8;
  // Each element position is a word of its own; a share that is wrong in one is wrong as a whole, so it is dropped for
  // all. A drop-out lowers both the length and the number of remaining errors by one.
  for (;;) {
    const left = alive.map((i) => points[i]!);
    const kept = alive.map((i) => shares[i]!);
    const multipliers = dualMultipliers(field, left);
    // A wrong share is mostly wrong all over, and seen at once; only where nothing is seen are all syndromes looked at.
    const redundancy = left.length - t;
    const dirty = (count: number): number => disagreement(field, left, multipliers, kept, count).findIndex((byte) => byte !== 0);
    const early = dirty(Math.min(QUICK_SYNDROMES, redundancy));
    const at = early < 0 ? dirty(redundancy) : early;
    if (at < 0) break;
    const values = kept.map((share) => element(share, Math.floor(at / elementBytes), elementBytes));
    const found = locate(field, left, multipliers, values, t, limit - wrong.length);
    if (found === undefined) return undefined;
    for (const place of [...found].reverse()) wrong.push(...alive.splice(place, 1));
  }
  return wrong.sort((a, b) => a - b);
}

function element(share: Uint8Array, index: number, elementBytes: number): number {
  return elementBytes === 1 ? share[index]! : (share[2 * index]! << 8) | share[2 * index + 1]!;
}

/** Berlekamp–Massey on the syndromes, then a search of the locator's roots among the points. */
function locate(
  field: Field,
  points: readonly number[],
  multipliers: readonly number[],
  values: readonly number[],
  t: number,
  limit: number,
): readonly number[] | undefined {
  const terms = values.map((value, i) => multiply(field, value, multipliers[i]!));
  const syndromes: number[] = [];
  for (let k = 0; k < points.length - t; k++) {
    let sum = 0;
    for (const [i, term] of terms.entries()) {
      sum ^= term;
      terms[i] = multiply(field, term, points[i]!);
    }
    syndromes.push(sum);
  }
  if (syndromes.every((syndrome) => syndrome === 0)) return [];
  const { locator, length } = shortestRecurrence(field, syndromes);
  if (length > limit) return undefined;
  const found: number[] = [];
  for (const [i, x] of points.entries()) {
    const inverse = invert(field, x);
    let value = 0;
    for (let k = locator.length - 1; k >= 0; k--) value = multiply(field, value, inverse) ^ locator[k]!;
    if (value === 0) found.push(i);
  }
  return found.length === length ? found : undefined;
}

/** The shortest linear recurrence of a sequence (Massey 1969): connection polynomial, constant term first, and its length. */
function shortestRecurrence(
  field: Field,
  sequence: readonly number[],
): { readonly locator: readonly number[]; readonly length: number } {
  let locator = [1];
  let previous = [1];
  let length = 0;
  let gap = 1;
  let previousDiscrepancy = 1;
  for (let n = 0; n < sequence.length; n++) {
    let discrepancy = sequence[n]!;
    for (let i = 1; i <= length; i++) discrepancy ^= multiply(field, locator[i] ?? 0, sequence[n - i]!);
    if (discrepancy === 0) {
      gap++;
      continue;
    }
    const factor = multiply(field, discrepancy, invert(field, previousDiscrepancy));
    const next = [...locator];
    for (const [i, coefficient] of previous.entries())
      next[i + gap] = (next[i + gap] ?? 0) ^ multiply(field, factor, coefficient);
    for (let i = 0; i < next.length; i++) next[i] ??= 0;
    if (2 * length <= n) {
      previous = locator;
      previousDiscrepancy = discrepancy;
      length = n + 1 - length;
      gap = 1;
    } else {
      gap++;
    }
    locator = next;
  }
  return { locator, length };
}
