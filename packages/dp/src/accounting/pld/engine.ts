/**
 * Two-sided bounds on ε(δ) and δ(ε) of a composition of loss laws: chooses tilt, window and grid, discretises both ways,
 * composes by FFT and refines until the bounds are as close as asked.
 *
 * @module
 */
import {
  type Bulk,
  type GridMeasure,
  gridPoints,
  type GridPair,
  lowerMeasure,
  pointLosses,
  touchingLosses,
  upperMeasure,
} from './discretise.ts';
import { fftLength, RealFft } from './fft.ts';
import type { LossLaw, LossNodes } from './loss-law.ts';
import {
  cumulants,
  logDeltaEstimate,
  type Saddle,
  saddleForDelta,
  saddleForEpsilon,
  tailLimit,
  weightedTailLimit,
  type WeightedLaw,
} from './saddle.ts';
import { type Extent, type GridPart, TiltedComposition } from './tilted-composition.ts';

/** A law, run `count` times. */
export interface LawCount {
  readonly law: LossLaw;
  readonly count: number;
}

export type Direction = 'remove' | 'add';

/** How finely to compute. */
export interface Precision {
  /** Aim for upper − lower of ε at most this fraction of ε … */
  readonly relativeGap: number;
  /** … or at most this. */
  readonly absoluteGap: number;
  /** The step of the grid, in place of the one chosen from the gap. */
  readonly step?: number | undefined;
  /** The length of the transform, in place of the one chosen from the step. */
  readonly points?: number | undefined;
  /** Longest transform; it bounds the memory (about 120 bytes per point). */
  readonly maxPoints: number;
  /** `upper` leaves the lower bound out. */
  readonly bounds: 'both' | 'upper';
}

export const defaultPrecision: Precision = { relativeGap: 1e-4, absoluteGap: 1e-6, maxPoints: 2 ** 22, bounds: 'both' };

/** What is asked: ε at a δ, or δ at an ε. */
export type Question = { readonly delta: number } | { readonly epsilon: number };

/** Bounds, and how they were computed. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
  /** Direction that attains the upper bound. */
  readonly direction: Direction;
  readonly step: number;
  readonly points: number;
  readonly tilt: number;
  readonly tailMass: number;
  readonly numericError: number;
}

export interface Side {
  readonly direction: Direction;
  readonly laws: readonly WeightedLaw[];
  /** Probability that some loss is +∞ (of the law itself). */
  readonly infinite: number;
  readonly saddle: Saddle;
  /** The estimate of ε. */
  readonly epsilon: number;
  readonly extent: Extent;
  /** The greatest total loss; +∞ if it is not bounded. */
  readonly greatest: number;
}

const logWindowTail = -20;
const fewestPoints = 256;

function sideOf(nodes: readonly LossNodes[], counts: readonly number[], direction: Direction, question: Question): Side {
  const remove = direction === 'remove';
  const laws = nodes.map((n, i): WeightedLaw => ({
    loss: remove ? n.loss : n.loss.map((l) => -l),
    mass: remove ? n.p : n.q,
    count: counts[i]!,
  }));
  const infinite = -Math.expm1(nodes.reduce((sum, n, i) => sum + counts[i]! * Math.log1p(-(remove ? n.pInf : n.qInf)), 0));
  let saddle: Saddle;
  let epsilon: number;
  if ('delta' in question) {
    saddle = saddleForDelta(laws, Math.log(Math.max(question.delta - infinite, question.delta * 1e-6)));
    epsilon = saddle.mean;
  } else {
    saddle = saddleForEpsilon(laws, question.epsilon);
    epsilon = question.epsilon;
  }
  let greatest = 0;
  nodes.forEach((n, i) => {
    const bounded = remove ? n.pTop + n.pInf === 0 : n.qBottom + n.qInf === 0;
    const edge = remove ? n.topEdge : -n.bottomEdge;
    greatest += counts[i]! * (bounded ? laws[i]!.loss.reduce((a, b) => Math.max(a, b), edge) : Infinity);
  });
  return { direction, laws, infinite, saddle, epsilon, extent: extentOf(laws, saddle, epsilon), greatest };
}

