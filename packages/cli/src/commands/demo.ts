/**
 * `sotto demo`.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { randomBytes } from 'node:crypto';
import { relative } from 'node:path';
import { type Command, type Invocation, UsageError } from '../command.ts';
import { dataDirectory } from '../demo/data.ts';
import { services, writeClientConfig, writeConfigs } from '../demo/configs.ts';
import { type Display, jsonDisplay, liveDisplay, plainDisplay } from '../demo/display.ts';
import { DRILL_HOSPITAL, DRILL_MIN_ROUNDS, drillRound, HOSPITALS } from '../demo/hospitals.ts';
import {
  type DemoState,
  layoutOf,
  type Layout,
  prepareFresh,
  readState,
  refuseForeign,
  refuseRunning,
  writeState,
} from '../demo/layout.ts';
import { initialProgress, type ProgressRecord } from '../demo/progress.ts';
import { showSummary } from '../demo/summary.ts';
import { Supervisor } from '../demo/supervisor.ts';
import { verifyDirectory } from '../verification/verify-directory.ts';

const DEFAULT_ROUNDS = 20;
const DEFAULT_EPSILON = 1;
const DEFAULT_OUT = 'sotto-demo';

/** The folder that relative paths mean: npm runs scripts in the repository, wherever the user called it. */
function userDirectory(): string {
  const { npm_lifecycle_event: script, INIT_CWD: from } = process.env;
  return script === 'demo' && from !== undefined ? from : process.cwd();
}

export const demoCommand: Command = {
  name: 'demo',
  summary: 'four hospitals train one model in about a minute, and prove what it cost',
  usage: ['demo [--rounds N] [--epsilon E] [--out DIR] [--no-drop] [--json]', 'demo --resume DIR'],
  description: [
    'Starts seven processes on this machine: an enrolment authority, a coordinator, four hospitals that each read only their own file of the UCI Heart Disease data, and itself, which only starts, watches, restarts and verifies. They enrol, speak gRPC over mutual TLS 1.3, and train a logistic regression under record-level differential privacy and secure aggregation. In one round a hospital is killed on purpose after its key shares are out: the round still ends with the exact sum of the other three. The drill needs a round before it and one after it.',
    'At the end DIR holds the model, a report to open in a browser, the ledger of every party and a signed manifest; the demo verifies all of it and shows the accuracy beside published figures. Keys and databases lie in a state folder beside DIR.',
    'Ctrl-C stops everything; --resume goes on where it stopped.',
  ],
  options: {
    rounds: { type: 'string', short: 'r', value: 'N', describe: `Rounds of training (${DEFAULT_ROUNDS}).` },
    epsilon: {
      type: 'string',
      short: 'e',
      value: 'E',
      describe: `Privacy budget of each hospital for the whole run, at δ = 0.001 (${DEFAULT_EPSILON}).`,
    },
    out: {
      type: 'string',
      short: 'o',
      value: 'DIR',
      describe: `Where the result goes (${DEFAULT_OUT}). An earlier demo there is replaced.`,
    },
    state: { type: 'string', value: 'DIR', describe: 'Where keys and databases go (.NAME-state beside the result).' },
    resume: { type: 'string', value: 'DIR', describe: 'Finish the run whose result belongs in DIR.' },
    data: { type: 'string', value: 'DIR', describe: "Folder of the four data files (the repository's)." },
    'no-drop': { type: 'boolean', describe: 'Leave out the drill in which a hospital is killed.' },
    json: { type: 'boolean', describe: 'One JSON object per line: every log record, and demo.result at the end.' },
    plain: { type: 'boolean', describe: 'Plain lines even on a terminal.' },
  },
  positionals: [0, 0],
  examples: [
    ['sotto demo', 'watch it; afterwards open sotto-demo/report.html'],
    ['sotto demo --rounds 5 --epsilon 0.5 --out /tmp/small', 'fewer rounds, half the budget'],
    ['sotto demo --json | tail -1', 'the result for a machine'],
  ],
  run: runDemo,
};

