/**
 * Private training steps: Sotto against its own non-private step, PyTorch and Opacus, side by side on the same batch and cores.
 *
 * A step is forward, backward, clip, noise and update on one full batch, as a training session takes it. Contenders take turns in rounds; medians of wall time. The
 * peers take part where `--peers VENV` names a Python environment with torch and opacus; `--only MODEL` runs one model.
 *
 * @module
 */
import { loadavg } from 'node:os';
import type { BenchOptions, BenchResult, BenchTable } from './bench.ts';
import { median, takeTurns } from './dpsgd/contender.ts';
import type { Contender } from './dpsgd/contender.ts';
import { benchModels } from './dpsgd/models.ts';
import type { BenchModel, BenchModelName } from './dpsgd/models.ts';
import { pairContender, PAIR } from './dpsgd/pair.ts';
import { peerContenders, PYTORCH } from './dpsgd/peers.ts';
import { bareContenders, names, privateContender } from './dpsgd/sotto.ts';

const THREADS = 2;
const ROUNDS = 7;

/** Seconds per turn, and whether the secure mode takes part. */
const entries: readonly { readonly model: BenchModelName; readonly seconds: number; readonly secure: boolean }[] = [
  { model: 'mlp', seconds: 0.8, secure: false },
  { model: 'cnn', seconds: 0.8, secure: true },
  { model: 'gpt', seconds: 2, secure: false },
  { model: 'resnet', seconds: 2.5, secure: false },
  { model: 'logistic', seconds: 0.5, secure: true },
];

/** What is claimed, and the bar for each model. */
const bars: readonly {
  readonly title: string;
  readonly least: boolean;
  /** Whether least times of the contenders cannot be compared. */
  readonly onlyMedians?: boolean;
  readonly of: Readonly<Partial<Record<BenchModelName, number>>>;
  readonly ratio: (ms: Readonly<Record<string, number>>) => number;
}[] = [
  {
    title: 'private, with noise and update, over PyTorch without privacy',
    least: false,
    of: { mlp: 1.4, cnn: 0.7, gpt: 1.05, resnet: 1.1 },
    ratio: (ms) => ms[names.fast]! / ms[PYTORCH]!,
  },
  {
    title: 'private, before noise, over PyTorch without privacy',
    least: false,
    of: { mlp: 1.05 },
    ratio: (ms) => ms[names.before]! / ms[PYTORCH]!,
  },
  {
    title: 'best Opacus mode over private',
    least: true,
    of: { mlp: 1.6, cnn: 2.4, gpt: 1.35, resnet: 1.8 },
    ratio: (ms) => bestOpacus(ms) / ms[names.fast]!,
  },
  {
    title: 'private over not private, both Sotto',
    least: false,
    of: { mlp: 1.4, cnn: 1.2, gpt: 1.2, resnet: 1.15 },
    ratio: (ms) => ms[names.fast]! / ms[names.plain]!,
  },
  {
    title: 'two cores, of what two processes of one thread reach',
    least: true,
    of: { mlp: 0.92, cnn: 0.92, gpt: 0.92, resnet: 0.92 },
    ratio: (ms) => ms[PAIR]! / ms[names.fast]!,
    // The pair tells averages of turns, whose least is not that of a step.
    onlyMedians: true,
  },
  {
    title: 'noise, rounding to the grid and double-precision update: share of the step',
    least: false,
    of: { cnn: 0.2, gpt: 0.2, resnet: 0.2 },
    ratio: (ms) => 1 - ms[names.before]! / ms[names.fast]!,
  },
];

function bestOpacus(ms: Readonly<Record<string, number>>): number {
  return Math.min(...Object.entries(ms).flatMap(([name, value]) => (name.startsWith('Opacus') ? [value] : [])));
}

interface Measured {
  readonly model: BenchModel;
  readonly firstStepMs: number;
  /** Median milliseconds of a step by contender. */
  readonly ms: Readonly<Record<string, number>>;
  readonly least: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, number>>;
  readonly leftOut: readonly string[];
  readonly loadAverage: readonly [number, number];
}

