/**
 * `sotto validate`.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { type LayerReport, type ModelReport, type Topology, validateModel } from '@sotto/core/model';
import type { WeightFilesReport } from '@sotto/core/node';
import { toJson } from '../accounting/cases.ts';
import type { Command } from '../command.ts';
import { wrap } from '../help.ts';
import type { Style, Terminal } from '../terminal.ts';

const STYLES: Readonly<Record<LayerReport['status'], Style>> = {
  private: 'green',
  frozen: 'cyan',
  weightless: 'dim',
  refused: 'red',
  unchecked: 'yellow',
};

const INDENT = '    ';

function describe({ why, cure, fix }: LayerReport, width: number): string {
  const lines = [
    ...(why === undefined ? [] : [why]),
    ...(cure === undefined ? [] : [`→ ${cure}`]),
    ...(fix ?? []).map((change) => `--fix: ${change}`),
  ];
  return lines.map((line) => `${INDENT}${wrap(line, width - INDENT.length).replaceAll('\n', `\n${INDENT}`)}\n`).join('');
}

function table(report: ModelReport, terminal: Terminal): string {
  const longest = (header: string, cells: readonly string[]): number =>
    Math.max(header.length, ...cells.map((cell) => cell.length));
  const { layers } = report;
  const numbers = layers.map(({ parameters }) => (parameters === 0 ? '' : parameters.toLocaleString('en')));
  const widths = [
    longest(
      'layer',
      layers.map(({ layer }) => layer),
    ),
    longest(
      'kind',
      layers.map(({ className }) => className),
    ),
    longest('parameters', numbers),
  ] as const;
  const row = (layer: string, kind: string, parameters: string, status: string): string =>
    `${layer.padEnd(widths[0])}  ${kind.padEnd(widths[1])}  ${parameters.padStart(widths[2])}  ${status}\n`;
  return [
    terminal.style('bold', row('layer', 'kind', 'parameters', 'status')),
    ...layers.map(
      (one, i) =>
        row(one.layer, one.className, numbers[i]!, terminal.style(STYLES[one.status], one.status)) +
        describe(one, terminal.columns()),
    ),
  ].join('');
}

/** The report of a topology that was read from a file. */
function reportOf(path: string, topology: Topology): ModelReport {
  try {
    return validateModel(topology);
  } catch (error) {
    const { message } = SottoError.from(error);
    throw new SottoError(
      'invalid-encoding',
      `${path} holds no layers model (${message}); give a model.json as model.save of tfjs writes it`,
      {
        cause: error,
      },
    );
  }
}

function weightsNote(weights: WeightFilesReport | undefined, terminal: Terminal): string {
  if (weights === undefined) return '';
  return `${terminal.style(weights.ok ? 'yellow' : 'red', 'weights')}: ${weights.why}\n`;
}

function verdict({ ok, problem, trainableParameters, frozenParameters, layers }: ModelReport, terminal: Terminal): string {
  const frozen = frozenParameters === 0 ? '' : `, ${frozenParameters.toLocaleString('en')} are frozen`;
  if (ok)
    return `${terminal.style('green', 'ok')}: ${trainableParameters.toLocaleString('en')} parameters can be trained privately${frozen}\n`;
  if (problem !== undefined) return `${terminal.style('red', 'unfit')}: ${problem}\n`;
  const refused = layers.filter(({ status }) => status === 'refused');
  const fixable = refused.filter(({ fix }) => fix !== undefined).length;
  const count = `${refused.length} of ${layers.length} layers cannot be trained privately`;
  const hint = fixable === 0 ? '' : `; --fix DIR mends ${fixable === refused.length ? 'all' : fixable} of them`;
  return `${terminal.style('red', 'unfit')}: ${count}${hint}\n`;
}

export const validateCommand: Command = {
  name: 'validate',
  summary: 'whether a model can be trained privately, layer by layer, and how to mend it',
  usage: ['validate MODEL [--fix DIR] [--json]'],
  description: [
    'Reads a model.json as model.save of TensorFlow.js writes it, or that of a folder, and tells for each layer whether its weights can have gradients for every single example: "private", "frozen", "weightless" (nothing to train), "refused" with the reason and the cure, or "unchecked" behind a refused one.',
    'With --fix a mended copy is written: batch normalisation becomes group normalisation, options that act on weights outside the private sum are left out, and weights are kept where their shapes agree.',
  ],
  options: {
    fix: { type: 'string', value: 'DIR', describe: 'Write the mended model with its weights to this folder.' },
    json: {
      type: 'boolean',
      describe: 'One JSON object {ok, layers, trainableParameters, frozenParameters, problem, weights, fixed}.',
    },
  },
  positionals: [1, 1],
  examples: [
    ['sotto validate model.json', 'a table; exit status 0 if all is well, 1 if a layer is refused'],
    ['sotto validate model.json --fix private-model', 'mend what can be mended and write private-model/model.json'],
  ],
  async run({ terminal, positionals, text, flag }) {
    const path = positionals[0]!;
    const folder = text('fix');
    // tfjs takes a while to load, so only when this command runs.
    const { checkWeightFiles, loadModelFile, readModelFile, saveModelFile } = await import('@sotto/core/node');
    const before = reportOf(path, (await readModelFile(path)).modelTopology as Topology);
    const weights = await checkWeightFiles(path);
    if (folder === undefined) {
      terminal.out(
        flag('json')
          ? `${toJson({ ...before, ...(weights === undefined ? {} : { weights }) })}\n`
          : `${table(before, terminal)}\n${verdict(before, terminal)}${weightsNote(weights, terminal)}`,
      );
      return before.ok && weights?.ok !== false ? 0 : 1;
    }
    const { fixModel } = await import('@sotto/core/tfjs');
    const { model, changes, newWeights, report } = await fixModel(await loadModelFile(path));
    const file = await saveModelFile(model, folder);
    if (flag('json')) {
      terminal.out(`${toJson({ ...report, fixed: { file, changes, newWeights } })}\n`);
    } else {
      const made = changes.map(({ layer, change }) => `${terminal.style('bold', layer)}: ${change}\n`);
      const anew = newWeights.length === 0 ? '' : `new weights: ${newWeights.join(', ')}\n`;
      terminal.out(
        `${table(report, terminal)}\n${made.join('')}${anew}${changes.length === 0 ? 'nothing to mend; ' : ''}written to ${file}\n${verdict(report, terminal)}${weightsNote(weights, terminal)}`,
      );
    }
    return report.ok ? 0 : 1;
  },
};