/** A path as the user would type it: relative where it is below. */
function shownPath(path: string): string {
  const short = relative(userDirectory(), path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}

interface Prepared {
  readonly layout: Layout;
  readonly state: DemoState;
  readonly data: string;
  readonly note: string | undefined;
}

function prepareNew(invocation: Invocation): Prepared {
  const rounds = invocation.integer('rounds', 1) ?? DEFAULT_ROUNDS;
  if (rounds > 10_000) throw new UsageError(`--rounds is ${rounds}; the demo runs at most 10000`);
  const epsilon = invocation.number('epsilon') ?? DEFAULT_EPSILON;
  if (!(epsilon > 0) || !Number.isFinite(epsilon))
    throw new UsageError(`--epsilon is ${epsilon}; it must be a number greater than 0`);
  const data = dataDirectory(invocation.text('data'));
  const layout = layoutOf(userDirectory(), invocation.text('out') ?? DEFAULT_OUT, invocation.text('state'));
  const how = prepareFresh(layout);
  const state: DemoState = {
    version: 2,
    runId: `heart-${randomBytes(4).toString('hex')}`,
    exportDirectory: layout.exportDirectory,
    rounds,
    epsilon,
    drillRound: invocation.flag('no-drop') ? null : (drillRound(rounds) ?? null),
    drillDone: false,
    finished: false,
    pid: process.pid,
  };
  writeState(layout, state);
  writeConfigs(layout, state, data);
  const notes = [
    ...(how === 'replaced' ? [`replaces the earlier demo in ${layout.exportDirectory}`] : []),
    ...(rounds < DRILL_MIN_ROUNDS && !invocation.flag('no-drop')
      ? [`no hospital is killed: the drill needs at least ${DRILL_MIN_ROUNDS} rounds`]
      : []),
  ];
  return { layout, state, data, note: notes.length === 0 ? undefined : notes.join('; ') };
}

function prepareResumed(invocation: Invocation, directory: string): Prepared {
  for (const name of ['rounds', 'epsilon', 'out']) {
    if (invocation.text(name) !== undefined)
      throw new UsageError(`--${name} cannot change a run that has begun; leave it out with --resume`);
  }
  const layout = layoutOf(userDirectory(), directory, invocation.text('state'));
  const state = readState(layout);
  if (state === undefined) {
    throw new SottoError(
      'not-found',
      `no demo was begun in ${directory}: ${layout.stateDirectory} has no demo.json; start one with --out ${directory}`,
    );
  }
  refuseForeign(layout, state);
  refuseRunning(layout, state);
  const data = dataDirectory(invocation.text('data'));
  const running = { ...state, pid: process.pid };
  writeState(layout, running);
  return {
    layout,
    state: running,
    data,
    note: state.finished ? 'the run is finished already; verifying it' : `resumes run ${state.runId}`,
  };
}

async function runDemo(invocation: Invocation): Promise<number> {
  const resume = invocation.text('resume');
  const prepared = resume === undefined ? prepareNew(invocation) : prepareResumed(invocation, resume);
  const { layout } = prepared;
  let state = prepared.state;
  const update = (change: Partial<DemoState>): void => {
    state = { ...state, ...change };
    writeState(layout, state);
  };
  const display = displayFor(invocation, state);
  const own = (event: string, fields: Readonly<Record<string, unknown>>): ProgressRecord => ({
    time: new Date().toISOString(),
    level: 'info',
    party: 'demo',
    event,
    ...fields,
  });
  const supervisor = new Supervisor({
    services: services(layout),
    onRecord: (record) => {
      display.record(record);
      if (record.event === 'demo.killed') update({ drillDone: true });
    },
    beforeRestart: () => {
      const hospital = HOSPITALS.find(({ id }) => id === DRILL_HOSPITAL)!;
      writeClientConfig(layout, state, hospital, prepared.data);
    },
  });
  let interrupted: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupted !== undefined) return;
    interrupted = signal;
    display.record(own('demo.note', { note: 'stopping all processes ...' }));
    void supervisor.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const startedMs = Date.now();
  try {
    if (prepared.note !== undefined) display.record(own('demo.note', { note: prepared.note }));
    if (!state.finished) await supervisor.run();
  } finally {
    await supervisor.stop();
    display.close();
    update({ pid: null });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  }
  if (interrupted !== undefined) {
    const out = shownPath(layout.exportDirectory);
    throw new SottoError(
      'cancelled',
      `interrupted; all processes are stopped. "sotto demo --resume ${out}" goes on where it was`,
    );
  }
  update({ finished: true });
  return await conclude(invocation, display, layout, state, Date.now() - startedMs, own);
}

function displayFor(invocation: Invocation, state: DemoState): Display {
  const { terminal } = invocation;
  const initial = initialProgress(state.rounds, state.epsilon);
  if (invocation.flag('json')) return jsonDisplay(terminal, initial);
  return terminal.interactive && !invocation.flag('plain') ? liveDisplay(terminal, initial) : plainDisplay(terminal, initial);
}

async function conclude(
  invocation: Invocation,
  display: Display,
  layout: Layout,
  state: DemoState,
  elapsedMs: number,
  own: (event: string, fields: Readonly<Record<string, unknown>>) => ProgressRecord,
): Promise<number> {
  const outcome = await verifyDirectory(layout.exportDirectory, layout.at('trust.json'));
  const out = shownPath(layout.exportDirectory);
  const drill = state.drillRound === null ? undefined : { hospital: DRILL_HOSPITAL, round: state.drillRound };
  showSummary({ terminal: invocation.terminal, json: invocation.flag('json'), display, outcome, out, elapsedMs, own, drill });
  return outcome.ok ? 0 : 1;
}
