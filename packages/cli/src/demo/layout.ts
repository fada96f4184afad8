/**
 * Where the demo keeps things. The export folder holds what is published and nothing else; keys, databases and
 * configurations of all parties lie in a state folder beside it.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { HOSPITALS } from './hospitals.ts';
import { exportedFiles, removeExport } from './replaced-export.ts';

/** What the demo itself remembers. */
export interface DemoState {
  readonly version: 2;
  readonly runId: string;
  /** Absolute path of the folder that this run exports to: the only one that a later demo may replace. */
  readonly exportDirectory: string;
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
  if (state.version !== 2) {
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

/** Refuses a state folder that belongs to the run of another export folder. */
export function refuseForeign(layout: Layout, state: DemoState | undefined): void {
  if (state === undefined || state.exportDirectory === layout.exportDirectory) return;
  throw new SottoError(
    'conflict',
    `${layout.stateDirectory} belongs to the demo in ${state.exportDirectory}, not to ${layout.exportDirectory}; choose another --state`,
  );
}

/** Whether `path` is `folder` or lies in it. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path;
}

/** What the demo and its services make in the state folder. */
const STATE_ENTRIES: ReadonlySet<string> = new Set([
  STATE_FILE,
  `${STATE_FILE}.new`,
  'config',
  'tokens',
  'trust.json',
  'authority',
  'authority.address',
  'coordinator',
  'coordinator.address',
  ...HOSPITALS.map(({ id }) => id),
]);

/** Refuses a state folder to which somebody added something. */
function refuseAdded(layout: Layout): void {
  const added = readdirSync(layout.stateDirectory).find((name) => !STATE_ENTRIES.has(name));
  if (added === undefined) return;
  throw new SottoError(
    'conflict',
    `${layout.at(added)} is not of the demo and would be lost with its earlier state; move it or choose another --out or --state`,
  );
}

/**
 * Makes the folders of a new run. An earlier demo in the same place is replaced; anything else is left alone: nothing is
 * removed unless the state folder belongs to this export folder, and the export's own manifest is of that run and lists
 * every file.
 *
 * @throws SottoError `conflict` if a folder holds something that the earlier demo did not write; nothing is removed then
 */
export function prepareFresh(layout: Layout): 'new' | 'replaced' {
  const { exportDirectory, stateDirectory } = layout;
  if (isWithin(exportDirectory, stateDirectory) || isWithin(stateDirectory, exportDirectory)) {
    throw new SottoError(
      'invalid-argument',
      `--state is ${stateDirectory} and --out is ${exportDirectory}; keys must not lie with what is published: choose folders that do not contain each other`,
    );
  }
  const earlier = readState(layout);
  refuseForeign(layout, earlier);
  refuseRunning(layout, earlier);
  if (earlier === undefined) {
    for (const [folder, cure] of [
      [exportDirectory, '--out'],
      [stateDirectory, '--out or --state'],
    ] as const) {
      if (existsSync(folder) && readdirSync(folder).length > 0)
        throw new SottoError('conflict', `${folder} is not empty and no demo wrote it; choose another ${cure}`);
    }
  } else {
    // Everything is looked at before anything goes.
    const files = exportedFiles(exportDirectory, earlier.runId);
    refuseAdded(layout);
    removeExport(exportDirectory, files);
    rmSync(stateDirectory, { recursive: true, force: true });
  }
  mkdirSync(dirname(exportDirectory), { recursive: true });
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  return earlier === undefined ? 'new' : 'replaced';
}
