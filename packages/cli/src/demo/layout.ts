/**
 * Where the demo keeps things. The export folder holds what is published and nothing else; keys, databases and
 * configurations of all parties lie in a state folder beside it.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** What the demo itself remembers. */
export interface DemoState {
  readonly version: 1;
  readonly runId: string;
  readonly rounds: number;
  readonly epsilon: number;
  readonly drillRound: number | null;
  readonly drillDone: boolean;
  readonly finished: boolean;
  /** Process that runs the demo, for as long as it runs. */
  readonly pid: number | null;
}

export interface Layout {
  readonly exportDirectory: string;
  readonly stateDirectory: string;
  /** A file of the state folder. */
  readonly at: (...names: string[]) => string;
}

/** The folders for an export folder; `state` overrides the default `.NAME-state` beside it. Relative to `base`. */
export function layoutOf(base: string, out: string, state: string | undefined): Layout {
  const exportDirectory = resolve(base, out);
  const stateDirectory =
    state === undefined ? join(dirname(exportDirectory), `.${basename(exportDirectory)}-state`) : resolve(base, state);
  return { exportDirectory, stateDirectory, at: (...names) => join(stateDirectory, ...names) };
}

const STATE_FILE = 'demo.json';

/** The remembered state, or undefined where no demo ran. */
export function readState(layout: Layout): DemoState | undefined {
  let text: string;
  try {
    text = readFileSync(layout.at(STATE_FILE), 'utf8');
  } catch {
    return undefined;
  }
  const state = JSON.parse(text) as DemoState;
  if (state.version !== 1) {
    throw new SottoError(
      'unsupported',
      `${layout.at(STATE_FILE)} is of another version of Sotto; remove ${layout.stateDirectory} and start afresh`,
    );
  }
  return state;
}

/** Replaces the state in one step, so that a crash leaves the old or the new one. */
export function writeState(layout: Layout, state: DemoState): void {
  const file = layout.at(STATE_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Refuses to touch folders that another demo is using right now. */
export function refuseRunning(layout: Layout, state: DemoState | undefined): void {
  if (state?.pid !== undefined && state.pid !== null && state.pid !== process.pid && isAlive(state.pid)) {
    throw new SottoError(
      'conflict',
      `a demo is running in ${layout.exportDirectory} (process ${state.pid}); stop it or choose another --out`,
    );
  }
}

/**
 * Makes the folders of a new run. An earlier demo in the same place is replaced; anything else is left alone.
 *
 * @throws SottoError `conflict` if the export folder holds something that no demo wrote
 */
export function prepareFresh(layout: Layout): 'new' | 'replaced' {
  const earlier = readState(layout);
  refuseRunning(layout, earlier);
  const occupied = existsSync(layout.exportDirectory) && readdirSync(layout.exportDirectory).length > 0;
  if (occupied && earlier === undefined) {
    throw new SottoError('conflict', `${layout.exportDirectory} is not empty and no demo wrote it; choose another --out`);
  }
  if (earlier === undefined && existsSync(layout.stateDirectory) && readdirSync(layout.stateDirectory).length > 0) {
    throw new SottoError(
      'conflict',
      `${layout.stateDirectory} is not empty and no demo wrote it; choose another --out or --state`,
    );
  }
  rmSync(layout.exportDirectory, { recursive: true, force: true });
  rmSync(layout.stateDirectory, { recursive: true, force: true });
  mkdirSync(dirname(layout.exportDirectory), { recursive: true });
  mkdirSync(layout.stateDirectory, { recursive: true, mode: 0o700 });
  return earlier === undefined ? 'new' : 'replaced';
}
