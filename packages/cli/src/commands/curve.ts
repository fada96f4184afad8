/**
 * `sotto curve`.
 *
 * @module
 */
import { oneOf } from '@sotto/core/check';
import { bound, given } from '../accounting/format.ts';
import { ACCOUNTANT_OPTION, eventOf, FROM_OPTION, QUESTION_OPTIONS, questions } from '../accounting/questions.ts';
import { runCases } from '../accounting/run-cases.ts';
import { type CurvePoint, deltaCurve, epsilonCurve, logarithmic, seriesOf, writePlot } from '../accounting/sweep.ts';
import type { PlotSeries } from '../accounting/plot.ts';
import { type Command, type Invocation, UsageError } from '../command.ts';
import { table } from '../demo/table.ts';
import { ProgressLine } from '../terminal.ts';
import { CASE_EXAMPLE, CASE_HELP, optionsOf } from './bounds.ts';

const DEFAULTS = { epsilon: [1e-9, 1e-3], delta: [0, 8] } as const;
const DEFAULT_POINTS = 13;
const MAX_POINTS = 1000;

function rangeOf(invocation: Invocation, of: 'epsilon' | 'delta'): readonly [number, number] {
  const text = invocation.text('range');
  if (text === undefined) return DEFAULTS[of];
  const parts = text.split(':').map(Number);
  const [low, high] = parts;
  const least = of === 'epsilon' ? Number.MIN_VALUE : 0;
  const most = of === 'epsilon' ? 1 - Number.EPSILON : Number.MAX_VALUE;
  if (parts.length !== 2 || low === undefined || high === undefined || !(low >= least && low <= high && high <= most)) {
    throw new UsageError(
      `--range is "${text}"; write LOW:HIGH, ${of === 'epsilon' ? 'two values of δ between 0 and 1, such as 1e-9:1e-3' : 'two values of ε from 0, such as 0:8'}`,
    );
  }
  return [low, high];
}

export const curveCommand: Command = {
  name: 'curve',
  summary: 'the whole guarantee: ε for many δ, or δ for many ε',
  usage: ['curve [FILE] [--of epsilon|delta] [--range LOW:HIGH] [--points N] [--plot FILE.svg] [--json]'],
  description: ['One pair (ε, δ) is one point of a curve; the curve is the guarantee.', CASE_HELP, CASE_EXAMPLE],
  options: {
    of: { type: 'string', value: 'NAME', describe: 'epsilon: ε for a range of δ (default). delta: δ for a range of ε.' },
    range: { type: 'string', value: 'LOW:HIGH', describe: 'Range of the other one (δ 1e-9:1e-3, ε 0:8).' },
    points: { type: 'string', value: 'N', describe: `Number of points (${DEFAULT_POINTS}).` },
    plot: { type: 'string', value: 'FILE.svg', describe: 'Draw it.' },
    adjacency: QUESTION_OPTIONS['adjacency']!,
    unit: QUESTION_OPTIONS['unit']!,
    group: QUESTION_OPTIONS['group']!,
    accountant: ACCOUNTANT_OPTION,
    from: FROM_OPTION,
    json: { type: 'boolean', describe: 'One JSON object {id, curve, points: [{delta, epsilon, lower, upper}]} per case.' },
  },
  positionals: [0, 1],
  examples: [
    ['sotto curve cases.jsonl --of delta --range 0:4 --plot curve.svg', 'δ from ε = 0 to 4, as numbers and as a picture'],
  ],
  async run(invocation) {
    const of = oneOf('--of', invocation.text('of') ?? 'epsilon', ['epsilon', 'delta']);
    const [low, high] = rangeOf(invocation, of);
    const count = invocation.integer('points', 1) ?? DEFAULT_POINTS;
    if (count > MAX_POINTS) throw new UsageError(`--points is ${count}; at most ${MAX_POINTS}`);
    const linear = Array.from({ length: count }, (_, i) => (count === 1 ? low : low + ((high - low) * i) / (count - 1)));
    const at = of === 'epsilon' ? logarithmic(low, high, count) : linear;
    const asked = await questions(invocation);
    const series: PlotSeries[] = [];
    const progress = new ProgressLine(invocation.terminal);
    const status = runCases(invocation, asked, (question) => {
      let done = 0;
      const tick = (): void => progress.show(`point ${++done} of ${count} ...`);
      const curve = of === 'epsilon' ? epsilonCurve : deltaCurve;
      const points = curve(eventOf(question), optionsOf(question), at, tick);
      progress.clear();
      series.push(...seriesOf(asked.length === 1 ? 'bound' : String(question.id), of, points));
      return {
        json: { curve: of, adjacency: question.adjacency, unit: question.unit, points },
        text: `\n${curveText(of, points)}`,
      };
    });
    const plot = invocation.text('plot');
    if (plot !== undefined) await writePlot(plot, of, invocation.positionals[0] ?? 'standard input', series);
    return status;
  },
};

function curveText(of: 'epsilon' | 'delta', points: readonly CurvePoint[]): string {
  const head = of === 'epsilon' ? ['  δ', 'ε at least', 'ε at most'] : ['  ε', 'δ at least', 'δ at most'];
  const rows = points.map((point) => [
    `  ${given(Number((of === 'epsilon' ? point.delta : point.epsilon).toPrecision(4)))}`,
    bound(point.lower, 'lower'),
    bound(point.upper, 'upper'),
  ]);
  return table([head, ...rows], [1, 2]);
}
