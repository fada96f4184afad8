/**
 * The TensorFlow.js engine: runs programs eagerly on the backend that the host program has set up.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { SottoError } from '../errors.ts';
import type { CompiledProgram, Engine, NumericArray, Program } from '../ops/engine.ts';
import { recordProgram } from '../ops/graph.ts';
import { sizeOf } from '../ops/shapes.ts';
import { tfjsOps } from './ops.ts';

/** An engine on the current tfjs backend. Throws `unavailable` where none is registered. */
export function tfjsEngine(): Engine {
  const backend = tf.getBackend();
  if (backend === undefined || backend === '') {
    throw new SottoError(
      'unavailable',
      'no TensorFlow.js backend is registered; import one, such as @tensorflow/tfjs-backend-cpu, and await tf.ready()',
    );
  }
  return Object.freeze({
    name: `tfjs (${backend})`,
    significandBits: 24,
    async compile(program: Program): Promise<CompiledProgram> {
      // Recording costs little and gives the outputs' shapes and the shape errors before the first run.
      const graph = recordProgram(program);
      let disposed = false;
      return {
        outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, node]) => [name, node.shape])),
        async run(inputs) {
          if (disposed) throw new SottoError('conflict', `program ${program.name} was disposed of`);
          const results = tf.tidy(() => ({ ...program.build(tfjsOps, feed(program, inputs)) }));
          const entries = Object.entries(results);
          const arrays = await Promise.all(entries.map(([, tensor]) => tensor.data<'float32'>()));
          const outputs: Record<string, NumericArray> = {};
          entries.forEach(([name], i) => (outputs[name] = Float32Array.from(arrays[i]!)));
          tf.dispose(results);
          return outputs;
        },
        async dispose() {
          disposed = true;
        },
      };
    },
  });
}

function feed(program: Program, inputs: Readonly<Record<string, NumericArray>>): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape } of program.inputs) {
    const values = inputs[name];
    if (values === undefined) throw new SottoError('invalid-argument', `program ${program.name} needs the input ${name}`);
    if (values.length !== sizeOf(shape)) {
      throw new SottoError(
        'invalid-argument',
        `input ${name} has ${values.length} numbers; its shape [${shape.join(', ')}] needs ${sizeOf(shape)}`,
      );
    }
    tensors[name] = tf.tensor(Float32Array.from(values), [...shape], 'float32');
  }
  return tensors;
}
