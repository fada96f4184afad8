/** What must hold of every primitive: its derivative is that of its loops, and its place rule tells the truth about which example reaches which element. */
import { referenceOps, sizeOf } from '@sotto/core/ops';
import type { BatchPlace, Primitive, PrimitiveCase, ReferenceTensor } from '@sotto/core/ops';
import { expect, it } from 'vitest';
import { placeOf } from '../../../packages/core/src/ops/primitive.ts';
import { casesOf, inputsOf } from './cases.ts';
import { compareDerivative } from './derivatives.ts';

/** Registers the checks of a primitive's rules. Those of its engines are the conformance suite's. */
export function keepsItsRules<A extends object>(primitive: Primitive<A>): void {
  it.each(casesOf(primitive).map((example, i) => ({ name: example.name, i })))('$name: derivative and places', ({ i }) => {
    const example = primitive.cases[i]!;
    const inputs = tensorsOf(primitive, i);
    checkDerivative(primitive, example, inputs);
    expect(checkPlaces(primitive, example, inputs), 'places that were compared').toBeGreaterThan(0);
  });
}

function tensorsOf<A extends object>(primitive: Primitive<A>, i: number): readonly ReferenceTensor[] {
  const values = Object.values(inputsOf(casesOf(primitive)[i]!));
  const example = primitive.cases[i]!;
  const inputs = example.shapes.map((shape, k) => ({ shape, data: Float64Array.from(values[k]!) }));
  return example.operands?.(referenceOps, inputs) ?? inputs;
}

const changed = (inputs: readonly ReferenceTensor[], k: number, data: Float64Array): ReferenceTensor[] =>
  inputs.map((input, i) => (i === k ? { shape: input.shape, data } : input));

function checkDerivative<A extends object>(
  primitive: Primitive<A>,
  { attributes }: PrimitiveCase<A>,
  inputs: readonly ReferenceTensor[],
): void {
  const compare = (): number => compareDerivative((ops, operands) => ops.apply(primitive, operands, attributes), inputs);
  if (primitive.derivative === 'none') expect(compare).toThrow(primitive.name);
  else if (primitive.derivative === 'zero') expect(compare()).toBe(0);
  else expect(compare(), 'elements that were compared').toBeGreaterThan(0);
}

/**
 * For each axis of each operand as that of the examples: where the rule says that they stay apart, changing one example of the operand changes no element of the
 * result beyond that example's. Returns how many rules were put to that test.
 */
function checkPlaces<A extends object>(
  primitive: Primitive<A>,
  { attributes }: PrimitiveCase<A>,
  inputs: readonly ReferenceTensor[],
): number {
  const shapes = inputs.map(({ shape }) => shape);
  const y = referenceOps.apply(primitive, inputs, attributes);
  let compared = 0;
  shapes.forEach((shape, k) => {
    shape.forEach((n, axis) => {
      if (n < 2) return;
      let place: BatchPlace;
      try {
        const places = shapes.map((_, i): BatchPlace => (i === k ? { axis, inner: 1 } : undefined));
        place = placeOf(primitive, { shape: y.shape, inputShapes: shapes, attributes }, places, n);
      } catch {
        compared++;
        return;
      }
      compared++;
      const step = sizeOf(shape.slice(axis + 1));
      for (let example = 0; example < n; example++) {
        const data = inputs[k]!.data.map((value, j) => (Math.floor(j / step) % n === example ? -value - 1 : value));
        const other = referenceOps.apply(primitive, changed(inputs, k, data), attributes);
        other.data.forEach((value, o) => {
          if (Object.is(value, y.data[o])) return;
          const within = place && y.shape.slice(place.axis + 1);
          const owner = place && Math.floor((Math.floor(o / sizeOf(within!)) % y.shape[place.axis]!) / place.inner);
          expect(owner, `element ${o} changes with example ${example} along axis ${axis} of operand ${k}`).toBe(example);
        });
      }
    });
  });
  return compared;
}
