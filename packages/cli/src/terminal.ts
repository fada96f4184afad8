/**
 * The outside world of a command: where it writes, and what the place it writes to can show. Tests pass their own.
 *
 * @module
 */
import { styleText } from 'node:util';

/** Styles that the command uses; a closed list so that output stays of one piece. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True when `out` is a terminal that can be redrawn. */
  readonly interactive: boolean;
  /** True when `err` is a terminal: progress may be redrawn there. */
  readonly progressive: boolean;
  /** Columns of the terminal, now. */
  readonly columns: () => number;
  readonly rows: () => number;
  readonly style: (style: Style | readonly Style[], text: string) => string;
}

/** The process's own standard streams. Colours follow NO_COLOR, FORCE_COLOR and whether the stream is a terminal. */
export function processTerminal(): Terminal {
  const dumb = process.env['TERM'] === 'dumb';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdout.isTTY && !dumb,
    progressive: process.stderr.isTTY && !dumb,
    columns: () => process.stdout.columns || 80,
    rows: () => process.stdout.rows || 24,
    style: (style, text) => styleText(style as Style[], text, { stream: process.stdout }),
  };
}

/** Shows one line of progress on stderr: redrawn in place on a terminal, silent elsewhere. */
export class ProgressLine {
  readonly #terminal: Terminal;
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (!this.#terminal.progressive) return;
    this.#terminal.err(`\r\x1b[2K${text.slice(0, this.#terminal.columns() - 1)}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#terminal.err('\r\x1b[2K');
    this.#shown = false;
  }
}
