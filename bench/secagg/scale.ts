/**
 * What a round costs over n and d: a grid of rounds of both modes, fitted, and the two large cohorts.
 *
 * @module
 */
import type { BenchTable } from '../bench.ts';
import { exponents, median, sum } from './measure.ts';
import { runRound } from './round.ts';
import type { RoundCost, RoundShape } from './round.ts';

/** One round of the grid. Client figures are medians over the whole clients; CPU milliseconds. */
export interface Cell {
  readonly mode: RoundShape['mode'];
  readonly n: number;
  readonly neighbours: number;
  readonly length: number;
  readonly clientSetup: number;
  readonly clientMask: number;
  readonly serverCollect: number;
  readonly serverRecover: number;
  readonly serverUnmask: number;
  /** Bytes that a client sends beside its vector. */
  readonly uploadState: number;
  readonly download: number;
}

const LOST = 0.05;
const COMPLETE = { kind: 'complete' } as const;
const SPARSE = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 } as const;

function cell(mode: RoundShape['mode'], n: number, length: number, whole: number): Cell {
  const graph = mode === 'malicious' ? COMPLETE : SPARSE;
  return cellOf(mode, n, length, runRound({ mode, n, length, lost: Math.round(LOST * n), whole, graph }));
}

function cellOf(mode: RoundShape['mode'], n: number, length: number, cost: RoundCost): Cell {
  if (!cost.exact) throw new Error(`the sum of n = ${n}, d = ${length} is wrong`);
  const { 'removing masks': masks, 'unmask: close': recover, ...collect } = cost.serverMs;
  return {
    mode,
    n,
    neighbours: cost.neighbours,
    length,
    clientSetup: median(cost.clientMs),
    clientMask: median(cost.clientMaskMs),
    serverCollect: sum(collect),
    serverRecover: recover!,
    serverUnmask: masks!,
    uploadState: sum(cost.uploadBytes) - 4 * length,
    download: sum(cost.downloadBytes),
  };
}

/** Both modes over n and d; one round more of each mode before, for the compiler. */
export function grid(progress: (line: string) => void): readonly Cell[] {
  const cells: Cell[] = [];
  const modes = [
    { mode: 'malicious', sizes: [10, 50, 100, 200, 500], lengths: [1000, 100_000] },
    { mode: 'semi-honest', sizes: [600, 2000], lengths: [1000, 100_000] },
  ] as const;
  for (const { mode, sizes, lengths } of modes) {
    cell(mode, sizes[1], 1000, 20);
    for (const n of sizes) {
      progress(`${mode}, n = ${n}, d = ${lengths.join(', ')}`);
      for (const length of lengths) cells.push(cell(mode, n, length, 5));
    }
  }
  return cells;
}

type Quantity = 'clientSetup' | 'clientMask' | 'serverCollect' | 'serverRecover' | 'serverUnmask' | 'uploadState' | 'download';

const QUANTITIES: readonly (readonly [Quantity, string, 'n' | 'n, d'])[] = [
  ['clientSetup', 'client: everything but masking, ms', 'n'],
  ['clientMask', 'client: masking, ms', 'n, d'],
  ['serverCollect', 'server: taking and passing on, ms', 'n, d'],
  ['serverRecover', 'server: recovering secrets, ms', 'n'],
  ['serverUnmask', 'server: removing masks, ms', 'n, d'],
  ['uploadState', 'client: bytes up beside the vector', 'n'],
  ['download', 'client: bytes down', 'n'],
];

/** Exponents of every quantity; in d only where d matters, from the two longest lengths there. */
export function fits(
  cells: readonly Cell[],
  mode: Cell['mode'],
): readonly { readonly name: string; readonly n: number; readonly d: number | undefined }[] {
  const mine = cells.filter((one) => one.mode === mode);
  return QUANTITIES.map(([quantity, name, over]) => {
    const rows = mine.map((one) => ({ x: over === 'n' ? [one.n] : [one.n, one.length], y: one[quantity] }));
    const [n, d] = exponents(rows);
    return { name, n: n!, d };
  });
}

/** client set-up ≈ a·n + b·n²: checks and agreements are linear, dealing shares is quadratic. Least squares of the relative error. */
export function perMember(cells: readonly Cell[]): { readonly linear: number; readonly quadratic: number } {
  const normal = { nn: 0, nq: 0, qq: 0, ny: 0, qy: 0 };
  for (const { mode, n, clientSetup } of cells) {
    if (mode !== 'malicious' || n < 50) continue; // what does not grow with n shows in the smallest cohorts
    const linear = n / clientSetup;
    const quadratic = (n * n) / clientSetup;
    normal.nn += linear * linear;
    normal.nq += linear * quadratic;
    normal.qq += quadratic * quadratic;
    normal.ny += linear;
    normal.qy += quadratic;
  }
  const determinant = normal.nn * normal.qq - normal.nq ** 2;
  return {
    linear: (normal.ny * normal.qq - normal.qy * normal.nq) / determinant,
    quadratic: (normal.nn * normal.qy - normal.nq * normal.ny) / determinant,
  };
}

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

