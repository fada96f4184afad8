/**
 * A hospital's client embedded in a program of its own: FederatedClient does the protocol, the budget and the ledger; the
 * program brings the data and trains. Run it in place of "sotto client": node client.ts cleveland.yaml
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { onnxEngine } from '@sotto/core/onnx';
import { systemRandom } from '@sotto/core/system-random';
import { createMechanismPlan, createRecordTrainer, planBudget } from '@sotto/dp';
import { type ClientTask, FederatedClient, loadClientConfig } from '@sotto/federation';

const config = await loadClientConfig(process.argv[2] ?? 'cleveland.yaml');
const bytes = readFileSync(config.task!.file);

/** One line of the file as thirteen features, by the public constants of CONSTANTS.md. */
function features(row: readonly number[]): number[] {
  const [age, sex, cp, trestbps, chol, fbs, restecg, thalach, exang, oldpeak] = row as [...number[]];
  const scaled = (value: number, low: number, high: number): number => (2 * value - low - high) / (high - low);
  const numbers = [scaled(age!, 40, 79), scaled(sex!, 0, 1), ...[2, 3, 4].map((level) => Number(cp === level))];
  numbers.push(
    scaled(trestbps!, 90, 200),
    scaled(chol!, 130, 320),
    scaled(fbs!, 0, 1),
    ...[1, 2].map((level) => Number(restecg === level)),
  );
  return [...numbers, scaled(thalach!, 60, 200), scaled(exang!, 0, 1), scaled(oldpeak!, 0, 2)];
}

const lines = bytes.toString().trim().split('\n');
const rows = lines
  .map((line) => line.split(',').map(Number))
  .filter((row) => [...row.slice(0, 10), row[13]].every(Number.isFinite));
// Held-out records are outside the guarantee: evaluated, never trained on. Each record's own content decides, not its place in
// the file, so that the removal of one record changes nothing else.
const isHeld = (row: number[]): boolean => createHash('sha256').update(row.join()).digest()[0]! < 0.34 * 256;
const held = rows.filter(isHeld);
const training = rows.filter((row) => !isHeld(row));
const inputs = (part: number[][]): Float32Array => Float32Array.from(part.flatMap(features));
const labels = (part: number[][]): Float32Array => Float32Array.from(part, (row) => Number(row[13]! > 0));

const task: ClientTask = {
  async prepare({ plan, party, budget }) {
    // The noise that this hospital's own budget asks for, and the event that its ledger records for each round.
    const { sampleRate, expectedBatchSize } = party;
    const { noiseMultiplier, roundEvent, filter } = planBudget({ ...budget, sampleRate, rounds: plan.rounds });
    const clipping = { kind: 'flat', norm: plan.training.clipNorm } as const;
    const trainer = await createRecordTrainer({
      model: plan.model as never,
      loss: 'binaryCrossentropy',
      features: inputs(training),
      labels: labels(training),
      plan: createMechanismPlan({ sampleRate, expectedBatchSize, clipping, noiseMultiplier }),
      engine: onnxEngine(),
      random: systemRandom,
    });
    return {
      event: roundEvent,
      filter,
      mechanism: `DP-SGD in our own program: one step a round, noise multiplier ${noiseMultiplier}`,
      contentHash: createHash('sha256').update(bytes).digest(),
      // Called once a round, after the reservation is on disk: the change of the weights, and counts on held-out records.
      async train({ weights }) {
        const flat = Float64Array.from(weights.flatMap((tensor) => [...tensor]));
        const { sum } = await trainer.noisyGradientSum(flat);
        const update = sum.map((value) => (-plan.training.learningRate * value) / expectedBatchSize);
        return { update, metrics: await trainer.evaluate(flat, inputs(held), labels(held)) };
      },
      close: () => trainer.close(),
    };
  },
};

const { runId, contributed, epsilonSpent } = await new FederatedClient({ config, task }).finished;
console.log(
  `run ${runId} is over: part of ${contributed} rounds, ε = ${epsilonSpent.toFixed(3)} of ${config.budget.epsilon} spent`,
);