/** The bound of Canonne, Kamath and Steinke 2020 (Prop. 12) on ln δ at ε from the cumulant function at one order. */
function logDeltaFromTilt(laws: readonly WeightedLaw[], tilt: number, epsilon: number): number {
  const value = cumulants(laws, tilt).value;
  return value - tilt * epsilon + tilt * Math.log(tilt / (1 + tilt)) - Math.log1p(tilt);
}

function standardDeviation(saddle: Saddle): number {
  return Math.sqrt(Math.max(saddle.variance, 1e-24));
}

function extentOf(laws: readonly WeightedLaw[], saddle: Saddle, epsilon: number, logTail: number = logWindowTail): Extent {
  const sd = standardDeviation(saddle);
  const epsilonLow = epsilon - sd;
  const epsilonHigh = epsilon + sd;
  const weighted = weightedTailLimit(laws, saddle, epsilonHigh, logTail);
  const above = tailLimit(laws, saddle, 1, logTail);
  const below = tailLimit(laws, saddle, -1, logTail);
  const high = Math.max(saddle.tilt > 0 ? Math.min(weighted.limit, above.limit) : above.limit, epsilonHigh + 0.5 * sd);
  // What is wrapped from just below the window lands at its upper end, where it hardly weighs.
  const nearBelow = tailLimit(laws, saddle, -1, Math.min(-1, logTail + 0.5 * saddle.tilt * (high - epsilonHigh)));
  const low = Math.min(
    epsilonLow - 0.5 * sd,
    high + Math.max(0, epsilonLow) - above.limit,
    Math.min(nearBelow.limit, below.limit + 0.5 * (high - epsilonHigh)),
  );
  return {
    tilt: saddle.tilt,
    low: saddle.tilt > 0 ? low : Math.min(low, below.limit),
    high,
    epsilonLow,
    epsilonHigh,
    thetaBelow: below.theta,
    thetaNearBelow: nearBelow.theta,
    thetaAbove: above.theta,
    orderAbove: weighted.theta,
  };
}

/** Everything that does not depend on the grid. */
export interface Problem {
  readonly items: readonly LawCount[];
  readonly steps: number;
  readonly tail: number;
  readonly question: Question;
  readonly sides: readonly Side[];
  /** At least the total variation distance of the composition, which is δ(0). */
  readonly distance: number;
}

export function pose(items: readonly LawCount[], question: Question): Problem {
  const steps = items.reduce((sum, item) => sum + item.count, 0);
  const counts = items.map((item) => item.count);
  let tail = 1e-30;
  if ('delta' in question) tail = Math.max(1e-280, (1e-9 * question.delta) / steps);
  else {
    const rough = items.map((item) => item.law.nodes(tail));
    const logDelta = Math.max(
      ...(['remove', 'add'] as const).map((d) => logDeltaEstimate(sideOf(rough, counts, d, question).saddle)),
    );
    tail = Math.min(1e-12, Math.max(1e-280, (1e-9 * Math.exp(logDelta)) / steps));
  }
  const nodes = items.map((item) => item.law.nodes(tail));
  const sides = (['remove', 'add'] as const).map((direction) => sideOf(nodes, counts, direction, question));
  // The direction that decides comes first.
  const rank = (side: Side): number => ('delta' in question ? side.epsilon : logDeltaEstimate(side.saddle));
  const distance = nodes.reduce((sum, n, i) => sum + counts[i]! * distanceOf(n), 0);
  return { items, steps, tail, question, sides: sides.toSorted((a, b) => rank(b) - rank(a)), distance };
}

/** The step for which second-order theory predicts the wanted gap: Δε ≈ steps·(λ+1)·h²/8. */
function chooseStep(problem: Problem, precision: Precision): number {
  const side = problem.sides[0]!;
  const gap = Math.max(precision.relativeGap * Math.max(side.epsilon, 0), precision.absoluteGap);
  const wanted = Math.sqrt((6 * gap) / (problem.steps * (1 + side.saddle.tilt)));
  const perStep = standardDeviation(side.saddle) / Math.sqrt(problem.steps);
  return Math.max(Math.min(wanted, perStep / 8), 1e-12);
}

/**
 * With windows for the ε found, where the estimate that they were chosen by was off: laws of two modes (rare large losses),
 * for which δ is a small part of what the tilt brings into the window, so that less may be left outside of it.
 */
