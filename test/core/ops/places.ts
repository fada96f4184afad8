/**
 * What privacy rests on: an example's numbers are a function of the example, bit by bit, wherever it stands in a batch and whatever stands beside it. Examples are put in
 * another order, and results must be in that order.
 */
import { sizeOf } from '@sotto/core/ops';
import type { Engine, NumericArray, Program } from '@sotto/core/ops';
import { expect, it } from 'vitest';
import { placeCases } from './place-cases.ts';
import type { PlaceCase } from './place-cases.ts';

/** Sizes of batches: multiples of vectors, and others. */
export const BATCHES = [1, 5, 16, 25, 32, 33] as const;

/** Reproducible numbers in (−1, 1) without a pattern. */
export function uniform(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Rows in a fixed other order: row i of the result is row (i + shift) mod n. */
function rotated(values: NumericArray, n: number, shift: number): Float32Array {
  const width = values.length / n;
  const turned = new Float32Array(values.length);
  for (let i = 0; i < n; i++) turned.set(values.subarray(((i + shift) % n) * width, (((i + shift) % n) + 1) * width), i * width);
  return turned;
}

/** The bits, with all NaNs alike. */
function bits(values: NumericArray): Uint32Array {
  return new Uint32Array(Float32Array.from(values, (x) => (Number.isNaN(x) ? NaN : x)).buffer);
}

/**
 * What changes where examples change places.
 *
 * @param isRow Tells of inputs and outputs whether they hold examples on their first axis. Outputs that don't must stay the same.
 */
export async function whatMoves(
  engine: Engine,
  program: Program,
  inputs: Readonly<Record<string, NumericArray>>,
  n: number,
  isRow: (name: string) => boolean,
): Promise<string[]> {
  const compiled = await engine.compile(program);
  const found: string[] = [];
  try {
    const first = await compiled.run(inputs);
    // Odd, so that no vector holds the same rows again, and through the whole batch, so that every row once is among the last ones or comes from there.
    for (const shift of n === 1 ? [] : [1, (n >> 1) | 1]) {
      const turned = Object.entries(inputs).map(([name, values]) => [name, isRow(name) ? rotated(values, n, shift) : values]);
      const outputs = await compiled.run(Object.fromEntries(turned) as Record<string, NumericArray>);
      for (const [name, values] of Object.entries(outputs)) {
        const [expected, actual] = [bits(isRow(name) ? rotated(first[name]!, n, shift) : first[name]!), bits(values)];
        const count = expected.filter((value, i) => value !== actual[i]).length;
        if (count > 0) found.push(`${count} of ${values.length} numbers of ${name}, ${n} examples turned by ${shift}`);
      }
    }
  } finally {
    await compiled.dispose();
  }
  return found;
}

/** Puts the examples of one operation into other places. */
export function moveOperation(
  engine: Engine,
  { name, examples, shared = [], map, build }: PlaceCase,
  n: number,
): Promise<string[]> {
  const program: Program = {
    name,
    inputs: [
      ...examples.map((shape, i) => ({ name: `row${i}`, shape: [n, ...shape] })),
      ...shared.map((shape, i) => ({ name: `same${i}`, shape })),
    ],
    build: (ops, inputs) => ({
      row: build(
        ops,
        n,
        examples.map((_, i) => inputs[`row${i}`]!),
        shared.map((_, i) => inputs[`same${i}`]!),
      ),
    }),
  };
  const inputs = Object.fromEntries(
    program.inputs.map(({ name: input, shape }, i) => {
      const values = uniform(sizeOf(shape), i + 1);
      return [input, map === undefined || input.startsWith('same') ? values : values.map(map)];
    }),
  );
  return whatMoves(engine, program, inputs, n, (input) => input.startsWith('row'));
}

/** What a graphics processor in software computes soon: each operation once or in few forms; all of them with `SOTTO_ALL_PLACES`. */
export const fewPlaceCases: readonly PlaceCase[] =
  process.env['SOTTO_ALL_PLACES'] === undefined
    ? placeCases.filter(
        ({ name }) =>
          /^(?:exp|tanh|sigmoid|softplus|erf|logSoftmax|log|softmax|div) of [37]$/.test(name) ||
          /^sum over (?:7|25|7 of three channels|images 5×5|9 positions of 7|9, examples behind)$/.test(name) ||
          /^matMul.* of 7 with .* of [13]$/.test(name) ||
          /^(?:matMul, batched, 5×7 and 7×3|conv2d of three channels|conv2d by channel|conv2d, examples as groups|normalised rows|conv2dInputGradient of three channels)$/.test(
            name,
          ),
      )
    : placeCases;

/** Every operation on an engine, with batches of several sizes. */
export function operationsKeepPlaces(
  engine: () => Engine,
  batches: readonly number[] = BATCHES,
  cases: readonly PlaceCase[] = placeCases,
): void {
  it.each(cases)('gives an example the same bits in every place: $name', async (example) => {
    for (const n of batches) expect(await moveOperation(engine(), example, n), `${n} examples`).toEqual([]);
  });
}
