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

/** What may have been meant by targets of another shape than the loss takes: class ids and one-hot rows are easily confused. */
export function labelHint(loss: Loss | JointLoss, example: Shape, output: Shape): string | undefined {
  const sameAs = (shape: Shape): boolean =>
    example.filter((size) => size !== 1).join() === shape.filter((size) => size !== 1).join();
  if (loss === 'categoricalCrossentropy' && sameAs(output.slice(0, -1)))
    return 'Class ids need the loss sparseCategoricalCrossentropy';
  if (loss === 'sparseCategoricalCrossentropy' && sameAs(output)) return 'One-hot rows need the loss categoricalCrossentropy';
  return undefined;
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
