/**
 * The live display: a pure function from progress to lines.
 *
 * @module
 */
import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from '../terminal.ts';
import { HOSPITALS, partyName } from './hospitals.ts';
import { type HospitalPhase, lastPublished, type Progress, type RoundProgress, roundsDone, STAGES } from './progress.ts';

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly style: Terminal['style'];
  readonly elapsedMs: number;
}

const MAX_COLUMNS = 100;
/** Splits a text at its colour codes and keeps them. */
const COLOURS = new RegExp('(\x1b\\[[0-9;]*m)');

/** Columns that a text takes, colours not counted. */
export function visibleLength(text: string): number {
  let count = 0;
  for (const _ of stripVTControlCharacters(text)) count++;
  return count;
}

/** Cuts a line to `columns`, keeping colour codes whole. */
export function clip(line: string, columns: number): string {
  if (visibleLength(line) <= columns) return line;
  let shown = 0;
  let out = '';
  for (const part of line.split(COLOURS)) {
    if (part.startsWith('\x1b[')) {
      out += part;
      continue;
    }
    for (const character of part) {
      if (shown === columns - 1) continue;
      out += character;
      shown++;
    }
  }
  return `${out}…`;
}

/** Fits a coloured text into exactly `width` columns. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleLength(text)));
}

/** A bar of `width` columns, in eighths. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const rest = eighths % 8 === 0 ? '' : ' ▏▎▍▌▋▊▉'[eighths % 8]!;
  return full + rest;
}

const PHASE_STYLE: Readonly<Record<HospitalPhase, 'dim' | 'green' | 'red' | 'yellow' | 'cyan'>> = {
  starting: 'dim',
  enrolled: 'cyan',
  waiting: 'dim',
  active: 'green',
  killed: 'red',
  back: 'cyan',
  'sitting out': 'yellow',
  finished: 'green',
};

/** What a member of the round does in each stage. */
const DOING = {
  advertise: 'making keys',
  share: 'sharing keys',
  masked: 'training',
  confirm: 'confirming',
  unmask: 'unmasking',
} as const;

function doing(progress: Progress, id: string, phase: HospitalPhase): string {
  const round = progress.history.at(-1);
  if (phase !== 'active' || round?.outcome !== 'running' || round.stage === undefined || !round.members.includes(id))
    return phase;
  return DOING[round.stage];
}

function hospitalLine(progress: Progress, id: string, options: FrameOptions): string {
  const { phase, epsilonSpent, epsilonBudget } = progress.hospitals.get(id)!;
  const shown = phase === 'active' ? 'waiting' : phase;
  const state = doing(progress, id, phase);
  const label = options.style(PHASE_STYLE[state === phase ? shown : phase], state === 'active' ? 'waiting' : state);
  const fraction = epsilonBudget === 0 ? 0 : epsilonSpent / epsilonBudget;
  const width = Math.max(0, Math.min(24, options.columns - 60));
  const filled = bar(fraction, width);
  const gauge =
    width === 0
      ? ''
      : options.style(fraction > 1 ? 'red' : 'cyan', filled) + options.style('dim', '·'.repeat(width - visibleLength(filled)));
  return `  ${pad(partyName(id), 15)} ${pad(label, 13)} ε ${epsilonSpent.toFixed(3)} of ${epsilonBudget.toFixed(2)}  ${gauge}`;
}

function stageLine(round: RoundProgress, options: FrameOptions): string {
  const at = round.stage === undefined ? -1 : STAGES.indexOf(round.stage);
  const names = STAGES.map((stage, i) => options.style(i < at ? 'green' : i === at ? 'bold' : 'dim', stage));
  return names.join(options.style('dim', ' › '));
}

function roundLine(round: RoundProgress, options: FrameOptions): string {
  const { style } = options;
  const mark =
    round.outcome === 'published' ? style('green', '✓') : round.outcome === 'aborted' ? style('yellow', '✗') : style('cyan', '▸');
  const head = `  ${mark} round ${String(round.round).padStart(2)}`;
  if (round.outcome === 'running') return `${head}   ${stageLine(round, options)}`;
  if (round.outcome === 'aborted') return `${head}   ${style('yellow', `aborted: ${round.note ?? ''}`)}`;
  const accuracy =
    round.accuracy === undefined
      ? ''
      : `accuracy ${round.accuracy.toFixed(3)}  ${style('cyan', bar((round.accuracy - 0.4) / 0.6, 8).padEnd(8))}`;
  const note = round.note === undefined ? '' : style('yellow', round.note);
  return `${head}   ${round.members.length} of ${HOSPITALS.length} in the sum   ${accuracy} ${note}`;
}

/** All lines of the display, none longer than the terminal is wide, fewer than it is high. */
export function frame(progress: Progress, options: FrameOptions): string[] {
  const { style } = options;
  const columns = Math.min(options.columns, MAX_COLUMNS);
  const done = roundsDone(progress);
  const seconds = `${Math.floor(options.elapsedMs / 1000)} s`;
  const width = Math.max(0, Math.min(30, columns - 50));
  const total = `${style('green', bar(done / progress.rounds, width))}${style('dim', '─'.repeat(width - visibleLength(bar(done / progress.rounds, width))))}`;
  const published = lastPublished(progress);
  const head = [
    style('bold', 'Four hospitals train one model. No record leaves its hospital; nobody sees one update.'),
    '',
    `  authority ${state(progress.authority, style)}   coordinator ${state(progress.coordinator, style)}   mutual TLS 1.3, secure aggregation`,
    '',
    ...HOSPITALS.map(({ id }) => hospitalLine(progress, id, { ...options, columns })),
    '',
    `  rounds ${done} of ${progress.rounds}  ${total}  ${seconds}${published === undefined ? '' : `   accuracy ${style('bold', published.accuracy!.toFixed(3))}`}`,
    '',
  ];
  const tail = progress.message === undefined ? [] : ['', `  ${style('yellow', progress.message)}`];
  const room = Math.max(1, Math.min(8, options.rows - head.length - tail.length - 1));
  const rounds = progress.history.slice(-room).map((round) => roundLine(round, options));
  return [...head, ...rounds, ...tail].map((line) => clip(line, columns));
}

function state(value: string, style: Terminal['style']): string {
  return style(value === 'ready' || value === 'finished' ? 'green' : 'dim', value);
}
