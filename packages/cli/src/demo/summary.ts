/**
 * What the demo says at its end: the verification in one line, the table of accuracies, the files to open next.
 *
 * @module
 */
import { toJson } from '../accounting/cases.ts';
import { wrap } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import type { Verification } from '../verification/verify-directory.ts';
import type { Display } from './display.ts';
import { drillOutcome, type PlannedDrill } from './drill.ts';
import { clip } from './frame.ts';
import { benchmarkFigures, type Figure, PUBLISHED } from './figures.ts';
import { HOSPITALS } from './hospitals.ts';
import { lastPublished, type ProgressRecord } from './progress.ts';
import { table } from './table.ts';

export interface SummaryOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly display: Display;
  readonly outcome: Verification;
  /** The export folder as the reader would type it. */
  readonly out: string;
  readonly elapsedMs: number;
  readonly drill: PlannedDrill | undefined;
  readonly own: (event: string, fields: Readonly<Record<string, unknown>>) => ProgressRecord;
}

/** Prints the summary, or the event `demo.result` for machines. */
export function showSummary(options: SummaryOptions): void {
  const { terminal, json, display, outcome, out, elapsedMs, own, drill } = options;
  const progress = display.progress();
  const run = outcome.summary;
  const accuracy = run?.accuracy ?? lastPublished(progress)?.accuracy;
  const rehearsed = drill === undefined || outcome.report === undefined ? undefined : drillOutcome(drill, outcome.report.rounds);
  if (json) {
    const spent = (run?.accounts ?? []).map(({ party, epsilon, budget, delta }) => ({ party, epsilon, budget, delta }));
    const result = {
      verified: outcome.ok,
      verification: outcome.line,
      fingerprint: outcome.fingerprint,
      accuracy,
      published: run?.published,
      aborted: run?.aborted,
      spent,
      drill: rehearsed,
      directory: out,
      seconds: elapsedMs / 1000,
    };
    terminal.out(`${toJson(own('demo.result', result))}\n`);
    return;
  }
  const { style } = terminal;
  // A narrow terminal gets shorter lines, not wrapped ones.
  const fit = (text: string): string =>
    terminal.interactive
      ? text
          .split('\n')
          .map((row) => clip(row, terminal.columns()))
          .join('\n')
      : text;
  const line = terminal.interactive
    ? wrap(outcome.line, Math.min(100, terminal.columns()) - 2).replaceAll('\n', '\n  ')
    : outcome.line;
  terminal.out(`\n${outcome.ok ? style('green', '✓') : style('red', '✗')} ${line}\n`);
  for (const fault of outcome.faults.slice(1)) terminal.out(`  ${fault}\n`);
  if (run !== undefined) terminal.out(`\n${fit(spending(run, rehearsed, style))}\n`);
  if (accuracy !== undefined) terminal.out(`\n${fit(accuracies(accuracy, run?.total, style))}\n`);
  terminal.out(`\n${next(out, outcome.ok, style)}\n`);
}

function spending(run: NonNullable<Verification['summary']>, rehearsed: string | undefined, style: Terminal['style']): string {
  const names = new Map(HOSPITALS.map(({ id, name }) => [id, name]));
  const rows = run.accounts.map(({ party, epsilon, budget, delta, contributed }) => [
    `  ${names.get(party) ?? party}`,
    epsilon.toFixed(4),
    String(budget),
    String(delta),
    String(contributed),
  ]);
  const head = ['  privacy spent', 'ε', 'budget', 'δ', 'rounds'].map((text) => style('bold', text));
  const rounds = `${run.published} of ${run.planned} rounds published${run.aborted === 0 ? '' : `, ${run.aborted} aborted`}`;
  const notes = [`${rounds}; each ε recomputed from the hospital's own ledger`, ...(rehearsed === undefined ? [] : [rehearsed])];
  return [table([head, ...rows], [1, 2, 3, 4]), ...notes.map((note) => `  ${style('dim', note)}`)].join('\n');
}

function accuracies(accuracy: number, total: number | undefined, style: Terminal['style']): string {
  const own: Figure = {
    label: 'this run',
    accuracy,
    kind: `one run${total === undefined ? '' : `, ${total} held-out records`}`,
  };
  const row = (figure: Figure): string[] => [`  ${figure.label}`, figure.accuracy.toFixed(3), style('dim', figure.kind)];
  const head = ['  accuracy on the pooled held-out records', '', 'what it is'].map((text) => style('bold', text));
  const [label, value, kind] = row(own) as [string, string, string];
  const figures = [...benchmarkFigures(), ...PUBLISHED].map(row);
  const body = table([head, [style('green', label), style(['bold', 'green'], value), kind], ...figures], [1]);
  return `${body}\n  ${style('dim', 'this run: the model with which the last round began, counted inside the secure sum')}`;
}

function next(out: string, verified: boolean, style: Terminal['style']): string {
  const command = (text: string): string => style('cyan', text);
  return [
    style('bold', 'Open next'),
    `  ${command(`${out}/report.html`)}   the privacy report, in a browser`,
    `  ${command(`${out}/model/`)}        the model for TensorFlow.js, and as safetensors`,
    `  ${command(`${out}/ledger/`)}       what each party recorded`,
    `  ${command(`npx --no sotto verify ${out}`)}   ${verified ? 'check all of it again; change a byte and try once more' : 'see what is wrong'}`,
  ].join('\n');
}
