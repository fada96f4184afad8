/**
 * Sensitivity of matrix mechanisms: the largest L2 norm of a sum of columns of the strategy matrix C over the steps in
 * which one unit may take part, for one coordinate of contributions of norm at most 1.
 *
 * All strategies here are lower-triangular Toeplitz with non-negative coefficients, for which the worst contributions
 * are equal and of the same sign (Choquette-Choo et al. 2023, "(Amplified) banded matrix factorization", §3).
 *
 * @module
 */
import type { MatrixFactorisation, MatrixParticipation } from '@sotto/core/event';
import { SottoError } from '@sotto/core/errors';

/** The first column of C, of length `steps` or shorter where the rest is zero. */
export function strategyColumn(factorisation: MatrixFactorisation): Float64Array {
  const { steps } = factorisation;
  switch (factorisation.type) {
    case 'bandedToeplitz':
      return Float64Array.from(factorisation.coefficients);
    case 'squareRootToeplitz': {
      const bands = factorisation.bands === 0 ? steps : factorisation.bands;
      guardLength(bands);
      const column = new Float64Array(bands);
      column[0] = 1;
      for (let k = 1; k < bands; k++) column[k] = (column[k - 1]! * (2 * k - 1)) / (2 * k);
      return column;
    }
    case 'blt': {
      guardLength(steps);
      const column = new Float64Array(steps);
      column[0] = 1;
      const { outputScales, bufferDecays } = factorisation;
      const powers = Float64Array.from(outputScales);
      for (let k = 1; k < steps; k++) {
        let sum = 0;
        for (let j = 0; j < powers.length; j++) {
          sum += powers[j]!;
          powers[j] = powers[j]! * bufferDecays[j]!;
        }
        column[k] = sum;
      }
      return column;
    }
  }
}

function guardLength(steps: number): void {
  if (steps > 10_000_000) {
    throw new SottoError(
      'unsupported',
      `a strategy of ${steps} steps is more than the 10000000 that are accounted; cut it to bands`,
    );
  }
}

/** L2 norm of Σ_j C·e_(j·separation), j < k: the first columns are the longest ones, so the worst case begins at step 0. */
function stridedNorm(column: Float64Array, steps: number, separation: number, k: number): number {
  let total = 0;
  if (column.length <= separation) {
    // The bands of different participations do not overlap: squares add, and the last ones may be cut off by the end.
    let full = 0;
    for (const c of column) full += c * c;
    for (let j = 0; j < k; j++) {
      const room = steps - j * separation;
      if (room >= column.length) total += full;
      else for (let i = 0; i < room; i++) total += column[i]! * column[i]!;
    }
    return Math.sqrt(total);
  }
  const sum = new Float64Array(steps);
  for (let t = 0; t < steps; t++) {
    const own = t < column.length ? column[t]! : 0;
    // sum[t] = Σ_j c[t − j·separation], j < k: a strided prefix sum that forgets the (k+1)-th.
    const before = t >= separation ? sum[t - separation]! : 0;
    const gone = t >= k * separation && t - k * separation < column.length ? column[t - k * separation]! : 0;
    sum[t] = own + before - gone;
    total += sum[t]! * sum[t]!;
  }
  return Math.sqrt(total);
}

/** The sensitivity of C for units of contribution norm 1. @throws SottoError `unsupported`, `invalid-argument` */
export function matrixSensitivity(factorisation: MatrixFactorisation, participation: MatrixParticipation): number {
  const column = strategyColumn(factorisation);
  const { steps } = factorisation;
  if (participation.type === 'minSeparation') {
    const possible = Math.ceil(steps / participation.separation);
    const k = Math.min(possible, participation.maxParticipations);
    if (k > 1 && column.length > participation.separation && !nonIncreasing(column)) {
      throw new SottoError(
        'unsupported',
        'matrixMechanism: its coefficients increase, so the worst participation pattern is not known',
      );
    }
    return stridedNorm(column, steps, participation.separation, k);
  }
  if (participation.type === 'cyclicPoisson' && column.length > participation.groups) {
    throw new SottoError(
      'invalid-argument',
      `matrixMechanism has ${column.length} bands for ${participation.groups} groups; amplification needs at most as many bands as groups`,
    );
  }
  return stridedNorm(column, steps, steps, 1);
}

function nonIncreasing(column: Float64Array): boolean {
  for (let i = 1; i < column.length; i++) if (column[i]! > column[i - 1]!) return false;
  return true;
}