function recentred(problem: Problem, found: Bounds): Problem {
  if ('epsilon' in problem.question || !(found.upper > 0) || found.upper === Infinity) return problem;
  const epsilon = found.upper;
  const logDelta = Math.log(problem.question.delta);
  const sides = problem.sides.map((side): Side => {
    if (side.direction !== found.direction) return side;
    const { tilt, value } = side.saddle;
    const logShare = logDelta + tilt * epsilon - value;
    if (logShare > -5) return side;
    return { ...side, epsilon, extent: extentOf(side.laws, side.saddle, epsilon, Math.min(logWindowTail, logShare - 16)) };
  });
  return { ...problem, sides };
}

/** δ(0) is below the δ asked for already. */
function nothingToHide(problem: Problem): Bounds {
  const { direction, saddle } = problem.sides[0]!;
  return { lower: 0, upper: 0, direction, step: 0, points: 0, tilt: saddle.tilt, tailMass: 0, numericError: 0 };
}

/** Total variation distance of one step, from above. */
function distanceOf(nodes: LossNodes): number {
  let distance = nodes.pInf + nodes.pTop + nodes.qInf + nodes.qBottom;
  for (let j = 0; j < nodes.loss.length; j++) distance += Math.max(0, nodes.p[j]! - nodes.q[j]!);
  return distance * (1 + 1e-9);
}

/** Bounds by a given accuracy. */
export function solve(items: readonly LawCount[], question: Question, precision: Precision): Bounds {
  let problem = pose(items, question);
  if ('delta' in question) {
    if (problem.distance <= question.delta) return nothingToHide(problem);
    // Where δ(0) may be below δ, one coarse look at it is cheaper than a search for an ε that is not there.
    if (problem.distance < 30 * question.delta) {
      const atZero = solve(items, { epsilon: 0 }, { ...precision, relativeGap: 0.02, bounds: 'upper' });
      if (atZero.upper <= question.delta) return nothingToHide(problem);
    }
  }
  const lattice = commonLattice(problem, precision);
  if (lattice !== undefined) return bracket(problem, lattice, true, precision);
  let step = precision.step ?? chooseStep(problem, precision);
  let best = bracket(problem, step, false, precision);
  for (
    let round = 0;
    round < 4 && precision.step === undefined && precision.points === undefined && precision.bounds === 'both';
    round++
  ) {
    // ε is refined to the gap asked for; where that is costly, and for δ, to ten times as much.
    const dear = best.points >= 2 ** 19 ? 10 : 1;
    const goal =
      'delta' in question
        ? dear * Math.max(precision.relativeGap * best.upper, 10 * precision.absoluteGap)
        : 10 * precision.relativeGap * best.upper;
    const gap = best.upper - best.lower;
    if (!(gap > 1.5 * goal) || best.points >= precision.maxPoints) break;
    step = best.step * Math.max(0.1, Math.min(0.5, 0.8 * Math.sqrt(goal / gap)));
    problem = recentred(problem, best);
    const next = bracket(problem, step, false, precision);
    const lower = Math.max(best.lower, next.lower);
    const improved = next.upper < best.upper ? next : best;
    best = { ...next, upper: improved.upper, direction: improved.direction, lower };
  }
  return best;
}

/** The step of the lattice that all laws share, unless it is too fine for the memory. */
function commonLattice(problem: Problem, precision: Precision): number | undefined {
  const step = problem.items[0]?.law.lattice?.step;
  if (step === undefined || !problem.items.every((item) => item.law.lattice?.step === step)) return undefined;
  const span = Math.max(...problem.sides.map((side) => side.extent.high - side.extent.low));
  return span / step < precision.maxPoints / 2 ? step : undefined;
}