export function gridTables(cells: readonly Cell[]): readonly BenchTable[] {
  const { linear, quadratic } = perMember(cells);
  return [
    {
      title:
        'Cost over n and d, 32 bits, 5 % lost after their shares; malicious over the complete graph, semi-honest over the sparse one (CPU ms)',
      columns: [
        'mode',
        'n',
        'neighbours',
        'd',
        'client set-up',
        'client masking',
        'server collecting',
        'server recovery',
        'server unmasking',
        'bytes up beside d',
        'bytes down',
      ],
      rows: cells.map((one) => [
        one.mode,
        one.n,
        one.neighbours,
        one.length,
        ms(one.clientSetup),
        ms(one.clientMask),
        ms(one.serverCollect),
        ms(one.serverRecover),
        ms(one.serverUnmask),
        one.uploadState,
        one.download,
      ]),
    },
    {
      title: `Measured exponents: cost ∝ n^e · d^f. A malicious client's set-up is ${linear.toFixed(3)}·n + ${(1000 * quadratic).toFixed(3)}·n²/1000 CPU ms`,
      columns: ['measure', 'malicious: e', 'f', 'semi-honest: e', 'f'],
      rows: fits(cells, 'malicious').map(({ name, n, d }, i) => {
        const semi = fits(cells, 'semi-honest')[i]!;
        const text = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));
        return [name, text(n), text(d), text(semi.n), text(semi.d)];
      }),
    },
  ];
}

/** Bytes of one client by n and k. What it sends beside its vector does not depend on d. */
export function communicationTable(cells: readonly Cell[]): BenchTable {
  const D = 1_000_000;
  const rows = new Map(cells.map((one) => [`${one.mode} ${one.n}`, one]));
  const over = (state: number, bits: number): string => (1 + (8 * state) / (D * bits)).toFixed(4);
  return {
    title:
      "Bytes of one client: up beside its vector and down, and what goes up as a multiple of d × bits / 8 (bar 1.02). Flower's SecAgg+ sends 8 bytes a coordinate: 2 × at 32 bits, 3.2 × at 20",
    columns: ['mode', 'n', 'k', 'up beside d', 'down', 'd = 1,000,000 × 32', 'd = 1,000,000 × 20', '1.02 from d × 32 of'],
    rows: [...rows.values()].map((one) => [
      one.mode,
      one.n,
      one.neighbours,
      one.uploadState,
      one.download,
      over(one.uploadState, 32),
      over(one.uploadState, 20),
      Math.ceil(one.uploadState / 0.08),
    ]),
  };
}

/** The two large cohorts. */
export interface LargeCohorts {
  readonly thousand: RoundCost;
  readonly tenThousand: RoundCost;
  /** The same as rows of the grid. */
  readonly cells: readonly Cell[];
}

export function largeCohorts(progress: (line: string) => void): LargeCohorts {
  const large = (n: number, length: number, whole: number): RoundCost => {
    progress(
      `n = ${n}, d = ${length}, 5 % lost, sparse, semi-honest: the server and ${whole} clients whole, the rest at message level`,
    );
    return runRound({ mode: 'semi-honest', n, length, lost: LOST * n, whole, graph: SPARSE });
  };
  const thousand = large(1000, 100_000, 200);
  const tenThousand = large(10_000, 1000, 50);
  const cells = [cellOf('semi-honest', 1000, 100_000, thousand), cellOf('semi-honest', 10_000, 1000, tenThousand)];
  return { thousand, tenThousand, cells };
}

export function cohortTable(title: string, cost: RoundCost, bar: string): BenchTable {
  return {
    title,
    columns: ['measure', 'value', 'bar'],
    rows: [
      ['server, everything, CPU ms', sum(cost.serverMs).toFixed(0), bar],
      ...Object.entries(cost.serverMs).map(([name, value]): string[] => [`  ${name}`, value.toFixed(0), '']),
      ['one client, everything but masking, CPU ms (median)', median(cost.clientMs).toFixed(1), ''],
      ['one client, masking, CPU ms (median)', median(cost.clientMaskMs).toFixed(1), ''],
      ['neighbours of a client, shares that open', `${cost.neighbours}, ${cost.threshold}`, ''],
      ['bytes up, of them the vector', `${sum(cost.uploadBytes)}`, ''],
      ['bytes down', `${sum(cost.downloadBytes)}`, ''],
      ['sum exact', String(cost.exact), 'true'],
    ],
  };
}

export const COHORT_TITLES = {
  thousand:
    'Scale: n = 1,000, d = 100,000, 32 bits, 5 % lost, sparse graph, one process; server whole, 200 clients whole, the rest at message level',
  tenThousand:
    'Scale: n = 10,000, d = 1,000, 32 bits, 5 % lost, sparse graph; server whole, 50 clients whole, the rest at message level',
} as const;
