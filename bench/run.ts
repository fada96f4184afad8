/**
 * `npm run bench -- NAME [--json] [--peers VENV] [--only PART]…`: runs a benchmark, prints its tables and writes
 * `bench/results/NAME.json` with the description of the machine, unless only parts of it were run.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchOptions, BenchResult, BenchTable } from './bench.ts';

const folder = import.meta.dirname;
/** Files that are not benchmarks themselves. */
const TOOLS = new Set(['run', 'bench']);

interface Module {
  readonly run?: (options: BenchOptions) => Promise<BenchResult>;
}

function benchmarks(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3))
    .filter((name) => !TOOLS.has(name))
    .sort();
}

/** The first sentence of a benchmark's own header. */
function summaryOf(name: string): string {
  const header = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(folder, `${name}.ts`), 'utf8'))?.[1] ?? '';
  const text = header
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/@module/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return /^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text;
}

function commitOf(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '../packages') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

function machine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}

function cell(value: string | number): string {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

function tableText(table: BenchTable): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map(cell))];
  const widths = table.columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const numeric = table.columns.map((_, i) => table.rows.length > 0 && table.rows.every((row) => typeof row[i] === 'number'));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (numeric[i] === true ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [table.title, line(table.columns), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join(
    '\n',
  );
}

async function main(): Promise<number> {
  const names = benchmarks();
  const { values, positionals } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      peers: { type: 'string' },
      only: { type: 'string', multiple: true },
      'no-write': { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const [name] = positionals;
  if (name === undefined) {
    const width = Math.max(0, ...names.map((one) => one.length));
    process.stdout.write('usage: npm run bench -- NAME [--json] [--peers VENV] [--only PART]… [--no-write]\n\n');
    for (const one of names) process.stdout.write(`  ${one.padEnd(width)}  ${summaryOf(one)}\n`);
    return 0;
  }
  if (!names.includes(name)) {
    process.stderr.write(`bench: there is no benchmark "${name}"; the benchmarks are ${names.join(', ')}\n`);
    return 2;
  }
  const module = (await import(`./${name}.ts`)) as Module;
  if (module.run === undefined) throw new Error(`bench/${name}.ts exports no run`);
  const startedMs = Date.now();
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const { summary, tables, data } = await module.run({ peers: values.peers, only: values.only, progress });
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  const result = {
    name,
    date: new Date().toISOString().slice(0, 10),
    commit: commitOf(),
    machine: machine(),
    seconds,
    summary,
    tables,
    data,
  };
  const text = `${JSON.stringify(result, (_key, value: unknown) => (value === Infinity ? 'Infinity' : value), 2)}\n`;
  const writes = !values['no-write'] && values.only === undefined;
  if (writes) {
    mkdirSync(join(folder, 'results'), { recursive: true });
    writeFileSync(join(folder, 'results', `${name}.json`), text);
  }
  if (values.json) process.stdout.write(text);
  else process.stdout.write(`${tables.map((table) => `${tableText(table)}\n\n`).join('')}${summary}\n`);
  if (writes) progress(`written to bench/results/${name}.json`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `bench: ${error instanceof Error ? (process.env['DEBUG'] === undefined ? error.message : error.stack) : String(error)}\n`,
  );
  process.exitCode = 1;
}
