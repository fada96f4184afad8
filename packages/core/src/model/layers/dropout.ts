/**
 * Dropout: the identity at rate 0 and wherever a model is not being trained.
 *
 * @module
 */
import { number, refuse } from '../config.ts';
import type { LayerKind } from '../types.ts';

export const dropout: LayerKind = {
  className: 'Dropout',
  layout: 'any',
  build(config, [input]) {
    const rate = number(config, 'rate', 0);
    if (rate !== 0)
      throw refuse(
        config,
        `dropout of ${rate} draws masks, which private steps do not do yet`,
        'set the rate to 0 or leave the layer out; clipping and noise regularise already',
      );
    return {
      outputShape: input!,
      weights: [],
      forward: (_, [x]) => ({ output: x!, backward: (g) => ({ inputs: [g], weights: [] }) }),
    };
  },
};
