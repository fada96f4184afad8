/**
 * A loss law on a grid, as an upper and as a lower bound.
 *
 * With x = e^ε, the hockey-stick curve f(x) = ∫(1 − x·e^(−L))₊ dP is convex, and a measure on the grid is a convex
 * function that bends at the points of the grid only. If its curve lies above f (below f) everywhere, so does the curve of
 * every composition in which it takes the place of the law, since ∫∫(1 − x·y·z)₊ is monotone in either factor.
 *
 * - Upper: connect the dots (Doroshenko et al. 2022), the chords of f. In terms of masses, each loss goes to its two
 *   neighbouring points so that its mass under P and under Q are both kept. What lies above the grid counts as +∞.
 * - Lower: from tangents of f, one in each cell. At a point of the grid the lower of its two tangents is
 *   taken; the chord between two such points lies below the tangent between them. Where the result is not convex, its
 *   convex hull is taken. What lies below the grid, or above it, is dropped.
 *
 * Both err to second order in the width of the cells. The points are some of the multiples of one step: dense in the bulk,
 * sparser where there is hardly any mass.
 *
 * @module
 */
import type { LossNodes } from './loss-law.ts';

/** A measure on multiples of a step: masses of one direction. */
export interface GridMeasure {
  /** Losses in steps, ascending (descending for the add direction's upper bound). */
  readonly index: Int32Array;
  readonly mass: Float64Array;
  /** Mass at loss +∞. */
  readonly infinite: number;
}

/** Both directions. Every loss of the remove direction is `offset` more than its index says, of the add direction less. */
export interface GridPair {
  readonly remove: GridMeasure;
  readonly add: GridMeasure;
  readonly offset: number;
}

/** The same nodes with all losses less by `offset`. */
export function shiftNodes(nodes: LossNodes, offset: number): LossNodes {
  return {
    ...nodes,
    loss: nodes.loss.map((l) => l - offset),
    topEdge: nodes.topEdge - offset,
    bottomEdge: nodes.bottomEdge - offset,
  };
}

/** Where a grid is dense: within [low, high] every step is a point, farther out the distance grows in proportion. */
export interface Bulk {
  readonly low: number;
  readonly high: number;
  /** Over this distance the spacing grows by one step. */
  readonly scale: number;
}

/** Steps between neighbouring points at a loss: 1 in each bulk, and no more than any of the bulks asks for. */
function spacing(loss: number, bulks: readonly Bulk[]): number {
  let least = Infinity;
  for (const { low, high, scale } of bulks) {
    const distance = loss < low ? low - loss : loss - high;
    least = Math.min(least, distance > scale ? Math.floor(distance / scale) : 1);
  }
  return least;
}

/** The points, in steps, that cover [low, high]; there is a bulk for each direction. */
export function gridPoints(low: number, high: number, step: number, bulks: readonly Bulk[]): Int32Array {
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  // Outwards from within the bulk, so that the spacing grows on either side of it.
  const middle = Math.max(first, Math.min(last, Math.round((0.5 * (bulks[0]!.low + bulks[0]!.high)) / step)));
  const points: number[] = [];
  for (let i = middle; i > first;) {
    i = Math.max(first, i - spacing(i * step, bulks));
    points.push(i);
  }
  points.reverse();
  points.push(middle);
  for (let i = middle; i < last;) {
    i = Math.min(last, i + spacing(i * step, bulks));
    points.push(i);
  }
  return Int32Array.from(points);
}

/** The points as losses. */
export function pointLosses(points: Int32Array, step: number, offset: number): Float64Array {
  return Float64Array.from(points, (i) => i * step + offset);
}

/**
 * Where the tangents touch, one in each cell, so that the mass between two of them has about the loss of the point
 * between them: near the middle, shifted to second order by the slope of the log-density, which is read from `nodes`.
 * (Any choice within the cells gives a valid lower bound; this one loses least.) Relative to the offset of the points.
 */
