/**
 * A model card in the form of the Hugging Face Hub: YAML front matter and Markdown, from the report alone.
 *
 * @module
 */
import { utf8 } from '@sotto/core/bytes';
import { epsilonText, listOf, percent, plural, smallNumber } from './format.ts';
import type { PrivacyReport } from './report.ts';

/** What the ledgers cannot know. */
export interface ModelCardOptions {
  /** Licence identifier of the model, as the Hub writes it. */
  readonly license: string;
  /** Task of the model in the Hub's vocabulary, such as `tabular-classification`. */
  readonly task: string;
}

/** A JSON string is a YAML double-quoted scalar. */
const quoted = (text: string): string => JSON.stringify(text);

/** Text that Markdown shows as it is. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>#|~]/g, (char) => `\\${char}`);
}

function frontMatter(report: PrivacyReport, options: ModelCardOptions): string[] {
  const { accuracy, model } = report;
  const results =
    accuracy === undefined
      ? []
      : [
          'model-index:',
          `- name: ${quoted(model.name)}`,
          '  results:',
          '  - task:',
          `      type: ${quoted(options.task)}`,
          '    dataset:',
          `      name: ${quoted('held-out records of all data owners')}`,
          '      type: private',
          '    metrics:',
          '    - type: accuracy',
          `      value: ${accuracy.value}`,
        ];
  return [
    '---',
    `license: ${quoted(options.license)}`,
    'tags:',
    '- differential-privacy',
    '- federated-learning',
    '- secure-aggregation',
    ...results,
    '---',
  ];
}

function privacyTable(report: PrivacyReport): string[] {
  return [
    '| data owner | data set | ε spent | budget | δ | unit | adjacency |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...report.parties.map(({ party, dataset, spent, budget, unit, adjacency }) =>
      [
        '',
        ` ${plain(party)} `,
        ` ${plain(dataset.name)} `,
        ` ${epsilonText(spent.epsilon, 6)} `,
        ` ${budget.epsilon} `,
        ` ${smallNumber(budget.delta)} `,
        ` ${unit} `,
        ` ${adjacency} `,
        '',
      ].join('|'),
    ),
  ];
}

/** The bytes of a model card (`README.md`). Every figure is one of the report. */
export function renderModelCard(report: PrivacyReport, options: ModelCardOptions): Uint8Array {
  const { run, model, training, accuracy } = report;
  const purposes = [...new Set(report.parties.map(({ purpose }) => purpose))];
  const lines = [
    ...frontMatter(report, options),
    '',
    `# ${plain(model.name)}`,
    '',
    plain(report.summary),
    '',
    '## Intended use',
    '',
    ...purposes.map((purpose) => `- ${plain(purpose)}`),
    '',
    '## Privacy',
    '',
    ...privacyTable(report),
    '',
    ...report.protects.flatMap(({ title, text }) => [`**${plain(title)}.** ${plain(text)}`, '']),
    '### Outside the guarantee',
    '',
    ...report.outside.map(({ title, text }) => `- **${plain(title)}.** ${plain(text)}`),
    '',
    '## Training',
    '',
    `- ${plural(model.parameters, 'parameter')}: ${plain(listOf(model.weights.map(({ name, shape }) => `${name} [${shape.join(', ')}]`)))}`,
    `- ${plural(run.rounds.planned, 'round')} planned, ${run.rounds.published} published, ${run.rounds.aborted} given up`,
    `- ${plural(training.localSteps, 'local step')} a round, learning rate ${training.learningRate}, clip norm ${training.clipNorm}`,
    '',
    '## Evaluation',
    '',
    accuracy === undefined
      ? 'No held-out records were measured.'
      : `${accuracy.correct} of ${accuracy.total} held-out records right (${percent(accuracy.value)}), by the model with which round ${accuracy.round} began.`,
    '',
    '## Evidence',
    '',
    `- final weights, SHA-256: \`${model.finalHash}\``,
    `- plan, SHA-256: \`${run.planHash}\``,
    `- fingerprint of the enrolment authority: \`${run.trustFingerprint}\``,
    ...report.ledgers.map(({ origin, size, root }) => `- ledger \`${origin}\`: ${size} entries, root \`${root}\``),
    '',
  ];
  return utf8(lines.join('\n'));
}
