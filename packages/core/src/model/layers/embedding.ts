/**
 * Embedding: row id of a table, for each position. Every row of the table receives noise, whether its id occurs or not.
 *
 * @module
 */
import { sizeOf } from '../../ops/shapes.ts';
import { flag, positiveInteger, refuse, refuseWeightTerms } from '../config.ts';
import type { GradientRecord, LayerKind } from '../types.ts';

export const embedding: LayerKind = {
  className: 'Embedding',
  build(config, [input]) {
    refuseWeightTerms(config);
    if (flag(config, 'mask_zero', false)) throw refuse(config, 'mask_zero is not implemented', 'set maskZero to false');
    const rows = positiveInteger(config, 'input_dim');
    const width = positiveInteger(config, 'output_dim');
    const positions = sizeOf(input!);
    return {
      outputShape: [...input!, width],
      weights: [{ name: 'embeddings', shape: [rows, width] }],
      forward: (ops, [ids], [table]) => ({
        output: ops.gather(table!, ids!),
        backward(g) {
          const n = ops.shapeOf(ids!)[0]!;
          const record: GradientRecord<typeof g> = {
            kind: 'rows',
            ids: ops.reshape(ids!, [n, positions]),
            g: ops.reshape(g, [n, positions, width]),
            rows,
          };
          return { inputs: [undefined], weights: [record] };
        },
      }),
    };
  },
};

/** PositionEmbedding (Sotto's own): adds a learned table `[steps, width]` to a sequence of that shape. */
export const positionEmbedding: LayerKind = {
  className: 'PositionEmbedding',
  build(config, [input]) {
    if (input?.length !== 2) throw refuse(config, 'its input is not a sequence', 'give it inputs [steps, width]');
    return {
      outputShape: input,
      weights: [{ name: 'embeddings', shape: input }],
      forward: (ops, [x], [table]) => ({
        output: ops.add(x!, table!),
        backward: (g) => ({ inputs: [g], weights: [{ kind: 'direct', g }] }),
      }),
    };
  },
};
