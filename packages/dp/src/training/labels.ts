/**
 * Checks of targets against their loss. Messages name the argument and the range, never an example or what it holds.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { Shape } from '@sotto/core/ops';
import { everyValue } from './every-value.ts';
import type { JointLoss, Loss } from './losses.ts';

/** Refuses targets outside the range of the loss. */
export async function checkLabels(
  argument: string,
  labels: Float32Array,
  loss: Loss | JointLoss,
  outputShape: Shape,
): Promise<void> {
  const classes = outputShape.at(-1) ?? 1;
  const [fits, want] = ruleOf(loss, classes);
  if (fits === undefined) return;
  if (await everyValue(labels, fits)) return;
  throw new SottoError(
    'invalid-argument',
    `${argument} holds a value that is not ${want}, as ${typeof loss === 'string' ? loss : 'the loss'} needs`,
  );
}

function ruleOf(loss: Loss | JointLoss, classes: number): readonly [((value: number) => boolean) | undefined, string] {
  switch (loss) {
    case 'sparseCategoricalCrossentropy':
      return [(value) => Number.isInteger(value) && value >= 0 && value < classes, `a class id from 0 to ${classes - 1}`];
    case 'categoricalCrossentropy':
    case 'binaryCrossentropy':
      return [(value) => value >= 0 && value <= 1, 'a probability from 0 to 1'];
    default:
      return [undefined, ''];
  }
}
