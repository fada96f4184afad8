/**
 * Losses on their way to another thread: names stay names, functions become recordings.
 *
 * @module
 */
import type { ModelGraph } from '@sotto/core/model';
import type { Ops, Shape } from '@sotto/core/ops';
import { isJoint, isOne } from './objective.ts';
import type { Losses } from './objective.ts';
import type { Loss, LossFunction } from './losses.ts';
import { playBack, recordFunction } from './recorded-loss.ts';
import type { RecordedFunction } from './recorded-loss.ts';

type PortableLoss = Exclude<Loss, LossFunction | object> | { readonly recorded: RecordedFunction; readonly targetShape: Shape };

/** Losses as plain data. */
export type PortableLosses =
  | { readonly all: PortableLoss }
  | { readonly list: readonly PortableLoss[] }
  | { readonly map: Readonly<Record<string, PortableLoss>> }
  | { readonly joint: RecordedFunction; readonly targetShapes: readonly Shape[] };

/** Whether some loss is a function. */
export function holdsFunction(losses: Losses): boolean {
  if (typeof losses === 'string') return false;
  if (isJoint(losses) || isOne(losses)) return true;
  return Object.values(losses as Readonly<Record<string, Loss>>).some((loss) => typeof loss !== 'string');
}

/**
 * Writes losses as plain data.
 *
 * @param graph The model that they are for; needed where some loss is a function.
 * @throws SottoError `unsupported` where a function cannot be recorded; what a function itself throws
 */
export function packLosses(graph: ModelGraph | undefined, losses: Losses): PortableLosses {
  const { outputNames = [], outputShapes = [] } = graph ?? {};
  const pack = (loss: Loss, output: number): PortableLoss => {
    if (typeof loss === 'string') return loss;
    const shape = outputShapes[output] ?? [];
    const { loss: f, targetShape } = typeof loss === 'function' ? { loss, targetShape: shape } : loss;
    const recorded = recordFunction((ops, [prediction, target]) => f(ops, prediction!, target!), [shape, targetShape]);
    return { recorded, targetShape };
  };
  if (isJoint(losses)) {
    const { joint, targetShapes = outputShapes } = losses;
    const count = outputShapes.length;
    const recorded = recordFunction(
      (ops, inputs) => joint(ops, inputs.slice(0, count), inputs.slice(count)),
      [...outputShapes, ...targetShapes],
    );
    return { joint: recorded, targetShapes };
  }
  if (isOne(losses)) {
    // One function serves every output, whose shapes may differ: it is recorded for each of them.
    return outputNames.length === 1 || typeof losses === 'string'
      ? { all: pack(losses, 0) }
      : { list: outputNames.map((_, output) => pack(losses, output)) };
  }
  if (Array.isArray(losses)) return { list: (losses as readonly Loss[]).map(pack) };
  const map = losses as Readonly<Record<string, Loss>>;
  return {
    map: Object.fromEntries(Object.entries(map).map(([name, loss]) => [name, pack(loss, outputNames.indexOf(name))])),
  };
}

/** The losses again. */
export function unpackLosses(portable: PortableLosses): Losses {
  const unpack = (loss: PortableLoss): Loss => {
    if (typeof loss === 'string') return loss;
    const f = playBack(loss.recorded);
    return { loss: <T>(ops: Ops<T>, prediction: T, target: T) => f(ops, [prediction, target]), targetShape: loss.targetShape };
  };
  if ('all' in portable) return unpack(portable.all);
  if ('list' in portable) return portable.list.map(unpack);
  if ('map' in portable) return Object.fromEntries(Object.entries(portable.map).map(([name, loss]) => [name, unpack(loss)]));
  const f = playBack(portable.joint);
  return {
    joint: (ops, predictions, targets) => f(ops, [...predictions, ...targets]),
    targetShapes: portable.targetShapes,
  };
}
