/**
 * tfjs's activation layers: the parameter-free ones are spelled as activations, PReLU has per-element slopes.
 *
 * @module
 */
import type { Ops, Shape } from '../../ops/ops.ts';
import { number, refuse, refuseWeightTerms } from '../config.ts';
import type { Forward, LayerConfig, LayerKind } from '../types.ts';
import { activation } from './activation.ts';

/** A layer that is one of the named activations. */
function named(className: string, name: (config: LayerConfig, input: Shape) => string): LayerKind {
  return {
    className,
    build: (config, inputs) =>
      activation.build({ layer: config.layer, values: { activation: name(config, inputs[0] ?? []) } }, inputs),
  };
}

/** x above the threshold, slope·x below, for a constant slope. */
function leaky(
  className: string,
  read: (config: LayerConfig) => { readonly slope: number; readonly threshold: number },
): LayerKind {
  return {
    className,
    layout: 'any',
    build(config, [input]) {
      const { slope, threshold } = read(config);
      return {
        outputShape: input!,
        weights: [],
        forward(ops, [x]) {
          const above = ops.greater(x!, ops.constant([threshold], []));
          const factor = ops.add(ops.constant([slope], []), ops.mul(ops.constant([1 - slope], []), above));
          return { output: ops.mul(x!, factor), backward: (g) => ({ inputs: [ops.mul(g, factor)], weights: [] }) };
        },
      };
    },
  };
}

const prelu: LayerKind = {
  className: 'PReLU',
  build(config, [input]) {
    refuseWeightTerms(config);
    const shared = config.values['shared_axes'];
    if (shared !== undefined && shared !== null) throw refuse(config, 'shared_axes is not implemented', 'leave it out');
    return {
      outputShape: input!,
      weights: [{ name: 'alpha', shape: input! }],
      forward<T>(ops: Ops<T>, [x]: readonly T[], [alpha]: readonly T[]): Forward<T> {
        const above = ops.greater(x!, ops.constant([0], []));
        return {
          output: ops.where(above, x!, ops.mul(alpha!, x!)),
          backward: (g) => ({
            inputs: [ops.where(above, g, ops.mul(alpha!, g))],
            weights: [{ kind: 'direct', g: ops.where(above, ops.constant([0], []), ops.mul(g, x!)) }],
          }),
        };
      },
    };
  },
};

export const advancedActivationKinds: readonly LayerKind[] = [
  named('ReLU', (config) => {
    const most = config.values['max_value'];
    if (most === undefined || most === null) return 'relu';
    if (most === 6) return 'relu6';
    throw refuse(config, `max_value is ${JSON.stringify(most)}`, 'use none, or 6');
  }),
  named('ELU', (config) => {
    if (number(config, 'alpha', 1) !== 1) throw refuse(config, 'alpha is not 1', 'use the default');
    return 'elu';
  }),
  named('Softmax', (config, input) => {
    const axis = number(config, 'axis', -1);
    if (axis !== -1 && axis !== input.length)
      throw refuse(config, `axis ${axis} is not the last one`, 'permute the axes, or set axis to -1');
    return 'softmax';
  }),
  leaky('LeakyReLU', (config) => ({ slope: number(config, 'alpha', 0.3), threshold: 0 })),
  leaky('ThresholdedReLU', (config) => ({ slope: 0, threshold: number(config, 'theta', 1) })),
  prelu,
];
