/**
 * What `makePrivate` is handed, before any of it is used: what is missing, or is something else altogether, is refused by its name.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { checkModelOptions } from './option-names.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** Refuses options that are no object. */
export function checkOptionsObject(options: unknown): void {
  if (isObject(options)) return;
  throw new SottoError(
    'invalid-argument',
    `options is ${show(options)}; it must be an object with loss, optimiser, clipping, sampleRate, expectedBatchSize and privacy`,
  );
}

/** Refuses what is no model; `topology` where a serialised one will do. */
export function checkModel(model: unknown, topology: boolean = false): void {
  if (isObject(model) && typeof model['then'] === 'function')
    throw new SottoError('invalid-argument', 'model is a promise; await it first');
  if (isObject(model) && typeof model['toJSON'] === 'function' && Array.isArray(model['weights'])) return;
  if (topology && isObject(model) && !('toJSON' in model)) return;
  throw new SottoError(
    'invalid-argument',
    `model is ${isObject(model) ? 'an object without layers' : show(model)}; it must be a tf.LayersModel, such as tf.sequential or tf.loadLayersModel gives`,
  );
}

/** Refuses what is no loss. */
export function checkLoss(loss: unknown): void {
  if (typeof loss === 'string' || typeof loss === 'function' || isObject(loss)) return;
  throw new SottoError(
    'invalid-argument',
    `loss is ${show(loss)}; it must be the name of one, such as meanSquaredError, a function, or one of them for each output`,
  );
}

/** Refuses an engine, a source of randomness or further kinds that have nothing of what will be asked of them, before a step is charged. */
function checkTools({ engine, random, kinds }: Readonly<Record<string, unknown>>): void {
  const has = (value: unknown, method: string): boolean => isObject(value) && typeof value[method] === 'function';
  const what = (value: unknown): string => (isObject(value) ? 'something else' : show(value));
  if (engine !== undefined && !has(engine, 'compile'))
    throw new SottoError(
      'invalid-argument',
      `engine is ${what(engine)}; it must be an engine such as onnxEngine() gives. Names of engines are for makePrivate of @sotto/dp/node`,
    );
  if (random !== undefined && !has(random, 'fill'))
    throw new SottoError(
      'invalid-argument',
      `random is ${what(random)}; it must have fill(bytes), as systemRandom has: leave it out`,
    );
  if (kinds !== undefined && !Array.isArray(kinds))
    throw new SottoError('invalid-argument', `kinds is ${what(kinds)}; it must be a list of layer kinds`);
}

/** Refuses a model that is none, options that nobody reads, and a loss or an optimiser that is missing or none. Throws `invalid-argument`. */
export function firstLook(model: unknown, options: object): void {
  checkModelOptions(options);
  checkModel(model);
  const { loss, optimiser } = options as Readonly<Record<string, unknown>>;
  checkLoss(loss);
  checkTools(options as Readonly<Record<string, unknown>>);
  if (!isObject(optimiser) || typeof optimiser['kind'] !== 'string') {
    const what = isObject(optimiser) ? 'an object without a kind' : show(optimiser);
    throw new SottoError(
      'invalid-argument',
      `optimiser is ${what}; it must be plain data such as {kind: 'adam', learningRate: 0.001}, for those of tfjs cannot take part in private steps`,
    );
  }
}
