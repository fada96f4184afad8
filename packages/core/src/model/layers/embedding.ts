/**
 * Embedding: row id of a table, for each position. Every row of the table receives noise, whether its id occurs or not.
 *
 * An id outside the table, or a fraction, gives NaN, so that its example counts as one without a finite gradient. It must not end the run, as engines would have it: whether training
 * fails, and when, would tell that an example with such an id was drawn. Where a training begins, false ids anywhere in its data are refused: see `idInputs`.
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
      idRows: rows,
      forward(ops, [ids], [table]) {
        const zero = ops.constant([0], []);
        const one = ops.constant([1], []);
        // By comparisons that a NaN fails; what an engine makes of a NaN or a huge number as an id is not specified.
        const near = ops.mul(ops.greater(ids!, ops.constant([-1], [])), ops.greater(ops.constant([rows], []), ids!));
        const finite = ops.where(near, ids!, zero);
        const inside = ops.mul(near, ops.equal(finite, ops.roundAdd(finite, zero)));
        const safe = ops.where(inside, ids!, zero);
        const [n] = ops.shapeOf(ids!);
        // One at ids inside, NaN as 0/0 at others: a sum, so that no engine can take it for a product with zero.
        const fault = ops.sub(ops.div(inside, inside), one);
        return {
          output: ops.add(ops.gather(table!, safe), ops.reshape(fault, [...ops.shapeOf(ids!), 1])),
          backward(g) {
            const record: GradientRecord<typeof g> = {
              kind: 'rows',
              ids: ops.reshape(safe, [n!, positions]),
              g: ops.reshape(g, [n!, positions, width]),
              rows,
            };
            return { inputs: [undefined], weights: [record] };
          },
        };
      },
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
