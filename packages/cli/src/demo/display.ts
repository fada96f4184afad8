/**
 * Three ways to show the demo: redrawn in place on a terminal, plain lines, JSON lines for machines.
 *
 * @module
 */
import { toJson } from '../accounting/cases.ts';
import type { Terminal } from '../terminal.ts';
import { frame } from './frame.ts';
import { HOSPITALS, partyName } from './hospitals.ts';
import { advance, type Progress, type ProgressRecord, textOf } from './progress.ts';

export interface Display {
  readonly record: (record: ProgressRecord) => void;
  /** The state so far. */
  readonly progress: () => Progress;
  /** Leaves the last picture where it is and restores the terminal. */
  readonly close: () => void;
}

/** Passes every record on as it is. */
export function jsonDisplay(terminal: Terminal, initial: Progress): Display {
  let progress = initial;
  return {
    record(record) {
      progress = advance(progress, record);
      terminal.out(`${toJson(record)}\n`);
    },
    progress: () => progress,
    close: () => undefined,
  };
}

/** One line for whatever a reader of a log wants to know. */
export function plainDisplay(terminal: Terminal, initial: Progress): Display {
  let progress = initial;
  const line = (text: string): void => terminal.out(`${text}\n`);
  return {
    record(record) {
      progress = advance(progress, record);
      const text = plainLine(progress, record);
      if (text !== undefined) line(text);
    },
    progress: () => progress,
    close: () => undefined,
  };
}

function plainLine(progress: Progress, record: ProgressRecord): string | undefined {
  const name = partyName(record.party);
  const round = progress.history.find((one) => one.round === record['round']);
  switch (record.event) {
    case 'service.ready':
      return record.party === 'authority' || record.party === 'coordinator'
        ? `${record.party} is ready at ${textOf(record['address'], 'its port')}`
        : undefined;
    case 'client.enrolled':
      return `${name} has enrolled`;
    case 'round.published': {
      if (round === undefined) return undefined;
      const accuracy = round.accuracy === undefined ? '' : `, accuracy ${round.accuracy.toFixed(3)}`;
      const spent = HOSPITALS.map(({ id }) => progress.hospitals.get(id)!.epsilonSpent.toFixed(3)).join(' ');
      return `round ${String(round.round).padStart(2)} of ${progress.rounds}: ${round.members.length} of ${HOSPITALS.length} in the sum${accuracy}, ε spent ${spent}`;
    }
    case 'round.aborted':
      return `round ${String(round?.round ?? '').padStart(2)} of ${progress.rounds}: aborted (${textOf(record['reason'], 'given up')})`;
    case 'export.written':
      return `the run is written to ${textOf(record['directory'])}`;
    case 'demo.killed':
    case 'demo.restarted':
    case 'demo.note':
      return textOf(record['note']);
    default:
      return undefined;
  }
}

const FRAME_MS = 80;

/** Redraws in place, at most twelve times a second and once a second for the clock. */
export function liveDisplay(terminal: Terminal, initial: Progress, nowMs: () => number = Date.now): Display {
  let progress = initial;
  const startedMs = nowMs();
  let drawn = 0;
  let dirty = true;
  let lastMs = 0;
  const draw = (): void => {
    const lines = frame(progress, {
      columns: terminal.columns(),
      rows: terminal.rows(),
      style: terminal.style,
      elapsedMs: nowMs() - startedMs,
    });
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`;
    // Synchronised output: a terminal that knows it shows the frame in one piece, others ignore it.
    terminal.out(`\x1b[?2026h${up}\r${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J\x1b[?2026l`);
    drawn = lines.length;
    dirty = false;
    lastMs = nowMs();
  };
  terminal.out('\x1b[?25l');
  draw();
  const timer = setInterval(() => {
    if (dirty || nowMs() - lastMs >= 1000) draw();
  }, FRAME_MS);
  // A narrower window wraps the lines that are on it already: begin a new picture below.
  const onResize = (): void => {
    drawn = 0;
    terminal.out('\x1b[2J\x1b[H');
    dirty = true;
  };
  process.stdout.on('resize', onResize);
  let closed = false;
  return {
    record(record) {
      progress = advance(progress, record);
      dirty = true;
    },
    progress: () => progress,
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      process.stdout.off('resize', onResize);
      draw();
      terminal.out('\x1b[?25h');
    },
  };
}