/** One law, once: its curve is read off the grid, without any transform. */
function bracketOne(problem: Problem, step: number, precision: Precision): Bounds {
  const { law } = problem.items[0]!;
  const pair = measures(law, problem, step, false, precision.bounds);
  const read = (bound: 'upper' | 'lower', direction: Direction): number => {
    const offset = direction === 'remove' ? pair[bound].offset : -pair[bound].offset;
    return readMeasure(pair[bound][direction], step, offset, problem.question);
  };
  const remove = read('upper', 'remove');
  const add = read('upper', 'add');
  const direction = add > remove ? 'add' : 'remove';
  const lower = precision.bounds === 'upper' ? 0 : Math.max(read('lower', 'remove'), read('lower', 'add'));
  const greatest = Math.max(0, ...problem.sides.map((side) => side.greatest));
  const upper = 'delta' in problem.question ? Math.min(Math.max(remove, add), greatest) : Math.max(remove, add);
  const relative = 1e-11;
  return {
    lower: lower * (1 - relative),
    upper: upper * (1 + relative),
    direction,
    step,
    points: pair.upper[direction].index.length,
    tilt: 0,
    tailMass: pair.upper[direction].infinite,
    numericError: relative * (Number.isFinite(upper) ? upper : 0),
  };
}

/** ε at δ, or δ at ε, of a measure. */
function readMeasure({ index, mass, infinite }: GridMeasure, step: number, offset: number, question: Question): number {
  const descending = index.length > 1 && index[0]! > index[1]!;
  let a = infinite;
  let b = 0;
  let previous = Infinity;
  if ('delta' in question && infinite > question.delta) return Infinity;
  for (let k = 0; k < index.length; k++) {
    const i = descending ? k : index.length - 1 - k;
    const loss = index[i]! * step + offset;
    // a − e^(ε − previous)·b is δ(ε) between this point and the one before.
    const at = 'delta' in question ? Math.max(loss, 0) : question.epsilon;
    if ('epsilon' in question ? loss <= at : b > 0 && (loss <= 0 || a - Math.exp(at - previous) * b >= question.delta)) {
      if ('epsilon' in question) return b > 0 ? Math.max(0, a - Math.exp(at - previous) * b) : a;
      return a - question.delta > 0 ? Math.max(at, Math.min(previous, previous + Math.log((a - question.delta) / b))) : at;
    }
    b = (b > 0 ? b * Math.exp(loss - previous) : 0) + mass[i]!;
    a += mass[i]!;
    previous = loss;
  }
  if ('epsilon' in question) return b > 0 ? Math.max(0, a - Math.exp(question.epsilon - previous) * b) : a;
  return 0;
}

function bracket(problem: Problem, wantedStep: number, exact: boolean, precision: Precision): Bounds {
  if (!exact && problem.steps === 1) return bracketOne(problem, wantedStep, precision);
  const first = problem.sides[0]!;
  const span = Math.max(...problem.sides.map((side) => side.extent.high - side.extent.low));
  let step = wantedStep;
  let size = fftLength(Math.max(fewestPoints, span / step + 8));
  if (precision.points !== undefined && !exact) size = fftLength(Math.max(fewestPoints, precision.points));
  if (size > precision.maxPoints) size = fftLength(precision.maxPoints / 1.5 + 1);
  // Points are paid for by the power of two: use all of them.
  if (!exact && (precision.step === undefined || precision.points !== undefined || span / (size - 8) > step))
    step = span / (size - 8);
  const pairs = problem.items.map((item) => measures(item.law, problem, step, exact, precision.bounds));
  const fft = new RealFft(size);
  const gather = (bound: 'upper' | 'lower', direction: Direction): Gathered => {
    const sign = direction === 'remove' ? 1 : -1;
    const counted = pairs.map((pair, i) => ({ pair: pair[bound], count: problem.items[i]!.count }));
    return {
      parts: counted.map(({ pair, count }) => ({ measure: pair[direction], count })),
      offset: sign * counted.reduce((sum, { pair, count }) => sum + count * pair.offset, 0),
    };
  };

  let upper = -Infinity;
  let chosen = first.direction;
  let composition: TiltedComposition | undefined;
  problem.sides.forEach((side, order) => {
    if (order > 0 && dominated(side, gather('upper', side.direction), problem.question, upper, step)) return;
    const read = readBound(side, problem, gather('upper', side.direction), step, size, fft, 'upper');
    if (read.value > upper) {
      upper = read.value;
      chosen = side.direction;
      composition = read.composition;
    }
  });
  let lower = 0;
  if (precision.bounds === 'both') {
    const lowSide = problem.sides.find((side) => side.direction === chosen)!;
    lower = readBound(lowSide, problem, gather('lower', chosen), step, size, fft, 'lower').value;
  }
  // No ε is larger than the greatest loss, and near it δ may be too small for the FFT.
  if ('delta' in problem.question) upper = Math.min(upper, Math.max(0, ...problem.sides.map((s) => s.greatest)));
  const side = problem.sides.find((s) => s.direction === chosen)!;
  const slope = Math.max(side.saddle.tilt, 1e-3);
  const relative = composition === undefined ? 0 : composition.relativeError;
  const answer = 'delta' in problem.question ? relative / slope + 1e-13 * Math.abs(upper) : relative * upper;
  return {
    lower,
    upper,
    direction: chosen,
    step,
    points: size,
    tilt: side.saddle.tilt,
    tailMass: composition === undefined ? 0 : composition.infinite,
    numericError: Number.isFinite(answer) ? answer : 0,
  };
}

