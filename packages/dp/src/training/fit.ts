/**
 * The loop of `fit`: epochs, callbacks, evaluation, checkpoints and stopping around private steps.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { callbackList, CallbackList, HistoryRecorder } from './callbacks.ts';
import type { History, Logs, Stoppable } from './callbacks.ts';
import type { FitOptions } from './options.ts';
import type { OpenRun } from './training-run.ts';

/** Figures of an epoch from those of its steps: sums of counts of faults, means of the others. */
class EpochFigures {
  readonly #sums = new Map<string, number>();
  #steps = 0;

  add(figures: Logs): void {
    this.#steps++;
    for (const [name, value] of Object.entries(figures)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
  }

  logs(): Logs {
    return Object.fromEntries(
      [...this.#sums].map(([name, sum]) => [name, name === 'nonFiniteExamples' ? sum : sum / this.#steps]),
    );
  }
}

/** Options with the steps counted. */
export type CountedFit = FitOptions & { readonly steps: number; readonly stepsPerEpoch: number };

/** Runs the steps and closes the run, whatever happens. */
export async function runFit(run: OpenRun, model: object, options: CountedFit): Promise<History> {
  try {
    const callbacks = new CallbackList(callbackList(options.callbacks));
    try {
      return await loop(run, model, callbacks, options);
    } catch (error) {
      await callbacks.failed();
      throw error;
    }
  } finally {
    await run.close();
  }
}

async function loop(run: OpenRun, tfjsModel: object, callbacks: CallbackList, options: CountedFit): Promise<History> {
  const { steps, stepsPerEpoch, onStep, signal, checkpoints } = options;
  const frequency = integer('validationFrequency', options.validationFrequency ?? 1, 1);
  const firstEpoch = integer('initialEpoch', options.initialEpoch ?? 0, 0);
  const everySteps = checkpoints === undefined ? Infinity : integer('checkpoints.everySteps', checkpoints.everySteps, 1);
  const epochs = Math.ceil(steps / stepsPerEpoch);
  const model = stoppable(tfjsModel);
  const recorder = new HistoryRecorder();
  const save = async (done: number): Promise<void> => {
    const ahead = Math.min(everySteps, steps - done);
    const evaluations = Math.floor((done + ahead) / stepsPerEpoch) - Math.floor(done / stepsPerEpoch) + 1;
    const hasPrivate = options.validationData !== undefined && options.validationData.outsideGuarantee !== true;
    await checkpoints!.save(
      await run.checkpoint(ahead === 0 ? undefined : { steps: ahead, evaluations: hasPrivate ? evaluations : 0 }),
    );
  };
  const stopIfAborted = (after: number): void => {
    if (signal?.aborted === true) throw new SottoError('cancelled', `training was cancelled after ${after} of ${steps} steps`);
  };
  stopIfAborted(0);
  callbacks.begin(model, { epochs: firstEpoch + epochs, initialEpoch: firstEpoch, steps: stepsPerEpoch, totalSteps: steps });
  await callbacks.call('onTrainBegin');
  if (checkpoints !== undefined) await save(0);
  let done = 0;
  let stopped = false;
  for (let epoch = firstEpoch; done < steps && !stopped; epoch++) {
    await callbacks.call('onEpochBegin', epoch);
    const figures = new EpochFigures();
    for (let batch = 0; batch < stepsPerEpoch && done < steps && !stopped; batch++) {
      await callbacks.call('onBatchBegin', batch, { batch });
      const report = await run.step();
      done++;
      figures.add(report.figures);
      const logs = { batch, ...report.figures };
      await callbacks.call('onBatchEnd', batch, logs);
      await callbacks.call('onYield', epoch, batch, logs);
      if (done % everySteps === 0 && done < steps) await save(done);
      stopped = onStep?.(report) === false || model.stopTraining === true;
      stopIfAborted(done);
    }
    const last = done === steps || stopped;
    const validates = last || (epoch - firstEpoch + 1) % frequency === 0;
    const logs = { ...figures.logs(), ...(validates ? await run.validate() : {}) };
    // So that a callback can predict with the model, or save it.
    await run.syncWeights();
    recorder.add(epoch, logs);
    await callbacks.call('onEpochEnd', epoch, logs);
    stopped ||= model.stopTraining === true;
  }
  await callbacks.call('onTrainEnd');
  if (checkpoints !== undefined) await checkpoints.save(await run.checkpoint());
  return recorder.history();
}

/** The model with a `stopTraining` of its own: tfjs lets only compiled models have one, and private training needs no compilation. */
function stoppable(model: object): Stoppable {
  return Object.create(model, { stopTraining: { value: false, writable: true, enumerable: true } }) as Stoppable;
}
