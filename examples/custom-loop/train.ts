/**
 * Two private loops of one's own: training that looks at public data after every step and stops when it is good enough, and a mechanism without any model.
 *
 *     npx node --conditions=@sotto/source examples/custom-loop/train.ts
 */
import { systemRandom } from '@sotto/core/system-random';
import { createMechanismPlan, epsilonOf } from '@sotto/dp';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { heartConstants, loadHospital, splitRecords } from '../heart-disease/records.ts';
import { facts, print, runExample } from '../terminal.ts';

const DELTA = 1e-3;

/** What a loop gave. */
export interface LoopResult {
  /** On the held-out patients, after the last step. They chose when to stop, so it flatters. */
  readonly accuracy: number;
  readonly steps: number;
  /** That of all steps that were planned: who stops in view of results has been free to take them all. */
  readonly epsilon: number;
  readonly statement: string;
}

/** Trains step by step and stops by itself once the accuracy on public data is good enough. */
export async function trainUntil(
  wanted: number,
  mostSteps: number,
  onStep?: (step: number, accuracy: number) => void,
): Promise<LoopResult> {
  const constants = heartConstants();
  const { train, held } = splitRecords(
    loadHospital('processed.cleveland.data', constants),
    constants.holdoutFraction,
    'custom-loop',
  );
  const tensors = ({ features, labels, count }: typeof train) => ({
    x: tensor2d(features, [count, features.length / count]),
    y: tensor2d(labels, [count, 1]),
  });
  const [data, test] = [tensors(train), tensors(held)];
  const training = makePrivate(
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [data.x.shape[1]], units: 1, activation: 'sigmoid', kernelInitializer: 'zeros' })],
    }),
    {
      loss: 'binaryCrossentropy',
      optimiser: { kind: 'sgd', learningRate: 2 },
      clipping: { kind: 'flat', norm: 1 },
      sampleRate: 0.5,
      expectedBatchSize: 100,
      privacy: { target: { epsilon: 2, delta: DELTA }, steps: mostSteps },
    },
  );
  let accuracy = 0;
  let steps = 0;
  // A step is charged before it runs. Who may stop in view of results may as well go on: what holds is the cost of all that was planned.
  for await (const { step } of training.steps(data.x, data.y, { steps: mostSteps })) {
    steps = step;
    accuracy = (await training.evaluate(test.x, test.y, { outsideGuarantee: true })).acc ?? 0;
    onStep?.(step, accuracy);
    if (accuracy >= wanted) break;
  }
  return { accuracy, steps, epsilon: training.privacySpent(DELTA).upper, statement: training.privacyStatement(DELTA) };
}

/**
 * The mean age of the patients of a hospital, by the mechanism alone: every patient contributes one number, clipped to 20 years around a public guess
 * of 55, and the plan samples, clips, adds noise and says what it cost.
 */
export function privateMeanAge(noiseMultiplier: number): { readonly age: number; readonly epsilon: number } {
  const constants = heartConstants();
  const { features, count } = loadHospital('processed.cleveland.data', constants);
  const ages = constants.columns.find(({ name }) => name === 'age');
  if (ages?.kind !== 'numeric') throw new TypeError('the constants have no column of ages');
  const width = features.length / count;
  const guess = 55;
  // The divisor is public too: a hospital that publishes the number of its patients has made it so.
  const plan = createMechanismPlan({
    sampleRate: 1,
    expectedBatchSize: 300,
    clipping: { kind: 'flat', norm: 20 },
    noiseMultiplier,
  });
  const step = plan.begin(count, 1, systemRandom);
  for (const record of step.batch) {
    const age = features[record * width]! * ages.scale + ages.centre;
    step.add([{ values: Float64Array.of(age - guess), width: 1 }], 1);
  }
  const { sum, expectedBatchSize, event } = step.release();
  return {
    age: guess + sum[0]! / expectedBatchSize,
    epsilon: epsilonOf(event, { delta: DELTA, adjacency: 'addOrRemoveOne' }).upper,
  };
}

async function main(): Promise<void> {
  const [wanted, mostSteps] = [0.75, 40];
  print(`Training until ${100 * wanted} % of the held-out patients are told right, for at most ${mostSteps} steps:`);
  const { accuracy, steps, epsilon, statement } = await trainUntil(wanted, mostSteps, (step, now) => {
    if (step % 5 === 0 || now >= wanted) print(`  step ${String(step).padStart(2)}  ${(100 * now).toFixed(1)} %`);
  });
  print(
    accuracy >= wanted
      ? `Stopped after ${steps} of ${mostSteps} steps. The held-out patients chose when, so their ${(100 * accuracy).toFixed(1)} % flatter, and epsilon is that of the whole plan: ${epsilon.toFixed(3)}.`
      : `Not reached: ${(100 * accuracy).toFixed(1)} % after all ${steps} steps, epsilon ${epsilon.toFixed(3)}.`,
    '',
    facts(statement),
    '',
  );
  const mean = privateMeanAge(5);
  print(`By the mechanism alone: mean age ${mean.age.toFixed(1)} years, epsilon ${mean.epsilon.toFixed(3)} at delta ${DELTA}.`);
}

if (import.meta.main) await runExample(main);
