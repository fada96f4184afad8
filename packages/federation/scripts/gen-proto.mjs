/**
 * Generates src/gen/protocol.{js,d.ts} from proto/: `node packages/federation/scripts/gen-proto.mjs [--check]`. With
 * `--check` nothing is written, and the exit status is 1 where the committed files differ from what would be.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const home = path.dirname(import.meta.dirname);
const proto = path.join(home, 'proto');
const target = path.join(home, 'src', 'gen');
const sources = readdirSync(proto, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.proto'))
  .map((name) => name.replaceAll(path.sep, '/'))
  .sort();
const pbjs = path.join(path.dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json')), 'bin', 'pbjs');

const scratch = mkdtempSync(path.join(tmpdir(), 'gen-proto-'));
try {
  const out = path.join(scratch, 'protocol.js');
  const options = [
    '-t',
    'static-module',
    '-w',
    'esm',
    '-d',
    '--no-verify',
    '--no-convert',
    '--no-delimited',
    '--no-typeurl',
    '--no-service',
  ];
  const run = spawnSync(
    process.execPath,
    [pbjs, ...options, '--force-number', '-r', 'sotto-federation', '-p', proto, '-o', out, ...sources],
    {
      cwd: proto,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (run.status !== 0) throw new Error(`pbjs ended with status ${run.status}`);
  let stale = false;
  for (const name of ['protocol.js', 'protocol.d.ts']) {
    const fresh = readFileSync(path.join(scratch, name), 'utf8');
    const committed = path.join(target, name);
    if (!process.argv.includes('--check')) writeFileSync(committed, fresh);
    else if (readFileSync(committed, 'utf8') !== fresh) {
      stale = true;
      process.stderr.write(
        `${path.relative(process.cwd(), committed)} is stale: run node packages/federation/scripts/gen-proto.mjs\n`,
      );
    }
  }
  process.exitCode = stale ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
