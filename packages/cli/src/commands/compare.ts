/**
 * `sotto compare`.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import { type AccountantName, epsilonOf, type QuestionOptions } from '@sotto/dp';
import { bound, given, relation } from '../accounting/format.ts';
import { accountantNames, deltaOfQuestion, eventOf, FROM_OPTION, QUESTION_OPTIONS, questions } from '../accounting/questions.ts';
import { runCases } from '../accounting/run-cases.ts';
import { epsilonCurve, logarithmic, writePlot } from '../accounting/sweep.ts';
import type { PlotSeries } from '../accounting/plot.ts';
import type { Command } from '../command.ts';
import { table } from '../demo/table.ts';
import { CASE_EXAMPLE, CASE_HELP, optionsOf } from './bounds.ts';

const PLOT_POINTS = 17;

type Report =
  | { readonly accountant: AccountantName; readonly lower: number; readonly upper: number; readonly method: string }
  | { readonly accountant: AccountantName; readonly refused: string };

/** One accountant alone: the combined answer does not ask the others once one of them is exact. */
function reportOf(
  event: DpEvent,
  options: QuestionOptions & { readonly accountant: AccountantName; readonly delta: number },
): Report[] {
  const { accountant } = options;
  try {
    const { lower, upper, method } = epsilonOf(event, options);
    return [{ accountant, lower, upper, method }];
  } catch (reason) {
    const error = SottoError.from(reason);
    // A name without an accountant of its own: its bounds come with another's.
    if (error.code === 'invalid-argument') return [];
    if (error.code !== 'unsupported') throw error;
    const [report] = (error.details['reports'] ?? []) as readonly { readonly refused?: string }[];
    return [{ accountant, refused: report?.refused ?? error.message }];
  }
}

export const compareCommand: Command = {
  name: 'compare',
  summary: 'what each accountant says about the same event, side by side',
  usage: ['compare [FILE] [--delta D] [--plot FILE.svg] [--json]'],
  description: [
    'Asks every accountant and shows all bounds, and why the others have none. They must agree: a lower bound above an upper one is an error, not an answer.',
    CASE_HELP,
    CASE_EXAMPLE,
  ],
  options: {
    ...QUESTION_OPTIONS,
    from: FROM_OPTION,
    plot: { type: 'string', value: 'FILE.svg', describe: 'Draw the upper bound of each accountant over δ (first case).' },
    json: { type: 'boolean', describe: 'One JSON object {id, epsilon, accountants: [...]} per case.' },
  },
  positionals: [0, 1],
  examples: [['sotto compare cases.jsonl', 'a table per case, the best bound first']],
  async run(invocation) {
    const { style } = invocation.terminal;
    const asked = await questions(invocation);
    const series: PlotSeries[] = [];
    const plot = invocation.text('plot');
    const status = runCases(invocation, asked, (question) => {
      const event = eventOf(question);
      const delta = deltaOfQuestion(question);
      const answer = epsilonOf(event, { ...optionsOf(question), delta });
      const reports = accountantNames.flatMap((accountant) => reportOf(event, { ...optionsOf(question), accountant, delta }));
      const readings = reports.flatMap((report) => ('refused' in report ? [] : [report])).toSorted((a, b) => a.upper - b.upper);
      const refusals = reports.flatMap((report) => ('refused' in report ? [report] : []));
      if (plot !== undefined && series.length === 0) {
        const deltas = logarithmic(delta / 1e4, Math.min(0.1, delta * 1e3), PLOT_POINTS);
        for (const { accountant } of readings) {
          const points = epsilonCurve(event, { ...optionsOf(question), accountant }, deltas);
          series.push({ name: accountant, points: points.map((point) => [point.delta, point.upper] as const) });
        }
      }
      const rows = readings.map(({ accountant, lower, upper, method }, i) => {
        const name = i === 0 ? style('green', accountant) : accountant;
        return [`  ${name}`, bound(lower, 'lower'), bound(upper, 'upper'), style('dim', method)];
      });
      const body = table([['  accountant', 'ε at least', 'ε at most', 'method'], ...rows], [1, 2]);
      const refused = refusals.map(({ accountant, refused: why }) => `\n  ${style('dim', `${accountant}: ${why}`)}`).join('');
      return {
        json: {
          epsilon: { lower: answer.lower, upper: answer.upper, method: answer.method },
          delta,
          adjacency: answer.adjacency,
          unit: answer.unit,
          accountants: [
            ...readings.map(({ accountant, lower, upper, method }) => ({ accountant, lower, upper, method })),
            ...refusals.map(({ accountant, refused: why }) => ({ accountant, refused: why })),
          ],
        },
        text: `at δ = ${given(delta)}, ${relation(answer)}\n${body}${refused}`,
      };
    });
    if (plot !== undefined) await writePlot(plot, 'epsilon', 'upper bounds', series);
    return status;
  },
};
