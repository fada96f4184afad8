import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './sources.ts';

/** Stands for npm: notes that it was called, makes the files that the setup looks for. */
const FAKE_NPM = `
const { appendFileSync, mkdirSync, symlinkSync, writeFileSync, rmSync } = require('node:fs');
appendFileSync('calls.txt', 'npm ' + process.argv.slice(2).join(' ') + ' ' + process.env.ONNXRUNTIME_NODE_INSTALL + '\\n');
if (process.env.FAKE_NPM_FAILS) process.exit(7);
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/node/bin', { recursive: true });
symlinkSync(process.execPath, 'node_modules/node/bin/node');
mkdirSync('node_modules/typescript/bin', { recursive: true });
writeFileSync('node_modules/typescript/bin/tsc', \`
const { appendFileSync, mkdirSync, writeFileSync, readdirSync } = require('node:fs');
appendFileSync('calls.txt', 'tsc ' + process.argv.slice(2).join(' ') + '\\\\n');
mkdirSync('packages/one/dist', { recursive: true });
for (const file of readdirSync('packages/one/src')) if (file.endsWith('.ts') && !file.endsWith('.d.ts')) writeFileSync('packages/one/dist/' + file.replace('.ts', '.js'), '');
\`);
`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-setup-'));
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  mkdirSync(join(folder, 'packages/one/src'), { recursive: true });
  for (const [file, text] of [
    ['package-lock.json', '{"packages": {}}'],
    ['tsconfig.json', '{}'],
    ['tsconfig.base.json', '{}'],
    ['packages/one/tsconfig.json', '{}'],
    ['packages/one/package.json', '{}'],
    ['packages/one/src/a.ts', 'export {};'],
    ['packages/one/src/generated.js', '// kept'],
    ['npm-cli.js', FAKE_NPM],
    ['calls.txt', ''],
  ] as const) {
    writeFileSync(join(folder, file), text);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function setup(env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, ['scripts/setup.mjs'], {
    cwd: folder,
    env: { ...process.env, npm_execpath: join(folder, 'npm-cli.js'), ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}

const calls = (): string[] => readFileSync(join(folder, 'calls.txt'), 'utf8').trimEnd().split('\n');
const INSTALL = 'npm ci --no-audit --no-fund --loglevel=error skip';

describe('scripts/setup.mjs', () => {
  it('installs and compiles once, says so on stderr only, then starts at once', async () => {
    const first = await setup();
    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(first.stderr).toMatch(/installing the packages .*\n.*installed in .*\n.*compiling \.\.\.\n.*compiled in/);
    expect(calls()).toEqual([INSTALL, 'tsc -b']);
    expect(readFileSync(join(folder, 'packages/one/dist/generated.js'), 'utf8')).toBe('// kept');
    expect(await setup()).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(calls().length).toBe(2);
    expect(existsSync(join(folder, '.sotto-setup.lock'))).toBe(false);
  });

  it('compiles again after a change of a source and drops what lost its source', async () => {
    await setup();
    writeFileSync(join(folder, 'packages/one/src/b.ts'), 'export {};');
    rmSync(join(folder, 'packages/one/src/a.ts'));
    expect((await setup()).stderr).not.toMatch(/installing/);
    expect(calls()).toEqual([INSTALL, 'tsc -b', 'tsc -b']);
    expect([existsSync(join(folder, 'packages/one/dist/a.js')), existsSync(join(folder, 'packages/one/dist/b.js'))]).toEqual([
      false,
      true,
    ]);
  });

  it('installs again after a change of the lockfile', async () => {
    await setup();
    appendFileSync(join(folder, 'package-lock.json'), '\n');
    await setup();
    expect(calls()).toEqual([INSTALL, 'tsc -b', INSTALL, 'tsc -b']);
  });

  it('recognises an install that was made by hand', async () => {
    await setup();
    rmSync(join(folder, 'node_modules/.sotto-setup.json'));
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{"packages": {}}');
    await setup();
    expect(calls()).toEqual([INSTALL, 'tsc -b', 'tsc -b']);
  });

  it('does the work once when two run at once, and takes over from one that died', async () => {
    writeFileSync(join(folder, '.sotto-setup.lock'), `999999999 ${Date.now()}\n`);
    const [a, b] = await Promise.all([setup(), setup()]);
    expect([a.status, b.status]).toEqual([0, 0]);
    expect(calls()).toEqual([INSTALL, 'tsc -b']);
  });

  it('fails in one line when npm fails', async () => {
    const { status, stderr } = await setup({ FAKE_NPM_FAILS: '1' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/"npm ci" failed; its messages are above\. Check the network connection and try again\n$/);
    expect(existsSync(join(folder, '.sotto-setup.lock'))).toBe(false);
  });
});
