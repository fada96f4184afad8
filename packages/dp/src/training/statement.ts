/**
 * The privacy statement: what is guaranteed, in words, with every choice that was made and everything that is outside the guarantee.
 *
 * @module
 */
import type { Adjacency } from '@sotto/core/event';
import type { PrivacyAnswer } from '../accounting/accountant.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import type { Schedule } from '../plan/schedule.ts';
import type { Reports } from './costs.ts';

/** What a statement is written from. */
export interface StatementFacts {
  readonly plan: MechanismPlan;
  readonly parameterCount: number;
  /** The same plan on every grid that noise was added on; see `SessionInfo.gridBits`. */
  readonly onGrids: readonly MechanismPlan[];
  readonly delta: number;
  readonly answer: PrivacyAnswer;
  readonly steps: number;
  readonly evaluations: number;
  readonly reports: Reports;
  /** How often the run was extended beyond what was planned. */
  readonly extensions: number;
  /** Whether data declared outside the guarantee were evaluated. */
  readonly outsideData: boolean;
  /** Whether all randomness came from the system's generator. */
  readonly systemRandom: boolean;
}

const neighbours: Readonly<Record<Adjacency, string>> = {
  addOrRemoveOne: 'adding or removing one',
  replaceOne: 'replacing one by another',
  replaceSpecial: 'replacing one by an empty one',
  zeroOut: 'leaving the place of one empty',
};

const varies = (schedule: Schedule, words: string): string => (typeof schedule === 'number' ? '' : words);

/** Six digits: enough to recognise a constant, which the event holds in full. */
const shown = (value: number): number => Number(value.toPrecision(6));

function describeSampling({ sampling, unit }: MechanismPlan): string {
  const units = unit.kind === 'user' ? `users, with at most ${unit.contributionBound} records each,` : 'records';
  switch (sampling.kind) {
    case 'poisson':
      return `Poisson sampling of ${units} at rate ${shown(sampling.sampleRate)}`;
    case 'truncatedPoisson':
      return `Poisson sampling of ${units} at rate ${shown(sampling.sampleRate)}, cut at ${sampling.cap} of at most ${sampling.sourceSize}`;
    case 'shuffle':
      return `shuffled batches of ${sampling.batchSize} of at most ${sampling.sourceSize} ${units}, counted without amplification`;
    case 'fixedSize':
      return `random batches of ${sampling.batchSize} of at most ${sampling.sourceSize} ${units}`;
  }
}

function describeClipping({ clipping, normSchedule }: MechanismPlan): string {
  if (clipping.kind === 'adaptive')
    return `clipping to a norm that follows a quantile of the norms from ${clipping.norm} on (its noisy count is part of the same noise)`;
  return `${clipping.kind} clipping to norm ${clipping.norm}${varies(normSchedule, ' times a schedule')}`;
}

/** Four digits, never below the value. */
function roundedUp(value: number): string {
  const nearest = value.toPrecision(4);
  return Number(nearest) >= value ? nearest : (value * (1 + 5e-4)).toPrecision(4);
}

/** Numbers as they are told of: each once, or the least and the greatest of them. */
function span(values: readonly number[], write: (value: number) => string): string {
  const [least, most] = [write(Math.min(...values)), write(Math.max(...values))];
  return least === most ? least : `${least} to ${most}`;
}

function describeFloats({ plan, onGrids, parameterCount }: StatementFacts): string {
  const plans = onGrids.length === 0 ? [plan] : onGrids;
  const slack = span(
    plans.map((each) => each.slack(parameterCount)),
    (value) => value.toPrecision(3),
  );
  const bits = span(
    plans.map(({ grid }) => grid.gridBits),
    (value) => `2^${value}`,
  );
  return `Clipped sums were computed in 32-bit floats; the noise is an exact rounded Gaussian, with ${bits} grid steps to its standard deviation, raised by a relative ${slack} for rounding.`;
}

/** Writes the statement, one fact a line. */
export function writeStatement(facts: StatementFacts): string {
  const { plan, answer, reports } = facts;
  const lines = [
    `The weights, and all figures reported during training, are (${roundedUp(answer.upper)}, ${facts.delta})-differentially private for each ${plan.relation.unit} ` +
      `(${neighbours[plan.relation.adjacency]}), by ${answer.method}.`,
    `Mechanism: ${facts.steps} steps of ${describeSampling(plan)}, ${describeClipping(plan)}, Gaussian noise of ${shown(plan.noiseMultiplier)} clip norms on the sum${varies(plan.noiseSchedule, ' times a schedule')}.`,
    plan.mode === 'secure'
      ? 'Sensitivity was verified in integers for every example, and the noise is an exact rounded Gaussian.'
      : describeFloats(facts),
  ];
  if (reports.step.length > 0) {
    const named = reports.step.map(
      ({ name, clip, noiseMultiplier }) => `${name} (limit ${clip}, noise multiplier ${noiseMultiplier})`,
    );
    lines.push(`Reported with each step, with noise, on the same sample, and counted above: ${named.join('; ')}.`);
  } else lines.push('No figure of the private training data was reported.');
  if (facts.evaluations > 0 && reports.validation !== undefined) {
    const [loss] = reports.validation;
    lines.push(
      `Reported on private validation data in ${facts.evaluations} evaluations, with noise, and counted above: ${reports.validation.map(({ name }) => name).join(', ')}, each with noise multiplier ${loss!.noiseMultiplier}, losses cut to ${loss!.clip}${loss!.examplesPerUnit === 1 ? '' : `, at most ${loss!.examplesPerUnit} examples of each user`}.`,
    );
  }
  if (facts.extensions > 0) {
    lines.push(
      `The run was extended ${facts.extensions === 1 ? 'once' : `${facts.extensions} times`} beyond what was planned; all of it is counted above. Who decides to extend after looking at results should hold the total to a limit that was set before.`,
    );
  }
  if (!facts.systemRandom) lines.push('WARNING: randomness did not come from the system’s generator, so nothing is guaranteed.');
  const outside = [
    ...(facts.outsideData ? ['the data given as outside the guarantee, which were evaluated plainly'] : []),
    'the options of the mechanism and the number of steps, which must not be chosen from the private data',
    'the initial weights',
    'how long a step takes',
  ];
  lines.push(`Outside the guarantee: ${outside.join('; ')}.`);
  return lines.join('\n');
}
