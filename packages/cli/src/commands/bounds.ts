/**
 * `sotto epsilon` and `sotto delta`.
 *
 * @module
 */
import { deltaOf, epsilonOf, type PrivacyAnswer, type QuestionOptions } from '@sotto/dp';
import { bound, boundJson, explanation, given, relation, relationJson } from '../accounting/format.ts';
import {
  ACCOUNTANT_OPTION,
  deltaOfQuestion,
  epsilonOfQuestion,
  eventOf,
  FROM_OPTION,
  type Question,
  QUESTION_OPTIONS,
  questions,
} from '../accounting/questions.ts';
import { type Answered, runCases } from '../accounting/run-cases.ts';
import { type CurveKind, deltaCurve, epsilonCurve, logarithmic, seriesOf, writePlot } from '../accounting/sweep.ts';
import type { PlotSeries } from '../accounting/plot.ts';
import type { Command, Invocation, OptionSpec } from '../command.ts';

export const CASE_HELP =
  'FILE holds cases as JSON lines, an array or one object; "-" is standard input. A case is an event with a question: what was done to the data, how often, with which noise.';

export const CASE_EXAMPLE =
  '  {"id": "mnist", "delta": 1e-5, "event": {"type": "selfComposed", "count": 14000, "event":\n    {"type": "poissonSampled", "sampleRate": 0.00427, "event": {"type": "gaussian", "noiseMultiplier": 1.1}}}}';

const OUTPUT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  accountant: ACCOUNTANT_OPTION,
  from: FROM_OPTION,
  explain: { type: 'boolean', short: 'x', describe: 'Say which bound won and why, as text for a report.' },
  plot: { type: 'string', value: 'FILE.svg', describe: 'Draw the whole curve through the answer as well.' },
  json: { type: 'boolean', describe: 'One JSON object per case.' },
};

const PLOT_POINTS = 25;

/** Options for `@sotto/dp` from a question. */
export function optionsOf(question: Question): QuestionOptions {
  const { adjacency, unit, groupSize, accountant } = question;
  return { adjacency, unit, groupSize, ...(accountant === undefined ? {} : { accountant }) };
}

function answered(
  kind: CurveKind,
  at: string,
  answer: PrivacyAnswer,
  explain: boolean,
  fixed: Readonly<Record<string, number>>,
): Answered {
  const symbol = kind === 'epsilon' ? 'ε' : 'δ';
  const upper = bound(answer.upper, 'upper');
  const lower = answer.lower > 0 ? ` (and at least ${bound(answer.lower, 'lower')})` : '';
  const why = explain ? `\n${explanation(answer, symbol)}` : '';
  return {
    json: { [kind]: boundJson(answer, explain), ...fixed, ...relationJson(answer) },
    text: `${symbol} ≤ ${upper}${lower} at ${at}, ${relation(answer)}, by ${answer.method}${why}`,
  };
}

async function runBounds(invocation: Invocation, kind: CurveKind): Promise<number> {
  const asked = await questions(invocation);
  const explain = invocation.flag('explain');
  const plot = invocation.text('plot');
  const series: PlotSeries[] = [];
  const status = runCases(invocation, asked, (question) => {
    const event = eventOf(question);
    const options = optionsOf(question);
    const name = asked.length === 1 ? 'bound' : String(question.id);
    if (kind === 'epsilon') {
      const delta = deltaOfQuestion(question);
      const answer = epsilonOf(event, { ...options, delta });
      if (plot !== undefined) {
        const deltas = logarithmic(delta / 1e4, Math.min(0.1, delta * 1e3), PLOT_POINTS);
        series.push(...seriesOf(name, kind, epsilonCurve(event, options, deltas)));
      }
      return answered(kind, `δ = ${given(delta)}`, answer, explain, { delta });
    }
    const epsilon = epsilonOfQuestion(question);
    const answer = deltaOf(event, { ...options, epsilon });
    if (plot !== undefined) {
      const epsilons = Array.from({ length: PLOT_POINTS }, (_, i) => (2 * epsilon * i) / (PLOT_POINTS - 1));
      series.push(...seriesOf(name, kind, deltaCurve(event, options, epsilons)));
    }
    return answered(kind, `ε = ${given(epsilon)}`, answer, explain, { epsilon });
  });
  if (plot !== undefined) await writePlot(plot, kind, invocation.positionals[0] ?? 'standard input', series);
  return status;
}

export const epsilonCommand: Command = {
  name: 'epsilon',
  summary: 'how much privacy did it cost: ε at a δ, bounded from both sides',
  usage: ['epsilon [FILE] [--delta D] [--explain] [--json]', 'epsilon --from opacus FILE --delta D'],
  description: [
    'Bounds ε from above and below for what was done to private data. The upper bound is the claim one may make; the lower one says how much of it is slack.',
    CASE_HELP,
    CASE_EXAMPLE,
  ],
  options: { ...QUESTION_OPTIONS, ...OUTPUT_OPTIONS },
  positionals: [0, 1],
  examples: [
    [
      `echo '{"event": {"type": "gaussian", "noiseMultiplier": 2}, "delta": 1e-5}' | sotto epsilon`,
      'one case from standard input',
    ],
    [
      'sotto epsilon cases.jsonl --json',
      'one line {id, epsilon: {lower, upper, method}} per case; a case that fails has an error instead',
    ],
    ['sotto epsilon --from opacus state.json --delta 1e-5 --explain', 'check the ε that an Opacus run reported'],
  ],
  run: (invocation) => runBounds(invocation, 'epsilon'),
};

export const deltaCommand: Command = {
  name: 'delta',
  summary: 'δ at an ε, bounded from both sides',
  usage: ['delta [FILE] [--epsilon E] [--explain] [--json]'],
  description: [
    'Bounds δ from above and below for what was done to private data, at a given ε.',
    CASE_HELP,
    CASE_EXAMPLE.replace('"delta": 1e-5', '"epsilon": 3'),
  ],
  options: {
    epsilon: { type: 'string', short: 'e', value: 'E', describe: 'ε for cases without one.' },
    adjacency: QUESTION_OPTIONS['adjacency']!,
    unit: QUESTION_OPTIONS['unit']!,
    group: QUESTION_OPTIONS['group']!,
    ...OUTPUT_OPTIONS,
  },
  positionals: [0, 1],
  examples: [['sotto delta cases.jsonl --epsilon 2 --json', 'one line {id, delta: {lower, upper, method}} per case']],
  run: (invocation) => runBounds(invocation, 'delta'),
};
