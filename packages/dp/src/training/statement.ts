/**
 * The privacy statement: what is guaranteed, in words, with every choice that was made and everything that is outside the guarantee.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import type { Schedule } from '../plan/schedule.ts';
import type { Reports } from './costs.ts';
import type { PrivacySpent } from './guarantee.ts';
import type { KindOfCharge } from './spending.ts';

/** What a statement is written from. */
export interface StatementFacts {
  readonly plan: MechanismPlan;
  readonly parameterCount: number;
  /** The same plan on every grid that noise was added on; see `SessionInfo.gridBits`. */
  readonly onGrids: readonly MechanismPlan[];
  readonly delta: number;
  readonly answer: PrivacySpent;
  /** Steps that were planned or announced before the first; undefined where nobody said, or more were planned later. */
  readonly plannedSteps: number | undefined;
  /** What was charged, in order. */
  readonly charges: readonly KindOfCharge[];
  /** Steps that the weights went through. */
  readonly weightSteps: number;
  readonly evaluations: number;
  readonly reports: Reports;
  /** How often the run was extended beyond what was planned. */
  readonly extensions: number;
  /** Whether data declared outside the guarantee were evaluated. */
  readonly outsideData: boolean;
  /** Whether all randomness came from the system's generator. */
  readonly systemRandom: boolean;
  /** Steps that other objects of `makePrivate` charged for the same model. */
  readonly stepsElsewhere: number;
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
  if (Number(nearest) >= value) return nearest;
  return (value + 0.5 * 10 ** (Math.floor(Math.log10(value)) - 3)).toPrecision(4);
}

const four = (value: number): string => String(Number(value.toPrecision(4)));

/** The noise multiplier of the gradient in the event of a step, apart from the figures that are accounted with it. */
function noiseOf(event: DpEvent, reports: Reports): number | undefined {
  if (event.type === 'gaussian')
    return (
      (event.noiseMultiplier ** -2 - reports.step.reduce((sum, { noiseMultiplier }) => sum + noiseMultiplier ** -2, 0)) ** -0.5
    );
  return 'event' in event ? noiseOf(event.event, reports) : undefined;
}

const MOST_STRETCHES = 4;

/** The noise of what was charged, stretch by stretch. */
function describeNoise({ plan, charges, reports, extensions }: StatementFacts): string {
  if (extensions === 0)
    return `Gaussian noise of ${Number(plan.noiseMultiplier.toPrecision(6))} clip norms on the sum${varies(plan.noiseSchedule, ' times a schedule')}`;
  const stretches: { count: number; readonly noise: number }[] = [];
  for (const { kind, event, count } of charges) {
    const noise = kind === 'evaluation' ? undefined : noiseOf(event, reports);
    if (noise === undefined) continue;
    const last = stretches.at(-1);
    if (last?.noise === noise) last.count += count;
    else stretches.push({ count, noise });
  }
  const of = plan.sampling.kind === 'shuffle' ? 'epochs' : 'steps';
  const told =
    stretches.length <= MOST_STRETCHES
      ? stretches.map(({ count, noise }) => `${four(noise)} in ${count} ${of}`).join(', ')
      : span(
          stretches.map(({ noise }) => noise),
          four,
        );
  return `Gaussian noise, in clip norms on the sum, of ${told}`;
}

