/** An engine of one's own: the float64 loops with every result rounded to float32, as arithmetic without any error but rounding would have it. */
import { referenceOps, sizeOf } from '@sotto/core/ops';
import type { Engine, NumericArray, Ops, Program, ReferenceTensor } from '@sotto/core/ops';

type Tensor = ReferenceTensor;

const rounded = ({ shape, data }: Tensor): Tensor => ({ shape, data: Float64Array.from(data, Math.fround) });

const operations = referenceOps as unknown as Readonly<Record<string, (...given: unknown[]) => Tensor>>;
const roundedOps = {
  ...Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, (...given: unknown[]) => rounded(operation(...given))]),
  ),
  shapeOf: (x: Tensor) => x.shape,
} as Ops<Tensor>;

function evaluate(program: Program, inputs: Readonly<Record<string, NumericArray>>): Readonly<Record<string, Tensor>> {
  const tensors = program.inputs.map(({ name, shape }) => {
    const values = inputs[name];
    if (values === undefined) throw new Error(`program ${program.name} needs the input ${name}`);
    if (values.length !== sizeOf(shape))
      throw new Error(`input ${name} has ${values.length} numbers; its shape [${shape.join(', ')}] needs ${sizeOf(shape)}`);
    return [name, roundedOps.constant(values, shape)] as const;
  });
  return program.build(roundedOps, Object.fromEntries(tensors));
}

export const roundedEngine: Engine = {
  name: 'rounded loops',
  significandBits: 24,
  async compile(program) {
    const zeros = program.inputs.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))] as const);
    const outputs = Object.entries(evaluate(program, Object.fromEntries(zeros)));
    let disposed = false;
    return {
      outputs: Object.fromEntries(outputs.map(([name, { shape }]) => [name, shape])),
      async run(inputs) {
        if (disposed) throw new Error(`program ${program.name} was disposed of`);
        const results = Object.entries(evaluate(program, inputs));
        return Object.fromEntries(results.map(([name, { data }]) => [name, Float32Array.from(data)]));
      },
      async dispose() {
        disposed = true;
      },
    };
  },
};
