import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sotto } from '../cli/terminal.ts';
import { type Ended, gone, SottoProcess } from './demo-process.ts';

const HOSPITALS = ['cleveland', 'hungary', 'switzerland', 'va'];
const ROUNDS = 3;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-e2e-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All files below a folder, with `/` between folders. */
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();

describe('the demo, end to end', () => {
  let run: SottoProcess;
  let ended: Ended;
  let directory = '';
  let state = '';

  beforeAll(async () => {
    directory = join(folder, 'run');
    state = join(folder, '.run-state');
    run = new SottoProcess('demo', '--json', '--rounds', String(ROUNDS), '--out', directory);
    ended = await run.ended;
  }, 120_000);

  const events = (name: string): typeof run.records => run.records.filter(({ event }) => event === name);

  it('ends well and verified', () => {
    expect(ended.stderr).toBe('');
    expect(ended.status).toBe(0);
    const result = run.records.at(-1)!;
    expect(result).toMatchObject({ event: 'demo.result', verified: true });
    expect((result['published'] as number) + (result['aborted'] as number)).toBe(ROUNDS);
    for (const { epsilon, budget } of result['spent'] as { epsilon: number; budget: number }[]) {
      expect(epsilon).toBeGreaterThan(0);
      expect(epsilon).toBeLessThanOrEqual(budget);
    }
  });

  it('runs six services as processes of their own, and none outlives it', async () => {
    const pids = events('demo.process').map(({ pid }) => pid as number);
    expect(new Set(run.records.filter(({ event }) => event === 'demo.process').map(({ party }) => party))).toEqual(
      new Set(['authority', 'coordinator', ...HOSPITALS]),
    );
    expect(new Set(pids).size).toBe(pids.length);
    await gone(pids);
  });

  it('sums the other hospitals when one is killed, takes it back, and says how that went', () => {
    const drill = events('demo.killed')[0]!;
    expect(drill.party).toBe('hungary');
    const membersOf = (round: number): unknown =>
      events('round.published').find((record) => record['round'] === round)?.['members'];
    expect(drill['round']).toBe(2);
    expect(membersOf(2)).toEqual(HOSPITALS.filter((id) => id !== 'hungary'));
    const back = (membersOf(3) as string[]).includes('hungary');
    expect(run.records.at(-1)!['drill']).toBe(
      `Hungary was killed in round 2, which was summed without it; it was ${back ? 'back in round 3' : 'in no later round'}`,
    );
    expect(back).toBe(true);
  });

  it('writes the export and nothing else into its folder', () => {
    const files = filesBelow(directory);
    expect(files.filter((file) => !file.startsWith('ledger/'))).toEqual([
      'manifest',
      'model/model.json',
      'model/model.safetensors',
      'model/weights.bin',
      'report.html',
      'report.json',
      'trust.json',
    ]);
    expect(readdirSync(join(directory, 'ledger')).toSorted()).toEqual([
      'cleveland',
      'coordinator',
      'hungary',
      'switzerland',
      'va',
    ]);
    for (const file of files.filter((name) => name.startsWith('ledger/')))
      expect(file).toMatch(/^ledger\/[a-z]+\/(?:checkpoint|tile\/.+)$/);
  });

  it('keeps every private key in a file that only its owner can read', () => {
    const keys = filesBelow(state).filter((file) => /key|token/i.test(file));
    expect(keys.length).toBeGreaterThanOrEqual(5);
    for (const file of keys) expect(statSync(join(state, file)).mode & 0o077, file).toBe(0);
    // The authority's key is with the authority alone.
    for (const party of ['coordinator', ...HOSPITALS]) {
      const files = filesBelow(join(state, party)).join(' ');
      expect(files).not.toMatch(/root|authority/);
    }
  });

  it('verifies against the trust file, the fingerprint, and itself', async () => {
    const { fingerprint } = JSON.parse(readFileSync(join(state, 'trust.json'), 'utf8')) as { fingerprint: string };
    const plain = await sotto('verify', directory);
    expect(plain).toMatchObject({ status: 0, stderr: '' });
    expect(plain.stdout).toMatch(new RegExp(`compare the authority's fingerprint with ${fingerprint}`));
    expect(plain.stdout.trimEnd().split('\n').length).toBe(1);
    for (const trust of [join(state, 'trust.json'), fingerprint]) {
      const trusted = await sotto('verify', directory, '--trust', trust, '--json');
      expect(JSON.parse(trusted.stdout)).toMatchObject({
        ok: true,
        trusted: true,
        faults: [],
        published: expect.any(Number) as number,
      });
    }
    const other = await sotto('verify', directory, '--trust', '0'.repeat(64));
    expect(other.status).toBe(1);
    expect(other.stdout).toMatch(/^FAILED: trust\.json: .*not the one that you trust/);
  });

  it('notices a flipped byte in every kind of file and names it', async () => {
    const copy = join(folder, 'copy');
    const kinds = new Map<string, string>();
    for (const file of filesBelow(directory))
      kinds.set(file.replace(/^ledger\/(?:cleveland|hungary|switzerland|va)\//, 'client/').replace(/\d+/g, 'n'), file);
    expect(kinds.size).toBeGreaterThanOrEqual(9);
    for (const file of kinds.values()) {
      cpSync(directory, copy, { recursive: true });
      const bytes = readFileSync(join(copy, file));
      const at = Math.floor(bytes.length / 2);
      bytes[at] = bytes[at]! ^ 1;
      writeFileSync(join(copy, file), bytes);
      const { status, stdout } = await sotto('verify', copy);
      expect(status, file).toBe(1);
      expect(stdout, file).toContain(file);
      rmSync(copy, { recursive: true });
    }
  }, 120_000);

  it('derives the report anew', async () => {
    const json = await sotto('report', directory, '--format', 'json');
    expect(json.stdout).toBe(readFileSync(join(directory, 'report.json'), 'utf8'));
    const html = await sotto('report', directory, '--format', 'html');
    expect(html.stdout).toBe(readFileSync(join(directory, 'report.html'), 'utf8'));
    const text = await sotto('report', directory);
    expect(text.stdout).toMatch(/^Privacy report of run heart-/);
    for (const id of HOSPITALS) expect(text.stdout).toContain(id);
  });

  it('does not begin where something else lies, and refuses to change a run that has begun', async () => {
    writeFileSync(join(folder, 'mine.txt'), 'precious');
    const { status, stderr } = await sotto('demo', '--out', folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/is not empty and no demo wrote it; choose another --out/);
    expect(existsSync(join(folder, 'mine.txt'))).toBe(true);
    expect((await sotto('demo', '--resume', directory, '--rounds', '9')).stderr).toMatch(
      /--rounds cannot change a run that has begun/,
    );
    expect((await sotto('demo', '--resume', join(folder, 'nothing'))).stderr).toMatch(/no demo was begun in/);
  });
});

describe('a demo that is stopped', () => {
  it('leaves no process when it is killed outright, and finishes when it is resumed and loses a hospital', async () => {
    const directory = join(folder, 'killed');
    const first = new SottoProcess('demo', '--json', '--no-drop', '--rounds', '4', '--out', directory);
    await first.record(({ event }) => event === 'round.published');
    first.kill('SIGKILL');
    await first.ended;
    await gone(first.pids().values());
    const second = new SottoProcess('demo', '--json', '--resume', directory);
    // Whatever dies is started again, also without a drill.
    await second.record(({ event, party }) => event === 'client.joined' && party === 'va');
    process.kill(second.pids().get('va')!, 'SIGKILL');
    const back = await second.record(({ event, party }) => event === 'demo.restarted' && party === 'va');
    expect(back['note']).toBe('Long Beach VA was ended by SIGKILL and was started again');
    const { status, stderr } = await second.ended;
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const result = second.records.at(-1)!;
    expect(result).toMatchObject({ event: 'demo.result', verified: true });
    expect((result['published'] as number) + (result['aborted'] as number)).toBe(4);
  }, 180_000);

  it('stops its children on Ctrl-C and says how to go on; and stops them when one cannot run', async () => {
    const directory = join(folder, 'interrupted');
    const run = new SottoProcess('demo', '--json', '--rounds', '50', '--out', directory);
    await run.record(({ event }) => event === 'round.started');
    run.kill('SIGINT');
    const { status, stderr } = await run.ended;
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /^sotto demo: interrupted; all processes are stopped\. "sotto demo --resume .*" goes on where it was\n$/,
    );
    await gone(run.pids().values());

    // A service that cannot run is no reason to try for ever.
    const config = join(folder, '.interrupted-state/config/va.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"budget"', '"bugdet"'));
    const broken = new SottoProcess('demo', '--json', '--resume', directory);
    const failed = await broken.ended;
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(
      /^sotto demo: the service "va" cannot run: sotto client: .*va\.json: unknown key "bugdet"; did you mean "budget"\?\n$/,
    );
    await gone(broken.pids().values());
  }, 120_000);
});
