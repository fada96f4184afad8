/**
 * `sotto report`.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { encodeReport, type PrivacyReport, renderReportHtml } from '@sotto/governance';
import { writeFile } from 'node:fs/promises';
import { fileError } from '../accounting/cases.ts';
import { type Command, UsageError } from '../command.ts';
import { table } from '../demo/table.ts';
import { wrap } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { verifyDirectory } from '../verification/verify-directory.ts';

export const reportCommand: Command = {
  name: 'report',
  summary: 'the privacy report of an exported run, derived anew from its ledgers',
  usage: ['report DIR [--format text|json|html] [--out FILE] [--trust FILE|FINGERPRINT]'],
  description: [
    'Derives the report from the ledgers of an export folder: who trained what on which data, with which mechanisms, what it cost at several δ, whom it protects against, and what is outside the guarantee. The folder is verified first; a report of a run that does not verify is refused.',
  ],
  options: {
    format: {
      type: 'string',
      short: 'f',
      value: 'NAME',
      describe: 'text (default), json (its schema is published), html (one self-contained file).',
    },
    out: { type: 'string', short: 'o', value: 'FILE', describe: 'Write it there instead of standard output.' },
    trust: { type: 'string', short: 't', value: 'FILE|FINGERPRINT', describe: 'The authority to trust, as for "sotto verify".' },
  },
  positionals: [1, 1],
  examples: [
    ['sotto report sotto-demo', 'read it here'],
    ['sotto report sotto-demo --format html --out report.html', 'a page for a browser'],
  ],
  async run({ terminal, positionals, text }) {
    const format = text('format') ?? 'text';
    if (format !== 'text' && format !== 'json' && format !== 'html')
      throw new UsageError(`--format is "${format}"; it must be text, json or html`);
    const { ok, line, report } = await verifyDirectory(positionals[0]!, text('trust'));
    if (!ok || report === undefined) throw new SottoError('integrity', `${line}. "sotto verify" lists every finding`);
    const bytes =
      format === 'text'
        ? new TextEncoder().encode(reportText(report, terminal))
        : format === 'json'
          ? encodeReport(report)
          : renderReportHtml(report);
    const out = text('out');
    if (out === undefined) {
      terminal.out(new TextDecoder().decode(bytes));
      return 0;
    }
    try {
      await writeFile(out, bytes);
    } catch (error) {
      throw fileError(out, error);
    }
    terminal.out(`${out}: the report of run ${report.run.id}\n`);
    return 0;
  },
};

function reportText(report: PrivacyReport, terminal: Terminal): string {
  const width = Math.min(100, terminal.columns());
  const bold = (text: string): string => terminal.style('bold', text);
  const { run, parties, accuracy } = report;
  const rows = parties.map(({ party, dataset, unit, spent, budget }) => [
    `  ${party}`,
    String(spent.epsilon),
    String(budget.epsilon),
    String(budget.delta),
    unit,
    dataset.name,
  ]);
  const statements = (title: string, list: PrivacyReport['protects']): string =>
    `${bold(title)}\n${list.map((one) => `  ${one.title}\n      ${wrap(one.text, width - 6).replaceAll('\n', '\n      ')}`).join('\n')}`;
  const measured =
    accuracy === undefined
      ? []
      : [
          `Accuracy ${accuracy.value.toFixed(3)} (${accuracy.correct} of ${accuracy.total} held-out records, at the start of round ${accuracy.round})`,
        ];
  return `${[
    `${bold(`Privacy report of run ${run.id}`)} (${run.trustDomain})`,
    wrap(report.summary, width),
    ...measured,
    `${bold('What it cost')}\n${table([['  data owner', 'ε', 'budget', 'δ', 'unit', 'data set'], ...rows], [1, 2, 3])}`,
    statements('Protected against', report.protects),
    statements('Outside the guarantee', report.outside),
    `Authority ${run.trustFingerprint}`,
  ].join('\n\n')}\n`;
}
