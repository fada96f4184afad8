/**
 * The optimisers as vector instructions: the same operations in the same order as the loops of `optimiser/optimiser.ts`.
 *
 * @module
 */
import { op } from '../noise/wasm-encoder.ts';
import type { OptimiserOptions } from '../optimiser/optimiser.ts';
import type { VectorLayout } from './layout.ts';

/** Instructions in order. */
export type Code = (readonly number[])[];

/** The surroundings of an update. */
export interface UpdateLocals {
  /** Holds the released sum of two coordinates. */
  readonly gradient: number;
  /** Holds their weights, and afterwards their new weights. */
  readonly weight: number;
  /** Eight times the number of the first coordinate of the turn. */
  readonly twice: number;
  /** A fresh vector. */
  readonly local: () => number;
  /** A vector with the next of the optimiser's numbers: they come in the order of `Optimiser.advance`. */
  readonly number: () => number;
}

/** Gives the instructions for the first (0) and the second (1) pair of coordinates of a turn. */
export function updateCode(options: OptimiserOptions, { slotsAt }: VectorLayout, locals: UpdateLocals): (half: number) => Code {
  return options.kind === 'sgd'
    ? sgdCode(options, slotsAt, locals)
    : adamCode({ ...options, kind: options.kind }, slotsAt, locals);
}

function sgdCode(
  { momentum: usual = 0, nesterov = false }: Extract<OptimiserOptions, { kind: 'sgd' }>,
  slotsAt: readonly number[],
  { gradient, weight, twice, local, number }: UpdateLocals,
): (half: number) => Code {
  const [scale, rate, momentum, decay] = [number(), number(), number(), number()] as const;
  const [g, v] = [local(), local()];
  return (half) => {
    const at = (slotsAt[0] ?? 0) + 16 * half;
    const velocity: Code = [
      ...[
        op.get(twice),
        op.get(momentum),
        op.get(twice),
        op.load(at),
        op.f64x2Mul,
        op.get(g),
        op.f64x2Add,
        op.tee(v),
        op.store(at),
      ],
      ...(nesterov ? [op.get(g), op.get(momentum), op.get(v), op.f64x2Mul, op.f64x2Add] : [op.get(v)]),
    ];
    return [
      ...[op.get(gradient), op.get(scale), op.f64x2Mul, op.get(decay), op.get(weight), op.f64x2Mul, op.f64x2Add, op.set(g)],
      ...[op.get(weight), op.get(rate), ...(usual > 0 ? velocity : [op.get(g)]), op.f64x2Mul, op.f64x2Sub, op.set(weight)],
    ];
  };
}

function adamCode(
  { kind, noiseCorrection }: Extract<OptimiserOptions, { kind: 'adam' | 'adamw' }>,
  slotsAt: readonly number[],
  { gradient, weight, twice, local, number }: UpdateLocals,
): (half: number) => Code {
  const [scale, rate, beta1, rest1, beta2, rest2] = [number(), number(), number(), number(), number(), number()] as const;
  const [epsilon, first, second, noiseVariance, leastSquare, weightDecay] = [
    number(),
    number(),
    number(),
    number(),
    number(),
    number(),
  ] as const;
  const [g, m, v, decay, zero] = [local(), local(), local(), local(), local()] as const;
  const decoupled = kind === 'adamw';
  return (half) => {
    const [mAt, vAt] = [slotsAt[0]! + 16 * half, slotsAt[1]! + 16 * half];
    return [
      ...[op.get(weightDecay), op.get(weight), op.f64x2Mul, op.set(decay)],
      ...[op.get(gradient), op.get(scale), op.f64x2Mul, op.get(decoupled ? zero : decay), op.f64x2Add, op.set(g)],
      ...[
        op.get(twice),
        op.get(beta1),
        op.get(twice),
        op.load(mAt),
        op.f64x2Mul,
        op.get(rest1),
        op.get(g),
        op.f64x2Mul,
        op.f64x2Add,
      ],
      ...[op.tee(m), op.store(mAt)],
      ...[op.get(twice), op.get(beta2), op.get(twice), op.load(vAt), op.f64x2Mul],
      ...[op.get(rest2), op.get(g), op.f64x2Mul, op.get(g), op.f64x2Mul, op.f64x2Add, op.tee(v), op.store(vAt)],
      ...[op.get(weight), op.get(rate), op.get(m), op.get(first), op.f64x2Div],
      ...(noiseCorrection === undefined
        ? [op.get(v), op.get(second), op.f64x2Div, op.f64x2Sqrt, op.get(epsilon), op.f64x2Add]
        : [
            op.get(v),
            op.get(noiseVariance),
            op.f64x2Sub,
            op.get(second),
            op.f64x2Div,
            op.get(leastSquare),
            op.f64x2Max,
            op.f64x2Sqrt,
          ]),
      ...[op.f64x2Div, op.get(decoupled ? decay : zero), op.f64x2Add, op.f64x2Mul, op.f64x2Sub, op.set(weight)],
    ];
  };
}