/** The measures of all laws for one direction, and the offset of their sum. */
export interface Gathered {
  readonly parts: readonly GridPart[];
  readonly offset: number;
}

/** True if the cumulant bound already shows that this side lies below the other's upper bound. */
function dominated(side: Side, { parts, offset }: Gathered, question: Question, upper: number, step: number): boolean {
  if (!(upper > 0) || side.infinite > 0 || !Number.isFinite(upper)) return false;
  const laws = gridLaws(parts, step);
  const infinite = parts.reduce((sum, part) => sum + part.count * part.measure.infinite, 0);
  const tilt = Math.max(side.saddle.tilt, 0.01);
  const epsilon = ('delta' in question ? upper : question.epsilon) - offset;
  const delta = 'delta' in question ? question.delta : upper;
  return Math.exp(logDeltaFromTilt(laws, tilt, epsilon)) * (1 + 1e-6) + infinite <= delta;
}

/** Composes the measures of one side and reads the bound. */
export function readBound(
  side: Side,
  problem: Problem,
  { parts, offset }: Gathered,
  step: number,
  size: number,
  fft: RealFft,
  bound: 'upper' | 'lower',
): { value: number; composition: TiltedComposition } {
  let extent = side.extent;
  let composition = new TiltedComposition(parts, { extent, step, size, offset }, fft);
  if ('epsilon' in problem.question) return { value: composition.delta(problem.question.epsilon, bound), composition };
  const { delta } = problem.question;
  const sd = standardDeviation(side.saddle);
  for (let attempt = 0; attempt < 12; attempt++) {
    const value = composition.epsilon(delta, bound);
    if (value === Infinity || (value <= extent.epsilonHigh && (value >= extent.epsilonLow || value === 0))) {
      if (value > 0 || extent.epsilonLow <= 0) return { value, composition };
    }
    // Elsewhere than estimated: look around there.
    const shift = Number.isNaN(value)
      ? (attempt % 2 === 0 ? 1 : -1) * (attempt + 1) * sd
      : value - 0.5 * (extent.epsilonLow + extent.epsilonHigh);
    extent = {
      ...extent,
      low: extent.low + shift,
      high: extent.high + shift,
      epsilonLow: extent.epsilonLow + shift,
      epsilonHigh: extent.epsilonHigh + shift,
    };
    composition = new TiltedComposition(parts, { extent, step, size, offset }, fft);
  }
  // The answer lies where no window was laid: the cumulant bound is looser, but a bound.
  return {
    value: bound === 'lower' ? 0 : cumulantEpsilon(side, parts, step, delta - composition.infinite) + offset,
    composition,
  };
}

/** ε at δ from the cumulant function at a few orders (Canonne, Kamath and Steinke 2020, Proposition 12). */
function cumulantEpsilon(side: Side, parts: readonly GridPart[], step: number, delta: number): number {
  if (!(delta > 0)) return Infinity;
  const laws = gridLaws(parts, step);
  let best = Infinity;
  for (let tilt = Math.max(side.saddle.tilt, 0.01) / 8; tilt <= 16 * Math.max(side.saddle.tilt, 0.01); tilt *= 2) {
    best = Math.min(best, (logDeltaFromTilt(laws, tilt, 0) - Math.log(delta)) / tilt);
  }
  return best * (1 + 1e-9);
}

