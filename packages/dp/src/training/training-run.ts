/**
 * One training of a model, from when its examples are read until its weights are back: what `fit` and loops of one's own go through.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import type { Ahead } from './planned.ts';
import { digestTable, withoutOrder } from './epoch-table.ts';
import { evaluationLogs } from './evaluation-logs.ts';
import type { ExampleTable } from './examples.ts';
import type { Tensors } from './inputs.ts';
import { writeModelCheckpoint } from './model-checkpoint.ts';
import type { StepReport, TrainingOptions } from './options.ts';
import type { Figures, TrainingSession } from './session.ts';
import { openSessionOf } from './training-parts.ts';
import type { TrainingParts } from './training-parts.ts';
import { readValidation } from './validation-data.ts';
import type { Validation } from './validation-data.ts';

/** An open training. */
export interface OpenRun {
  /** One charged step. */
  step(): Promise<StepReport>;
  /** Evaluates on what was declared, and charges it where it is private. */
  validate(): Promise<Readonly<Record<string, number>>>;
  syncWeights(): Promise<void>;
  checkpoint(ahead?: Ahead): Promise<Uint8Array>;
  /** Brings the weights back and lets the examples go. */
  close(): Promise<void>;
}

/** Opens a training of so many steps. Whatever is refused is refused before anything is charged. */
export async function openRun(
  parts: TrainingParts,
  x: Tensors,
  y: Tensors,
  options: TrainingOptions,
  steps: number,
): Promise<OpenRun> {
  const { progress } = parts;
  progress.begin();
  try {
    return await open(parts, x, y, options, steps);
  } catch (error) {
    progress.end();
    throw error;
  }
}

async function open(parts: TrainingParts, x: Tensors, y: Tensors, options: TrainingOptions, steps: number): Promise<TrainingRun> {
  const { account, binding, progress } = parts;
  account.checkLeft(steps);
  progress.takeModelWeights();
  const examples = await binding.readExamples(x, y, 'x', 'y');
  checkSize(account.plan, examples.count);
  const validation = await readValidation(parts, options.validationData);
  // A shuffled epoch under way has drawn some of these examples already, and must not be taken to other ones.
  const goesOn = account.epochGoesOn && progress.epochTable === (await digestTable(examples, options.userIds));
  if (!goesOn) account.endEpoch(steps);
  progress.epochTable = undefined;
  account.announce({ steps, evaluations: validation?.mode.kind === 'noisy' ? evaluationsOf(options, steps, account.plan) : 0 });
  const session = await openSessionOf(parts, examples, options, goesOn ? progress.state : withoutOrder(progress.state));
  progress.attach(session);
  return new TrainingRun(parts, session, examples, options, validation);
}

/** The most evaluations of a training of so many steps: at the end of every so many epochs, and of the last one. */
function evaluationsOf({ stepsPerEpoch, validationFrequency }: TrainingOptions, steps: number, plan: MechanismPlan): number {
  const epochs = Math.ceil(steps / (stepsPerEpoch ?? plan.stepsPerEpoch));
  return Math.ceil(epochs / (validationFrequency ?? 1));
}

function checkSize({ expectedBatchSize, unit }: MechanismPlan, count: number): void {
  // The margin is for rounding of public constants. It moves the threshold and hides nothing: whether training was refused is outside the guarantee.
  if (unit.kind === 'record' && expectedBatchSize > 1.1 * count + 1) {
    throw new SottoError(
      'invalid-argument',
      `expectedBatchSize is ${expectedBatchSize}, but x holds only ${count} examples; a batch cannot be bigger than the data`,
    );
  }
}

class TrainingRun implements OpenRun {
  readonly #parts: TrainingParts;
  readonly #session: TrainingSession;
  readonly #examples: ExampleTable;
  readonly #options: TrainingOptions;
  readonly #validation: Validation | undefined;
  #done: number;
  #failed = false;

  constructor(
    parts: TrainingParts,
    session: TrainingSession,
    examples: ExampleTable,
    options: TrainingOptions,
    validation: Validation | undefined,
  ) {
    this.#parts = parts;
    this.#session = session;
    this.#examples = examples;
    this.#options = options;
    this.#validation = validation;
    this.#done = parts.progress.state.steps;
  }

  async step(): Promise<StepReport> {
    if (this.#failed)
      throw new SottoError('conflict', 'an earlier step of this training failed; begin again from the last weights');
    const { account } = this.#parts;
    const { position } = account;
    account.chargeStep();
    this.#failed = true;
    const figures = await this.#session.step(position);
    this.#failed = false;
    return { step: ++this.#done, figures: this.#scaled(figures) };
  }

  /** A sum over a batch as a mean over the expected one. */
  #scaled(figures: Figures): Figures {
    const { loss } = figures;
    return loss === undefined ? figures : { ...figures, loss: loss / this.#parts.account.plan.expectedBatchSize };
  }

  async validate(): Promise<Readonly<Record<string, number>>> {
    if (this.#validation === undefined) return {};
    const { account, progress, binding } = this.#parts;
    const { examples, mode } = this.#validation;
    if (mode.kind === 'public') progress.outsideData = true;
    else account.chargeEvaluation();
    return evaluationLogs(binding.metrics, await this.#session.evaluate(examples, mode));
  }

  async syncWeights(): Promise<void> {
    await this.#parts.progress.fetchState();
    this.#parts.progress.writeWeights();
  }

  checkpoint(ahead?: Ahead): Promise<Uint8Array> {
    return writeModelCheckpoint(this.#parts, ahead);
  }

  async close(): Promise<void> {
    const { account, progress } = this.#parts;
    let arrived = false;
    try {
      if (!this.#failed) {
        this.#failed = true;
        await progress.fetchState();
        arrived = true;
      }
      progress.epochTable = account.epochGoesOn && arrived ? await digestTable(this.#examples, this.#options.userIds) : undefined;
      progress.writeWeights();
    } finally {
      // The next steps go on from the last state that arrived, and so must their costs.
      if (!arrived) account.rewind(progress.state.mechanism?.position ?? 0);
      progress.end();
      await this.#session.close();
    }
  }
}
