import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, clip, frame, visibleLength } from '../../packages/cli/src/demo/frame.ts';
import { plainDisplay } from '../../packages/cli/src/demo/display.ts';
import {
  advance,
  initialProgress,
  lastPublished,
  type Progress,
  type ProgressRecord,
  roundsDone,
} from '../../packages/cli/src/demo/progress.ts';
import { table } from '../../packages/cli/src/demo/table.ts';
import { memoryTerminal } from './terminal.ts';

const ALL = ['cleveland', 'hungary', 'va', 'switzerland'];
const THREE = ALL.filter((id) => id !== 'hungary');

function round(number: number, members: readonly string[]): ProgressRecord[] {
  const coordinator = { party: 'coordinator', round: number };
  return [
    { ...coordinator, event: 'round.started', attempt: 1 },
    ...['advertise', 'share', 'masked', 'confirm', 'unmask'].map((stage) => ({
      ...coordinator,
      event: 'round.stage',
      stage,
      members,
    })),
    ...members.map((party) => ({
      party,
      event: 'client.contributed',
      round: number,
      epsilonSpent: number / 10,
      epsilonBudget: 1,
      delta: 1e-3,
    })),
    { ...coordinator, event: 'round.published', members, metrics: { accuracy: 0.75, correct: 189, total: 252 } },
  ];
}

const SCRIPT: readonly ProgressRecord[] = [
  { party: 'authority', event: 'service.ready', address: '127.0.0.1:1' },
  { party: 'coordinator', event: 'service.ready', address: '127.0.0.1:2' },
  ...ALL.map((party) => ({ party, event: 'client.enrolled' })),
  ...ALL.map((party) => ({ party, event: 'client.joined' })),
  ...round(1, ALL),
  { party: 'hungary', event: 'demo.killed', round: 2, note: 'Hungary was killed after its shares were out' },
  { party: 'hungary', event: 'demo.restarted', note: 'Hungary was started again' },
  ...round(2, THREE),
  { party: 'coordinator', event: 'round.aborted', round: 3, stage: 'masked', reason: 'too few survivors' },
  ...ALL.map((party) => ({ party, event: 'client.finished' })),
  { party: 'coordinator', event: 'run.completed', published: 2, aborted: 1 },
];

const play = (records: readonly ProgressRecord[]): Progress => records.reduce(advance, initialProgress(3, 1));

describe('progress', () => {
  it('folds a run', () => {
    const progress = play(SCRIPT);
    expect(roundsDone(progress)).toBe(3);
    expect(lastPublished(progress)?.round).toBe(2);
    expect(progress.completed).toEqual({ published: 2, aborted: 1 });
    expect(progress.hospitals.get('hungary')).toMatchObject({ epsilonSpent: 0.1, contributed: 1, phase: 'finished' });
    expect(progress.hospitals.get('cleveland')).toMatchObject({ epsilonSpent: 0.2, contributed: 2 });
    expect(progress.history[1]).toMatchObject({ note: 'Hungary killed after sharing keys', members: THREE, accuracy: 0.75 });
  });

  it('survives any record in any order', () => {
    const anyRecord = fc.record({
      party: fc.constantFrom(...ALL, 'authority', 'coordinator', 'stranger'),
      event: fc.constantFrom(...new Set(SCRIPT.map(({ event }) => event)), 'client.sat-out', 'export.written', 'something.else'),
      round: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(undefined), fc.constant('x')),
      stage: fc.constantFrom('advertise', 'share', 'nonsense', undefined),
      members: fc.oneof(fc.subarray(ALL), fc.constant(undefined), fc.constant([1, null])),
      metrics: fc.oneof(fc.constant({ accuracy: 0.5 }), fc.constant(undefined)),
      epsilonSpent: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constant(undefined)),
    });
    const style = (_style: unknown, text: string): string => `\x1b[1m${text}\x1b[0m`;
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 30 }),
        fc.integer({ min: 20, max: 160 }),
        fc.integer({ min: 8, max: 40 }),
        (records, columns, rows) => {
          const lines = frame(play(records), { columns, rows, style, elapsedMs: 1234 });
          for (const line of lines) expect(visibleLength(line)).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });
});

describe('the live frame', () => {
  it.each([
    [100, 40],
    [80, 24],
    [60, 20],
    [40, 16],
  ])('fits into %i × %i', (columns, rows) => {
    const lines = frame(play(SCRIPT), { columns, rows, style: (_style, text) => text, elapsedMs: 61_000 });
    expect(Math.max(...lines.map(visibleLength))).toBeLessThanOrEqual(columns);
    expect(lines.length).toBeLessThan(rows);
    expect(lines.join('\n')).toMatch(/Cleveland/);
  });

  it('cuts coloured text by what is seen and closes colours', () => {
    const coloured = '\x1b[31mabcdef\x1b[39mghi';
    expect(visibleLength(coloured)).toBe(9);
    expect(clip(coloured, 9)).toBe(coloured);
    expect(clip(coloured, 4)).toBe('\x1b[31mabc\x1b[39m…');
  });

  it('draws bars in eighths', () => {
    expect(bar(0, 4)).toBe('');
    expect(bar(1, 4)).toBe('████');
    expect(bar(0.5, 1)).toBe('▌');
    expect(bar(7, 2)).toBe('██');
  });
});

describe('plain lines', () => {
  it('tell the run in order', () => {
    const terminal = memoryTerminal();
    const display = plainDisplay(terminal, initialProgress(3, 1));
    for (const record of SCRIPT) display.record(record);
    expect(terminal.stdout().trimEnd().split('\n')).toEqual([
      'authority is ready at 127.0.0.1:1',
      'coordinator is ready at 127.0.0.1:2',
      'Cleveland has enrolled',
      'Hungary has enrolled',
      'Long Beach VA has enrolled',
      'Switzerland has enrolled',
      'round  1 of 3: 4 of 4 in the sum, accuracy 0.750, ε spent 0.100 0.100 0.100 0.100',
      'Hungary was killed after its shares were out',
      'Hungary was started again',
      'round  2 of 3: 3 of 4 in the sum, accuracy 0.750, ε spent 0.200 0.100 0.200 0.200',
      'round  3 of 3: aborted (too few survivors)',
    ]);
  });
});

describe('table', () => {
  it('aligns by what is seen', () => {
    expect(
      table(
        [
          ['a', '1'],
          ['\x1b[1mlong\x1b[0m', '22'],
        ],
        [1],
      ),
    ).toBe('a      1\n\x1b[1mlong\x1b[0m  22');
  });
});