function gridLaws(parts: readonly GridPart[], step: number): WeightedLaw[] {
  return parts.map(({ measure, count }) => ({
    loss: Float64Array.from(measure.index, (i) => i * step),
    mass: measure.mass,
    count,
  }));
}

function measures(
  law: LossLaw,
  problem: Problem,
  step: number,
  exact: boolean,
  bounds: 'both' | 'upper',
): { upper: GridPair; lower: GridPair } {
  if (exact) return latticeMeasures(law, problem.tail);
  const { low, high } = law.range(problem.tail);
  const bulks = bulksOf(problem);
  // The least loss is often a sharp edge with much mass beside it (ln(1 − q)), so it is made a point of the grid.
  const offset = low - Math.floor(low / step) * step;
  const points = gridPoints(low - offset, high - offset, step, bulks);
  const nodes = law.nodes(problem.tail, pointLosses(points, step, offset));
  const upper = upperMeasure(nodes, points, step, offset);
  return { upper, lower: bounds === 'upper' ? upper : lowerOf(law, nodes, problem.tail, step, bulks) };
}

function lowerOf(law: LossLaw, nodes: LossNodes, tail: number, step: number, bulks: readonly Bulk[]): GridPair {
  const { low, high } = law.range(tail);
  // For the same reason the first tangent touches half a step above the edge, and the first point has the mean loss below.
  const first = low + 0.5 * step;
  let p = 0;
  let q = 0;
  const rough = law.continuous ? law.nodes(tail, Float64Array.of(first)) : nodes;
  for (let j = 0; j < rough.loss.length; j++) {
    if (rough.loss[j]! >= first) continue;
    p += rough.p[j]!;
    q += rough.q[j]!;
  }
  const mean = p > 0 && q > 0 ? Math.min(first, Math.max(low, Math.log(p / q))) : low;
  const offset = mean - Math.floor(mean / step) * step;
  const start = Math.round((mean - offset) / step);
  const points = gridPoints(low - offset, high - offset, step, bulks).filter((i) => i >= start);
  const touching = touchingLosses(nodes, points, step, offset);
  touching[0] = Math.max(first - offset, points[0]! * step);
  const panels = law.continuous
    ? law.nodes(
        tail,
        touching.map((t) => t + offset),
      )
    : nodes;
  return lowerMeasure(panels, points, touching, step, offset);
}

/** Where single steps have most of their tilted mass, for each direction. */
function bulksOf(problem: Problem): readonly Bulk[] {
  return problem.sides.map(({ saddle, direction }) => {
    const sd = standardDeviation(saddle) / Math.sqrt(problem.steps);
    const mean = ((direction === 'remove' ? 1 : -1) * saddle.mean) / problem.steps;
    return { low: mean - 6 * sd, high: mean + 6 * sd, scale: 6 * sd };
  });
}

/** A lattice law as it is: no rounding at all; only its tails differ between the bounds. */
function latticeMeasures(law: LossLaw, tail: number): { upper: GridPair; lower: GridPair } {
  const { step, offset } = law.lattice!;
  const nodes = law.nodes(tail);
  const index = Int32Array.from(nodes.loss, (l) => Math.round((l - offset) / step));
  const mirrored = index.map((i) => -i);
  const lower: GridPair = {
    remove: { index, mass: nodes.p, infinite: nodes.pInf },
    add: { index: mirrored, mass: nodes.q, infinite: nodes.qInf },
    offset,
  };
  // What lies below the nodes is rounded up to the least of them.
  const p = nodes.p.slice();
  const q = nodes.q.slice();
  let least = 0;
  let greatest = 0;
  for (let i = 1; i < index.length; i++) {
    if (index[i]! < index[least]!) least = i;
    if (index[i]! > index[greatest]!) greatest = i;
  }
  if (index.length > 0) {
    p[least] = p[least]! + nodes.pBottom;
    q[greatest] = q[greatest]! + nodes.qTop;
  }
  const upper: GridPair = {
    remove: { index, mass: p, infinite: nodes.pInf + nodes.pTop },
    add: { index: mirrored, mass: q, infinite: nodes.qInf + nodes.qBottom },
    offset,
  };
  return { upper, lower };
}
