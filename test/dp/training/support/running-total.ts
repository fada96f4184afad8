/** A layer kind of one's own over an operation of one's own: running totals of a sequence, with a trained gain for each channel. */
import type { LayerKind } from '@sotto/core/model';
import { cumulativeSum } from '../../../core/ops/cumulative-sum.ts';

export const runningTotal: LayerKind = {
  className: 'RunningTotal',
  build(_, [input]) {
    const [steps, width] = input as readonly [number, number];
    return {
      outputShape: [steps, width],
      weights: [{ name: 'gain', shape: [width] }],
      forward(ops, [x], [gain]) {
        const [n] = ops.shapeOf(x!) as [number];
        const totals = ops.apply(cumulativeSum, [x!], { axis: 1 });
        return {
          output: ops.mul(totals, gain!),
          backward(g) {
            const turned = ops.reverse(ops.mul(g, gain!), [1]);
            const back = ops.reverse(ops.apply(cumulativeSum, [turned], { axis: 1 }), [1]);
            const ofGain = ops.reshape(ops.sum(ops.mul(g, totals), [1]), [n, width]);
            return { inputs: [back], weights: [{ kind: 'direct', g: ofGain }] };
          },
        };
      },
    };
  },
};
