/**
 * What a computation leaves behind to be differentiated: each value with the step that made it, and the way back through all of them.
 *
 * @module
 */
import type { Ops, Shape } from '../ops/ops.ts';

/** A value with the way back to what it was computed from. */
export interface Traced<T> {
  readonly value: T;
  /** Undefined where the value depends on nothing that is differentiated. */
  readonly from: Step<T> | undefined;
}

/** What made a value. */
export interface Step<T> {
  readonly order: number;
  readonly operands: readonly Traced<T>[];
  /** Gradients of the operands, given that of the value; undefined for operands that have none. */
  readonly back: (g: T) => readonly (T | undefined)[];
}

/** Sums a gradient over the axes along which its operand was broadcast. */
export function unbroadcast<T>(ops: Ops<T>, g: T, shape: Shape): T {
  const from = ops.shapeOf(g);
  const lead = from.length - shape.length;
  const axes = from.map((_, axis) => axis).filter((axis) => axis < lead || (shape[axis - lead] === 1 && from[axis] !== 1));
  return ops.reshape(axes.length === 0 ? g : ops.sum(g, axes), shape);
}

/** Numbers the steps of a computation in their order. */
export class Tape<T> {
  readonly #ops: Ops<T>;
  #order = 0;

  constructor(ops: Ops<T>) {
    this.#ops = ops;
  }

  /** A value that is differentiated. */
  variable(value: T): Traced<T> {
    return { value, from: { order: this.#order++, operands: [], back: () => [] } };
  }

  /** What an operation gives; it needs no way back where none of its operands has one. */
  result(value: T, operands: readonly Traced<T>[], back: (g: T) => readonly (T | undefined)[]): Traced<T> {
    if (operands.every((operand) => operand.from === undefined)) return { value, from: undefined };
    return { value, from: { order: this.#order++, operands, back } };
  }

  /** A value that is not differentiated. */
  fixed(value: T): Traced<T> {
    return { value, from: undefined };
  }

  /** Gradients of the variables, given that of the output; undefined for those that it does not depend on. */
  gradients(output: Traced<T>, seed: T, variables: readonly Traced<T>[]): (T | undefined)[] {
    const ops = this.#ops;
    const flowing = new Map<Step<T>, T>();
    const found: Step<T>[] = [];
    const seen = new Set<Step<T>>();
    const visit = (step: Step<T> | undefined): void => {
      if (step === undefined || seen.has(step)) return;
      seen.add(step);
      found.push(step);
      step.operands.forEach((operand) => visit(operand.from));
    };
    visit(output.from);
    if (output.from !== undefined) flowing.set(output.from, seed);
    found.sort((a, b) => b.order - a.order);
    for (const step of found) {
      const g = flowing.get(step);
      if (g === undefined || step.operands.length === 0) continue;
      step.back(g).forEach((part, i) => {
        const source = step.operands[i]!.from;
        if (source === undefined || part === undefined) return;
        const sum = flowing.get(source);
        flowing.set(source, sum === undefined ? part : ops.add(sum, part));
      });
    }
    return variables.map(({ from }) => (from === undefined ? undefined : flowing.get(from)));
  }
}