export function touchingLosses(unshifted: LossNodes, points: Int32Array, step: number, offset: number): Float64Array {
  const nodes = shiftNodes(unshifted, offset);
  const cells = points.length - 1;
  const density = new Float64Array(cells);
  let cell = 0;
  for (let j = 0; j < nodes.loss.length; j++) {
    const position = nodes.loss[j]! / step;
    while (cell > 0 && position < points[cell]!) cell--;
    while (cell < cells - 1 && position >= points[cell + 1]!) cell++;
    density[cell] = density[cell]! + nodes.p[j]!;
  }
  for (let i = 0; i < cells; i++) density[i] = density[i]! / ((points[i + 1]! - points[i]!) * step);
  const out = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    const width = (points[i + 1]! - points[i]!) * step;
    const left = Math.max(0, i - 1);
    const right = Math.min(cells - 1, i + 1);
    const distance = 0.5 * (points[right]! + points[right + 1]! - points[left]! - points[left + 1]!) * step;
    const slope = density[left]! > 0 && density[right]! > 0 ? Math.log(density[right]! / density[left]!) / distance : 0;
    const shift = ((width * width) / 24) * (1 - 2 * slope);
    out[i] = 0.5 * (points[i]! + points[i + 1]!) * step + Math.max(-0.45 * width, Math.min(0.45 * width, shift));
  }
  return out;
}

/** 1 − e^(−u); by its series for the small u of narrow cells. */
function oneMinusExp(u: number): number {
  if (u > 0.004 || u < -0.004) return -Math.expm1(-u);
  return u * (1 - u * (0.5 - u * (1 / 6 - u * (1 / 24 - u * (1 / 120 - u / 720)))));
}

/** Connects the dots. `nodes` must have been made with the points as boundaries, or be atoms. */
export function upperMeasure(unshifted: LossNodes, points: Int32Array, step: number, offset: number): GridPair {
  const nodes = shiftNodes(unshifted, offset);
  const n = points.length;
  const p = new Float64Array(n);
  const q = new Float64Array(n);
  const count = nodes.loss.length;
  let pInf = nodes.pInf + nodes.pTop;
  let qInf = nodes.qInf + nodes.qBottom;
  let cell = 0;
  let g = points[0]! * step;
  let width = (points[1]! - points[0]!) * step;
  let inverse = 1 / oneMinusExp(width);
  let shrink = Math.exp(-width);
  for (let j = 0; j < count; j++) {
    const loss = nodes.loss[j]!;
    if (loss < g || loss >= g + width) {
      let moved = cell;
      while (moved > 0 && loss < points[moved]! * step) moved--;
      while (moved < n - 2 && loss >= points[moved + 1]! * step) moved++;
      if (moved !== cell) {
        cell = moved;
        g = points[cell]! * step;
        width = (points[cell + 1]! - points[cell]!) * step;
        inverse = 1 / oneMinusExp(width);
        shrink = Math.exp(-width);
      }
    }
    const bend = oneMinusExp(loss - g);
    let upper = bend * inverse;
    // Nodes may stick out of the grid by a rounding error.
    if (upper < 0) upper = 0;
    else if (upper > 1) upper = 1;
    const mp = nodes.p[j]!;
    const mq = nodes.q[j]! / (1 - bend);
    p[cell] = p[cell]! + mp * (1 - upper);
    p[cell + 1] = p[cell + 1]! + mp * upper;
    q[cell] = q[cell]! + mq * (1 - upper);
    q[cell + 1] = q[cell + 1]! + mq * upper * shrink;
  }
  if (nodes.pBottom > 0) {
    let at = 0;
    while (at < n && points[at]! * step < nodes.bottomEdge) at++;
    if (at < n) p[at] = p[at]! + nodes.pBottom;
    else pInf += nodes.pBottom;
  }
  if (nodes.qTop > 0) {
    let at = n - 1;
    while (at >= 0 && points[at]! * step > nodes.topEdge) at--;
    if (at >= 0) q[at] = q[at]! + nodes.qTop;
    else qInf += nodes.qTop;
  }
  const mirrored = points.map((i) => -i);
  return { remove: { index: points, mass: p, infinite: pInf }, add: { index: mirrored, mass: q, infinite: qInf }, offset };
}

/**
 * The lower bound of both directions from tangents at the losses `touching`, one in each cell; `nodes` must have been made
 * with these as boundaries, or be atoms.
 */
export function lowerMeasure(
  unshifted: LossNodes,
  points: Int32Array,
  touching: Float64Array,
  step: number,
  offset: number,
): GridPair {
  const nodes = shiftNodes(unshifted, offset);
  const back = { points: points.map((i) => -i).reverse(), touching: touching.map((t) => -t).reverse() };
  const loss = nodes.loss.map((l) => -l).reverse();
  return {
    remove: { ...lowerOneWay(nodes.loss, nodes.p, points, touching, step), infinite: nodes.pInf },
    add: { ...lowerOneWay(loss, nodes.q.slice().reverse(), back.points, back.touching, step), infinite: nodes.qInf },
    offset,
  };
}

