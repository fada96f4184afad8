/**
 * The rules of each kind of gradient record: per-example gradients, their squared norms without materialising them, and
 * their weighted sum (book-keeping: Bu et al. 2023, "Differentially private optimization on large model at small cost").
 *
 * @module
 */
import type { GradientRecord } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { Ops } from '@sotto/core/ops';
import { lowerBounded } from './float-range.ts';

type Kind = GradientRecord<unknown>['kind'];
type Of<K extends Kind, T> = Extract<GradientRecord<T>, { kind: K }>;

interface Rules<K extends Kind> {
  /** `[n, K]`: each example's gradient in the record's own layout. */
  materialise<T>(ops: Ops<T>, record: Of<K, T>): T;
  /** `[n, 1]`: squared norms of each example's gradient, without the gradients where that is possible; never below them, see {@link ./float-range.ts}. */
  squaredNorms<T>(ops: Ops<T>, record: Of<K, T>): T;
  /** Σᵢ fᵢ·gᵢ in the record's own layout, for factors `[n, 1]`, without the gradients where that is possible. */
  weightedSum<T>(ops: Ops<T>, record: Of<K, T>, factors: T): T;
}

/** Σ over all but the first axis, as `[n, 1]`. */
export function sumPerExample<T>(ops: Ops<T>, x: T): T {
  const shape = ops.shapeOf(x);
  return ops.sum(ops.reshape(x, [shape[0]!, sizeOf(shape.slice(1))]), [1]);
}

const squares = <T>(ops: Ops<T>, x: T): T => sumPerExample(ops, ops.mul(x, x));

/** Factors `[n, 1]` shaped to multiply a tensor of rank `rank`. */
function spread<T>(ops: Ops<T>, factors: T, rank: number): T {
  return ops.reshape(factors, [ops.shapeOf(factors)[0]!, ...Array.from({ length: rank - 1 }, () => 1)]);
}

/** fᵀ·G for materialised gradients `[n, K]`. */
function weightRows<T>(ops: Ops<T>, gradients: T, factors: T): T {
  return ops.matMul(ops.reshape(factors, [1, ops.shapeOf(factors)[0]!]), gradients);
}

const rules: { readonly [K in Kind]: Rules<K> } = {
  outer: {
    materialise(ops, { a, g }) {
      const [n, d] = ops.shapeOf(a) as [number, number];
      const p = ops.shapeOf(g)[1]!;
      return ops.reshape(ops.mul(ops.reshape(a, [n, d, 1]), ops.reshape(g, [n, 1, p])), [n, d * p]);
    },
    squaredNorms: (ops, record) => outerSquaredNorms(ops, [record]),
    weightedSum: (ops, { a, g }, factors) => ops.matMul(a, ops.mul(g, factors), true, false),
  },
  product: {
    materialise(ops, { a, g, positionsLast }) {
      const sum = ops.matMul(a, g, !positionsLast, positionsLast);
      const [n, d, p] = ops.shapeOf(sum) as [number, number, number];
      return ops.reshape(sum, [n, d * p]);
    },
    // ‖AᵀG‖² = ⟨AAᵀ, GGᵀ⟩, the ghost norm.
    squaredNorms(ops, { a, g, positionsLast }) {
      const gram = (x: typeof a): typeof a => ops.matMul(x, x, positionsLast, !positionsLast);
      return sumPerExample(ops, ops.mul(gram(a), gram(g)));
    },
    weightedSum(ops, { a, g, positionsLast }, factors) {
      const weighted = ops.mul(g, spread(ops, factors, 3));
      if (positionsLast) {
        const [, d] = ops.shapeOf(a) as [number, number, number];
        const p = ops.shapeOf(g)[1]!;
        return ops.reshape(ops.sum(ops.matMul(a, weighted, false, true), [0]), [d, p]);
      }
      const [n, t, d] = ops.shapeOf(a) as [number, number, number];
      const p = ops.shapeOf(g)[2]!;
      return ops.matMul(ops.reshape(a, [n * t, d]), ops.reshape(weighted, [n * t, p]), true, false);
    },
  },
  direct: {
    materialise(ops, { g }) {
      const shape = ops.shapeOf(g);
      return ops.reshape(g, [shape[0]!, sizeOf(shape.slice(1))]);
    },
    squaredNorms: (ops, { g }) => squares(ops, g),
    weightedSum: (ops, record, factors) => weightRows(ops, rules.direct.materialise(ops, record), factors),
  },
  rows: {
    materialise(ops, { ids, g, rows }) {
      const [n, , p] = ops.shapeOf(g) as [number, number, number];
      return ops.reshape(ops.matMul(ops.oneHot(ids, rows), g, true, false), [n, rows * p]);
    },
    // Σ over pairs of positions with the same id of gₛ·gₜ.
    squaredNorms(ops, { ids, g }) {
      const [n, t] = ops.shapeOf(ids) as [number, number];
      const same = ops.equal(ops.reshape(ids, [n, t, 1]), ops.reshape(ids, [n, 1, t]));
      return sumPerExample(ops, ops.mul(same, ops.matMul(g, g, false, true)));
    },
    weightedSum(ops, { ids, g, rows }, factors) {
      const [n, t, p] = ops.shapeOf(g) as [number, number, number];
      const weighted = ops.reshape(ops.mul(g, spread(ops, factors, 3)), [n * t, p]);
      return ops.matMul(ops.reshape(ops.oneHot(ids, rows), [n * t, rows]), weighted, true, false);
    },
  },
};

