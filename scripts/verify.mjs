/**
 * All gates in order, as one command: `npm run verify [-- NAME ...]`. Goes on after a failure and ends with a summary;
 * the exit status is that of the worst gate.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = (script) => ['npm', 'run', '-s', script];

/** name, what it proves, command */
const GATES = [
  ['build', 'the packages compile', ['node', 'scripts/setup.mjs']],
  ['types', 'packages, tests, benchmarks and examples type-check', npm('types')],
  ['lint', 'oxlint with type-aware rules finds nothing', npm('lint')],
  ['format', 'every file is formatted', npm('format:check')],
  ['knip', 'no file, export or dependency is unused', npm('knip')],
  ['generated', 'generated code matches its source', npm('generated:check')],
  ['tests', 'the test suite passes', ['npx', '--no', 'vitest', 'run']],
  ['readme', 'the code blocks of the README run', npm('readme')],
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !GATES.some(([gate]) => gate === name));
if (unknown.length > 0) {
  process.stderr.write(`verify: there is no gate "${unknown[0]}"; the gates are ${GATES.map(([name]) => name).join(', ')}\n`);
  process.exit(2);
}

const results = [];
for (const [name, proves, [command, ...args]] of GATES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n== ${name}: ${proves}\n`);
  const startedMs = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  results.push({ name, passed: status === 0, seconds: (Date.now() - startedMs) / 1000 });
}

process.stdout.write('\n');
for (const { name, passed, seconds } of results)
  process.stdout.write(`${passed ? 'pass' : 'FAIL'}  ${name.padEnd(10)} ${seconds.toFixed(1)} s\n`);
const failed = results.filter((result) => !result.passed).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