/** The first lines: what holds, and what was charged. */
function describeGuarantee({ plan, answer, delta, plannedSteps, charges }: StatementFacts): string[] {
  const { upper, basis, condition, ifFixedBeforehand: total, atAnyMoment } = answer;
  const { unit, adjacency } = plan.relation;
  const what = `The weights, and all figures reported during training, are (${roundedUp(upper)}, ${delta})-differentially private for each ${unit} (${neighbours[adjacency]})`;
  const charged = `What was charged so far has a total of ε = ${roundedUp(total.upper)} at that δ, by ${total.method}. It is a guarantee only if the number of steps and their noise were fixed before the first result was seen.`;
  const odometer = `ε = ${roundedUp(atAnyMoment)}, by an RDP odometer`;
  if (charges.length === 0) return ['Nothing was trained on or reported of the private data yet, so that nothing is released.'];
  if (upper === Infinity) return ['Without a condition no finite ε is known for this training.', charged];
  if (basis === 'filter')
    return [`${what}, by ${answer.method}, provided that ${condition}.`, `Without that condition: ${odometer}.`, charged];
  if (basis === 'odometer')
    return [`${what}, whenever and why ever training was ended or went on, by ${answer.method}.`, charged];
  if (upper === total.upper) return [`${what}, by ${answer.method}.`];
  return [
    `${what}, by ${answer.method}: the cost of all that was planned, ${plannedSteps} steps${plan.sampling.kind === 'shuffle' ? ' in whole epochs' : ''}. Ending earlier, for whatever reason, is part of that guarantee.`,
    ...(atAnyMoment < upper ? [`By itself, and whenever training was ended, this holds too: ${odometer}.`] : []),
    charged,
  ];
}

/** Records or users that public constants speak of. */
export function publicUnits({ sampling, expectedBatchSize }: MechanismPlan): number {
  return 'sampleRate' in sampling ? expectedBatchSize / sampling.sampleRate : sampling.sourceSize;
}

/** What to say of a δ at which a mechanism that publishes a whole record can be private; undefined for others. */
export function deltaWarning(plan: MechanismPlan, delta: number): string | undefined {
  const units = publicUnits(plan);
  if (delta < 1 / units) return undefined;
  return `δ = ${delta} is not below one over the ${Math.round(units)} ${plan.relation.unit}s that the options speak of: publishing one of them in full could satisfy it, whatever ε is. Ask at a δ well below ${(1 / units).toPrecision(1)}`;
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
  const { plan, reports } = facts;
  const count = (kind: KindOfCharge['kind']): number =>
    facts.charges.reduce((sum, charge) => (charge.kind === kind ? sum + charge.count : sum), 0);
  const [steps, again] = [count('step'), count('again')];
  const warning = deltaWarning(plan, facts.delta);
  const lines = [
    ...describeGuarantee(facts),
    ...(warning === undefined ? [] : [`WARNING: ${warning}.`]),
    `Mechanism: ${steps} steps of ${describeSampling(plan)}, ${describeClipping(plan)}, ${describeNoise(facts)}.`,
    ...(steps > facts.weightSteps
      ? [
          `Of these steps the weights went through ${facts.weightSteps}. The others are counted too: they failed, ran again, ran in another process, or are counted ahead by a checkpoint.`,
        ]
      : []),
    ...(again > 0
      ? [
          `The rest of a shuffled epoch was given a fresh order, and counted as another epoch, ${again === 1 ? 'once' : `${again} times`}.`,
        ]
      : []),
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
      `The run was extended ${facts.extensions === 1 ? 'once' : `${facts.extensions} times`} beyond what was planned; all of it is counted above.`,
    );
  }
  if (facts.stepsElsewhere > 0) {
    lines.push(
      `WARNING: this model was also trained privately by another object of makePrivate, in ${facts.stepsElsewhere} step${facts.stepsElsewhere === 1 ? '' : 's'}. They are not counted above unless its checkpoint was restored here; where the same people are in both data sets, the costs add up.`,
    );
  }
  if (!facts.systemRandom) lines.push('WARNING: randomness did not come from the system’s generator, so nothing is guaranteed.');
  lines.push(
    'Assumed: the engine computes each example by itself, to the same bits wherever it stands in a batch. It was tried on made-up examples before the first step.',
  );
  const outside = [
    ...(facts.outsideData ? ['the data given as outside the guarantee, which were evaluated plainly'] : []),
    'the options of the mechanism, and how many steps and how much privacy were planned, which must not be chosen from the private data',
    'the initial weights',
    'whether training was refused because of how many records there are or which labels they have',
    'how long a step takes',
  ];
  lines.push(`Outside the guarantee: ${outside.join('; ')}.`);
  return lines.join('\n');
}