function lowerOneWay(
  loss: Float64Array,
  mass: Float64Array,
  points: Int32Array,
  touching: Float64Array,
  step: number,
): { index: Int32Array; mass: Float64Array } {
  // Above the last point that some loss reaches, the curve is bounded by 0.
  let highest = -Infinity;
  for (let j = 0; j < loss.length; j++) if (mass[j]! > 0 && loss[j]! > highest) highest = loss[j]!;
  let n = points.length;
  while (n > 1 && points[n - 1]! * step > highest) n--;
  const index = points.subarray(0, n);
  // Of the mass between the tangents to both sides of point i: e^{g_i}·mass under Q, and mass under P minus that.
  const ratio = new Float64Array(n);
  const excess = new Float64Array(n);
  let cell = 0;
  const bound = (i: number): number =>
    i < 0 ? -Infinity : i >= n - 1 ? Infinity : i === n - 2 ? index[n - 1]! * step : touching[i]!;
  let from = bound(-1);
  let to = bound(0);
  for (let j = 0; j < loss.length; j++) {
    const l = loss[j]!;
    if (l < from || l >= to) {
      while (cell > 0 && l < bound(cell - 1)) cell--;
      while (cell < n - 1 && l >= bound(cell)) cell++;
      from = bound(cell - 1);
      to = bound(cell);
    }
    const bend = oneMinusExp(l - index[cell]! * step);
    const m = mass[j]!;
    ratio[cell] = ratio[cell]! + m * (1 - bend);
    excess[cell] = excess[cell]! + m * bend;
  }
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // How far the lower of the two tangents lies below the tangent to the right (u) and to the left (v).
    const u = Math.min(excess[i]!, 0);
    let value = ratio[i]!;
    if (i < n - 1) {
      const vNext = Math.min(-excess[i + 1]!, 0);
      value += (vNext - u) / Math.expm1((index[i + 1]! - index[i]!) * step);
    }
    if (i > 0) {
      const uPrevious = Math.min(excess[i - 1]!, 0);
      const v = Math.min(-excess[i]!, 0);
      value -= (v - uPrevious) / oneMinusExp((index[i]! - index[i - 1]!) * step);
    }
    out[i] = value;
  }
  convexify(out, index, step);
  return { index, mass: out };
}

/** Removes points of negative mass (concave kinks) by connecting their neighbours: the lower convex hull, above 0. */
function convexify(mass: Float64Array, index: Int32Array, step: number): void {
  let end = mass.length;
  for (;;) {
    end = endAtZero(mass, index, step, end);
    if (end === 0 || hull(mass, index, step, end)) return;
  }
}

/** Where the curve runs below 0 before its last point, lets it end at the last point at which it does not. */
function endAtZero(mass: Float64Array, index: Int32Array, step: number, end: number): number {
  if (end === 0 || mass[end - 1]! >= 0) return end;
  /** The curve at point i: Σ m_k(1 − x_i/x_k) over the points beyond. */
  const curve = (i: number): number => {
    let sum = 0;
    for (let k = i + 1; k < end; k++) sum += mass[k]! * oneMinusExp((index[k]! - index[i]!) * step);
    return sum;
  };
  let i = end - 2;
  while (i >= 0 && curve(i) < 0) i--;
  if (i <= 0) {
    mass.fill(0, 0, end);
    return 0;
  }
  const width = (index[i]! - index[i - 1]!) * step;
  const here = curve(i);
  const before = curve(i - 1);
  mass.fill(0, i, end);
  mass[i] = before / oneMinusExp(width);
  mass[i - 1] = mass[i - 1]! - here / Math.expm1(width);
  return i + 1;
}

/** One pass of the hull over the first `end` points; false if it left the last point negative. */
function hull(mass: Float64Array, index: Int32Array, step: number, end: number): boolean {
  const previous = new Int32Array(end);
  const next = new Int32Array(end);
  for (let i = 0; i < end; i++) {
    previous[i] = i - 1;
    next[i] = i + 1;
  }
  for (let start = 0; start < end - 1; start++) {
    let i = start;
    while (i >= 0 && mass[i]! < 0) {
      const debt = mass[i]!;
      const left = previous[i]!;
      const right = next[i]!;
      mass[i] = 0;
      previous[right] = left;
      if (left < 0) {
        // To the left of all kinks the curve is a line: a later kink of the same mass lies below.
        mass[right] = mass[right]! + debt;
        break;
      }
      next[left] = right;
      const share = oneMinusExp((index[i]! - index[left]!) * step) / oneMinusExp((index[right]! - index[left]!) * step);
      mass[right] = mass[right]! + debt * share;
      mass[left] = mass[left]! + debt * (1 - share);
      i = left;
    }
  }
  return mass[end - 1]! >= 0;
}