// The table is exhaustive and keyed by the record's own kind, which TypeScript cannot follow through a union.
const rulesOf = <T>(record: GradientRecord<T>): Rules<Kind> => rules[record.kind] as unknown as Rules<Kind>;

/** Each example's gradient, `[n, K]`, in the record's own layout. */
export function materialise<T>(ops: Ops<T>, record: GradientRecord<T>): T {
  return rulesOf(record).materialise(ops, record);
}

/** Each example's gradient, `[n, K]`, in the parameter's layout. */
export function perExampleGradients<T>(ops: Ops<T>, record: GradientRecord<T>): T {
  const rows = materialise(ops, record);
  if (record.finishRows === undefined) return rows;
  const [n, size] = ops.shapeOf(rows) as [number, number];
  return ops.reshape(record.finishRows(ops, rows), [n, size]);
}

/** Squared norms, `[n, 1]`; of outer products an upper bound, which differs where one of their vectors has a norm below 2⁻³⁵. */
export function squaredNorms<T>(ops: Ops<T>, record: GradientRecord<T>): T {
  return rulesOf(record).squaredNorms(ops, record);
}

/** A record of outer products. */
export type OuterRecord<T> = Of<'outer', T>;

/**
 * Squared norms of several records of outer products, side by side: `[n, records]`. ‖a ⊗ g‖² = ‖a‖²·‖g‖² (Goodfellow 2015). Each vector is bounded by itself: where the squares of
 * one underflow, the other may be as large as floats are; but the norms of all are compared at once.
 */
export function outerSquaredNorms<T>(ops: Ops<T>, records: readonly OuterRecord<T>[]): T {
  const together = (vectors: readonly T[]): T => {
    const norms = vectors.map((vector) => squares(ops, vector));
    return lowerBounded(ops, norms.length === 1 ? norms[0]! : ops.concat(norms, 1));
  };
  return ops.mul(together(records.map(({ a }) => a)), together(records.map(({ g }) => g)));
}

/** Σᵢ fᵢ·gᵢ as a flat `[1, K]` in the parameter's layout. */
export function weightedSum<T>(ops: Ops<T>, record: GradientRecord<T>, factors: T): T {
  const sum = rulesOf(record).weightedSum(ops, record, factors);
  return finishSum(ops, record, sum);
}

/** A sum in the record's layout as a flat `[1, K]` in the parameter's layout. */
export function finishSum<T>(ops: Ops<T>, record: GradientRecord<T>, sum: T): T {
  const size = sizeOf(ops.shapeOf(sum));
  const flat = ops.reshape(sum, [1, size]);
  return record.finishRows === undefined ? flat : ops.reshape(record.finishRows(ops, flat), [1, size]);
}