async function measure({ model: name, seconds, secure }: (typeof entries)[number], options: BenchOptions): Promise<Measured> {
  const model = benchModels[name];
  const loadBefore = loadavg()[0]!;
  // First, so that the time to the first step is that of a process that has done nothing like it.
  const { contender: fast, firstStepMs } = await privateContender(model, THREADS, 'fast');
  // What is compared closest takes its turns one after the other.
  const contenders: Contender[] = [...(await bareContenders(model, THREADS)), fast, await pairContender(model)];
  if (secure) contenders.push((await privateContender(model, THREADS, 'secure')).contender);
  const peers = options.peers === undefined ? undefined : await peerContenders(model, THREADS, options.peers);
  contenders.push(...(peers?.contenders ?? []));
  const times = await takeTurns(contenders, ROUNDS, seconds);
  for (const contender of contenders) await contender.close();
  const by = (f: (values: readonly number[]) => number): Record<string, number> =>
    Object.fromEntries(contenders.map((contender, i) => [contender.name, f(times[i]!)]));
  const measured = {
    model,
    firstStepMs,
    ms: by(median),
    least: by((values) => Math.min(...values)),
    steps: by((values) => values.length),
    leftOut: peers?.leftOut ?? [],
    loadAverage: [loadBefore, loadavg()[0]!] as const,
  };
  options.progress(
    `${name}: ${Object.entries(measured.ms)
      .map(([who, ms]) => `${who} ${ms.toFixed(1)} ms`)
      .join(', ')}`,
  );
  return measured;
}

function tableOf({ model, ms, least }: Measured): BenchTable {
  const base = ms[PYTORCH];
  return {
    title: `${model.name}, batch ${model.batch}, ${THREADS} threads`,
    columns: ['step', 'ms', 'least', 'examples/s', 'times PyTorch without privacy'],
    rows: Object.entries(ms).map(([name, value]) => [
      name,
      value.toFixed(2),
      least[name]!.toFixed(2),
      Math.round((model.batch / value) * 1000),
      base === undefined ? '' : (value / base).toFixed(2),
    ]),
  };
}

function barTable(all: readonly Measured[], of: 'ms' | 'least'): BenchTable {
  const models = all.filter(({ model }) => model.name !== 'logistic');
  return {
    title:
      of === 'ms'
        ? 'Against the bars, medians'
        : 'The same of least times: what is left where no neighbour takes the caches and the clock',
    columns: ['measure', ...models.map(({ model }) => model.name)],
    rows: bars
      .filter(({ onlyMedians = false }) => of === 'ms' || !onlyMedians)
      .map(({ title, least, of: barOf, ratio }) => [
        title,
        ...models.map((measured) => {
          const value = ratio(measured[of]);
          const bar = barOf[measured.model.name];
          const text = Number.isFinite(value) ? value.toFixed(2) : '';
          return bar === undefined ? text : `${text} (${least ? '≥' : '≤'} ${bar})`;
        }),
      ]),
  };
}

function secureTable(all: readonly Measured[]): BenchTable {
  return {
    title: 'Secure mode: every example rounded to the grid, its norm verified in integers',
    columns: ['model', 'ms', 'times fast mode', 'times PyTorch without privacy', 'best Opacus mode over it'],
    rows: all.flatMap(({ model, ms }) => {
      const value = ms[names.secure];
      if (value === undefined) return [];
      const over = (base: number | undefined): string =>
        base === undefined || !Number.isFinite(base) ? '' : (value / base).toFixed(2);
      const opacus = bestOpacus(ms);
      return [
        [
          model.name,
          value.toFixed(2),
          over(ms[names.fast]),
          over(ms[PYTORCH]),
          Number.isFinite(opacus) ? (opacus / value).toFixed(2) : '',
        ],
      ];
    }),
  };
}

/** The models to run: those named, or all. */
function chosen(only: readonly string[] | undefined): typeof entries {
  if (only === undefined) return entries;
  const unknown = only.find((name) => entries.every(({ model }) => model !== name));
  if (unknown !== undefined)
    throw new Error(`there is no model "${unknown}"; the models are ${entries.map(({ model }) => model).join(', ')}`);
  return entries.filter(({ model }) => only.includes(model));
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const all: Measured[] = [];
  for (const entry of chosen(options.only)) all.push(await measure(entry, options));
  const [whole] = bars;
  const claims = all
    .filter(({ model, ms }) => model.name !== 'logistic' && ms[PYTORCH] !== undefined)
    .map(({ model, ms }) => `${model.name} ${whole!.ratio(ms).toFixed(2)}`);
  const first = all.find(({ model }) => model.name === 'cnn')?.firstStepMs;
  return {
    summary:
      (claims.length === 0
        ? 'Without the peers.'
        : `A whole private step in fast mode takes, of PyTorch’s step without privacy: ${claims.join(', ')}.`) +
      (first === undefined ? '' : ` Time to the first step of the cnn: ${Math.round(first)} ms.`),
    tables: [barTable(all, 'ms'), barTable(all, 'least'), ...all.map(tableOf), secureTable(all)],
    data: {
      threads: THREADS,
      rounds: ROUNDS,
      models: all.map(({ model, ...rest }) => ({ model: model.name, batch: model.batch, ...rest })),
    },
  };
}
