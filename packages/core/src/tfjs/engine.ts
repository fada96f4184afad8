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
import { withDeviceErrors } from './device-errors.ts';
import { openTfjsMemory } from './device-memory.ts';
import { uploadInput } from './feed.ts';
import { runKernels } from './kernels.ts';
import { tfjsOps } from './ops.ts';

/** Eigen multiplies rows in blocks of 24 and columns in blocks of 16, and what is over in another order. On AVX2, which is where it was seen. */
const TENSORFLOW_RUN_MULTIPLE = 48;

/**
 * An engine on the current tfjs backend. Throws `unavailable` where none is registered. The backend must stay the current one: tfjs has one for the whole
 * process, and a program that finds another one is refused with `conflict`.
 */
export function tfjsEngine(): Engine {
  const backend = tf.getBackend();
  if (backend === undefined || backend === '') {
    throw new SottoError(
      'unavailable',
      'no TensorFlow.js backend is registered; import one, such as @tensorflow/tfjs-backend-cpu, and await tf.ready()',
    );
  }
  const check = (): void => {
    const now = tf.getBackend();
    if (now !== backend) {
      throw new SottoError(
        'conflict',
        `this engine was made for the TensorFlow.js backend ${backend}; the current one is ${now}, so set it back or make another engine`,
      );
    }
  };
  return Object.freeze({
    name: `tfjs (${backend})`,
    significandBits: 24,
    ...(backend === 'tensorflow' ? { runMultiple: TENSORFLOW_RUN_MULTIPLE } : {}),
    openMemory: () => openTfjsMemory(check),
    async compile(program: Program): Promise<CompiledProgram> {
      // Recording costs little and gives the outputs' shapes and the shape errors before the first run.
      const graph = recordProgram(program);
      let disposed = false;
      return {
        outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, node]) => [name, node.shape])),
        async run(inputs) {
          if (disposed) throw new SottoError('conflict', `program ${program.name} was disposed of`);
          check();
          return await withDeviceErrors(program, async () => {
            const results = runKernels(program, () => ({ ...program.build(tfjsOps, feed(program, inputs)) }));
            const entries = Object.entries(results);
            const arrays = await Promise.all(entries.map(([, tensor]) => tensor.data<'float32'>()));
            const outputs: Record<string, NumericArray> = {};
            entries.forEach(([name], i) => (outputs[name] = Float32Array.from(arrays[i]!)));
            tf.dispose(results);
            return outputs;
          });
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
  for (const input of program.inputs) tensors[input.name] = uploadInput(program, input, inputs[input.name]);
  return tensors;
}
