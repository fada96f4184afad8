import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadAuthorityConfig, loadClientConfig, loadCoordinatorConfig, loadPlan, parsePlan } from '@sotto/federation';
import { signManifest } from '@sotto/governance';
import { nodeCrypto } from '@sotto/secagg/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { services, writeClientConfig, writeConfigs } from '../../packages/cli/src/demo/configs.ts';
import { dataDirectory } from '../../packages/cli/src/demo/data.ts';
import { heartPlan } from '../../packages/cli/src/demo/heart-plan.ts';
import { drillRound, HOSPITALS } from '../../packages/cli/src/demo/hospitals.ts';
import {
  type DemoState,
  type Layout,
  layoutOf,
  prepareFresh,
  readState,
  refuseForeign,
  refuseRunning,
  writeState,
} from '../../packages/cli/src/demo/layout.ts';
import { root } from '../repo/sources.ts';

const STATE: DemoState = {
  version: 2,
  runId: 'heart-1',
  exportDirectory: '/elsewhere',
  rounds: 5,
  epsilon: 0.5,
  drillRound: 3,
  drillDone: false,
  finished: false,
  pid: null,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-layout-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the folders of the demo', () => {
  it('lie beside each other', () => {
    const layout = layoutOf('/base', 'runs/one', undefined);
    expect([layout.exportDirectory, layout.stateDirectory]).toEqual(['/base/runs/one', '/base/runs/.one-state']);
    expect(layoutOf('/base', 'one', 'elsewhere').stateDirectory).toBe('/base/elsewhere');
  });

  /** An export folder of `runId` as a coordinator leaves it, and the state that goes with it. */
  function finished(layout: Layout, runId: string = STATE.runId): void {
    const files = new Map(['report.html', 'ledger/va/checkpoint'].map((name) => [name, new TextEncoder().encode(name)]));
    const note = signManifest(nodeCrypto, { origin: 'coordinator', runId, files }, new Uint8Array(32).fill(1));
    for (const [name, bytes] of [...files, ['manifest', note] as const]) {
      mkdirSync(dirname(join(layout.exportDirectory, name)), { recursive: true });
      writeFileSync(join(layout.exportDirectory, name), bytes);
    }
    mkdirSync(layout.stateDirectory, { recursive: true });
    writeState(layout, { ...STATE, exportDirectory: layout.exportDirectory });
  }

  it('replaces an earlier demo and nothing else', () => {
    const layout = layoutOf(folder, 'run', undefined);
    expect(prepareFresh(layout)).toBe('new');
    expect(statSync(layout.stateDirectory).mode & 0o777).toBe(0o700);
    // Stopped before its export, and afterwards.
    writeState(layout, { ...STATE, exportDirectory: layout.exportDirectory });
    expect(prepareFresh(layout)).toBe('replaced');
    finished(layout);
    expect(prepareFresh(layout)).toBe('replaced');
    expect(existsSync(layout.exportDirectory)).toBe(false);
    expect(readdirSync(layout.stateDirectory)).toEqual([]);

    const precious = layoutOf(folder, 'precious', undefined);
    mkdirSync(precious.exportDirectory);
    writeFileSync(join(precious.exportDirectory, 'thesis.txt'), 'x');
    expect(() => prepareFresh(precious)).toThrow(/is not empty and no demo wrote it/);
    const hidden = layoutOf(folder, 'hidden', undefined);
    mkdirSync(hidden.stateDirectory);
    writeFileSync(join(hidden.stateDirectory, 'thesis.txt'), 'x');
    expect(() => prepareFresh(hidden)).toThrow(/is not empty and no demo wrote it/);
    expect(existsSync(join(hidden.stateDirectory, 'thesis.txt'))).toBe(true);
  });

  it('takes no state folder for a proof that another folder is a demo', () => {
    const first = layoutOf(folder, 'a', 's');
    finished(first);
    const precious = layoutOf(folder, 'precious', 's');
    mkdirSync(precious.exportDirectory);
    writeFileSync(join(precious.exportDirectory, 'thesis.txt'), 'x');
    const before = readdirSync(folder, { recursive: true });
    expect(() => prepareFresh(precious)).toThrow(/s belongs to the demo in .*\/a, not to .*\/precious; choose another --state/);
    expect(() => refuseForeign(precious, readState(precious))).toThrow(/belongs to the demo in/);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it.each<[string, (layout: Layout) => void, RegExp]>([
    [
      'a file that was added',
      ({ exportDirectory }) => writeFileSync(join(exportDirectory, 'ledger/mine.txt'), ''),
      /ledger\/mine\.txt is not in the manifest/,
    ],
    [
      'a link that was added',
      ({ exportDirectory }) => symlinkSync('/dev/null', join(exportDirectory, 'link')),
      /link is not in the manifest/,
    ],
    [
      'a link in place of a file',
      ({ exportDirectory }) => {
        rmSync(join(exportDirectory, 'report.html'));
        symlinkSync('/dev/null', join(exportDirectory, 'report.html'));
      },
      /report\.html is not in the manifest/,
    ],
    [
      'no manifest',
      ({ exportDirectory }) => rmSync(join(exportDirectory, 'manifest')),
      /holds no export of the earlier demo \(run heart-1\)/,
    ],
    [
      'no readable manifest',
      ({ exportDirectory }) => writeFileSync(join(exportDirectory, 'manifest'), 'x'),
      /manifest cannot be read/,
    ],
    [
      "another run's export",
      (layout) => finished(layout, 'heart-2'),
      /holds the export of the run heart-2, not of the earlier demo \(run heart-1\)/,
    ],
    ['a file among the state', (layout) => writeFileSync(layout.at('thesis.txt'), ''), /thesis\.txt is not of the demo/],
  ])('removes nothing where there is %s', (_what, change, message) => {
    const layout = layoutOf(folder, 'run', undefined);
    finished(layout);
    change(layout);
    const before = readdirSync(folder, { recursive: true });
    expect(() => prepareFresh(layout)).toThrow(message);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it('keeps keys out of what is published', () => {
    for (const [out, state] of [
      ['run', 'run'],
      ['run', 'run/state'],
      ['run/out', 'run'],
      ['.', '..state'],
    ] as const)
      expect(() => prepareFresh(layoutOf(folder, out, state)), `${out} ${state}`).toThrow(
        /keys must not lie with what is published/,
      );
    expect(prepareFresh(layoutOf(folder, 'run', 'run2'))).toBe('new');
  });

  it('refuses a place in which a demo is running', () => {
    const layout = layoutOf(folder, 'run', undefined);
    prepareFresh(layout);
    writeState(layout, { ...STATE, exportDirectory: layout.exportDirectory, pid: process.ppid });
    expect(() => prepareFresh(layout)).toThrow(/a demo is running in .* \(process \d+\)/);
    // A process that is gone, and this one itself, hold nothing.
    for (const pid of [999_999_999, process.pid, null]) expect(() => refuseRunning(layout, { ...STATE, pid })).not.toThrow();
  });

  it('remembers its state', () => {
    const layout = layoutOf(folder, 'run', undefined);
    expect(readState(layout)).toBeUndefined();
    prepareFresh(layout);
    writeState(layout, STATE);
    expect(readState(layout)).toEqual(STATE);
    writeFileSync(layout.at('demo.json'), '{"version": 1}');
    expect(() => readState(layout)).toThrow(/another version/);
  });
});

describe('the configurations of the demo', () => {
  it('are what the services read', async () => {
    const layout = layoutOf(folder, 'run', undefined);
    prepareFresh(layout);
    writeConfigs(layout, STATE, dataDirectory(undefined));
    const [authority, coordinator, ...clients] = services(layout);
    expect(await loadAuthorityConfig(authority!.config)).toMatchObject({
      trustDomain: 'hospitals.example',
      exitWithParent: true,
    });
    const config = await loadCoordinatorConfig(coordinator!.config);
    expect(config).toMatchObject({ exportDirectory: layout.exportDirectory, exitWhenDone: true });
    const plan = await loadPlan(config.plan);
    expect(plan.parties.map(({ id }) => id)).toEqual(HOSPITALS.map(({ id }) => id));
    expect(plan.rounds).toBe(5);
    const files = new Set<string>();
    for (const { id, config: file } of clients) {
      const client = await loadClientConfig(file);
      expect(client).toMatchObject({ id, budget: { epsilon: 0.5, delta: 1e-3 } });
      expect(client.drill).toEqual(id === 'hungary' ? { round: 3, after: 'share', timeoutMs: 60_000 } : undefined);
      files.add(client.task!.file);
      expect(statSync(file).mode & 0o077).toBe(0);
    }
    expect(files.size).toBe(4);
    const hungary = HOSPITALS.find(({ id }) => id === 'hungary')!;
    writeClientConfig(layout, { ...STATE, drillDone: true }, hungary, dataDirectory(undefined));
    expect((await loadClientConfig(layout.at('config', 'hungary.json'))).drill).toBeUndefined();
  });

  it('have the constants of the example', async () => {
    const layout = layoutOf(folder, 'run', undefined);
    prepareFresh(layout);
    writeConfigs(layout, STATE, dataDirectory(undefined));
    const plan = await loadPlan(layout.at('config', 'plan.json'));
    const constants = JSON.parse(readFileSync(join(root, 'examples/heart-disease/constants.json'), 'utf8')) as {
      columns: unknown;
      clipNorm: number;
      learningRate: number;
      sampleRate: number;
      holdoutFraction: number;
      hospitals: { id: string; file: string; trainingRecords: number; expectedBatchSize: number }[];
    };
    expect(plan.data.columns).toEqual(constants.columns);
    expect(plan.data.holdout.fraction).toBe(constants.holdoutFraction);
    expect(plan.training).toMatchObject({ clipNorm: constants.clipNorm, learningRate: constants.learningRate });
    expect(plan.parties).toEqual(
      constants.hospitals.map(({ id, trainingRecords, expectedBatchSize }) => ({
        id,
        weight: trainingRecords,
        sampleRate: constants.sampleRate,
        expectedBatchSize,
      })),
    );
    expect(HOSPITALS.map(({ id, file }) => [id, file])).toEqual(constants.hospitals.map(({ id, file }) => [id, file]));
  });

  it('are the example as well', async () => {
    const { runId, rounds, ...example } = await loadPlan(join(root, 'examples/heart-disease/plan.yaml'));
    const { runId: _runId, rounds: _rounds, ...demo } = parsePlan(heartPlan(runId, rounds));
    expect(example).toEqual(demo);
    for (const { id, file } of HOSPITALS) {
      const client = await loadClientConfig(join(root, 'examples/heart-disease', `${id}.yaml`));
      expect(client).toMatchObject({ id, budget: { epsilon: 1, delta: 1e-3 }, coordinator: '127.0.0.1:7401' });
      expect(client.task!.file).toBe(join(root, 'examples/data/heart-disease', file));
    }
    expect((await loadAuthorityConfig(join(root, 'examples/heart-disease/authority.yaml'))).tokens.length).toBe(5);
    expect((await loadCoordinatorConfig(join(root, 'examples/heart-disease/coordinator.yaml'))).id).toBe('coordinator');
  });

  it('rehearse the drop-out early, with a round before it and one after it', () => {
    expect([1, 2, 3, 4, 20].map(drillRound)).toEqual([undefined, undefined, 2, 3, 3]);
  });

  it('refuse data that are not the published files', () => {
    expect(() => dataDirectory(folder)).toThrow(/processed\.cleveland\.data is missing; .* name their folder with --data/);
    for (const { file } of HOSPITALS) writeFileSync(join(folder, file), 'x');
    expect(() => dataDirectory(folder)).toThrow(/is not the published file: its SHA-256 is/);
  });
});
