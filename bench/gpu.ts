/**
 * Private training steps on each graphics processor that this machine has, against the CPU engine in the same run.
 *
 * Every engine has a process of its own, and each trains the models of the benchmark `dpsgd` by the public API, in `fast` mode: forward, backward, clip, noise and update of one
 * full batch. An engine whose adapter computes on the CPU is left out, unless `SOTTO_BENCH_SOFTWARE=1` asks for it to see that the benchmark runs.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { EngineName } from '@sotto/core/node';
import { probeEngine } from '@sotto/core/node';
import { SottoError } from '@sotto/core/errors';
import type { BenchOptions, BenchResult, BenchTable } from './bench.ts';
import type { BenchModelName } from './dpsgd/models.ts';
import type { Line } from './gpu/one-engine.ts';

const MODELS: readonly BenchModelName[] = ['logistic', 'mlp', 'cnn', 'gpt', 'resnet'];
/** A software adapter takes minutes for more. */
const SOFTWARE_MODELS: readonly BenchModelName[] = ['logistic'];
const ENGINES: readonly EngineName[] = ['onnx-cuda', 'onnx-webgpu', 'tfjs-node-gpu', 'tfjs-webgpu'];

interface Measured {
  readonly engine: EngineName;
  readonly lines: readonly Line[];
}

/** Runs one engine's process to its end. */
async function measure(
  engine: EngineName,
  models: readonly BenchModelName[],
  progress: (line: string) => void,
): Promise<Measured> {
  const file = new URL('./gpu/one-engine.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...process.execArgv, file, engine, ...models], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    // Libraries greet on the same stream.
    if (!text.startsWith('{')) continue;
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if ('ms' in line) progress(`${engine}: ${line.model} ${line.ms.toFixed(1)} ms`);
    else if ('failed' in line) progress(`${engine}: ${line.model} failed: ${line.failed}`);
  }
  return { engine, lines };
}

export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const withSoftware = process.env['SOTTO_BENCH_SOFTWARE'] === '1';
  const leftOut: string[] = [];
  const measured: Measured[] = [await measure('onnx-cpu', MODELS, progress)];
  for (const engine of ENGINES) {
    const answer = await probeEngine(engine);
    if (answer.usable && (!answer.software || withSoftware)) {
      measured.push(await measure(engine, answer.software ? SOFTWARE_MODELS : MODELS, progress));
      continue;
    }
    leftOut.push(`${engine}: ${answer.usable ? `its adapter, ${answer.device}, computes on the CPU` : answer.why}`);
    progress(`left out: ${leftOut.at(-1)}`);
  }
  if (measured.length === 1) {
    throw new SottoError(
      'unavailable',
      `no graphics processor is usable here, so there is nothing to measure: ${leftOut.join('; ')}`,
    );
  }
  const msOf = ({ lines }: Measured, model: BenchModelName): number | undefined => {
    for (const line of lines) if ('ms' in line && line.model === model) return line.ms;
    return undefined;
  };
  const [cpu, ...devices] = measured as [Measured, ...Measured[]];
  const deviceOf = ({ engine, lines }: Measured): string => {
    const opened = lines.find((line) => 'device' in line);
    return opened === undefined ? engine : `${engine}, ${opened.device}, ${opened.library}`;
  };
  const tables: BenchTable[] = [
    {
      title: 'A private step in fast mode: milliseconds, and how many times faster than the CPU engine',
      columns: ['model', ...measured.map(deviceOf)],
      rows: MODELS.map((model) => [
        model,
        ...measured.map((each) => {
          const [ms, base] = [msOf(each, model), msOf(cpu, model)];
          if (ms === undefined) return 'not run';
          return each === cpu || base === undefined ? ms.toFixed(1) : `${ms.toFixed(1)} (${(base / ms).toFixed(2)}×)`;
        }),
      ]),
    },
  ];
  const best = devices.flatMap((each) =>
    MODELS.flatMap((model) => {
      const [ms, base] = [msOf(each, model), msOf(cpu, model)];
      return ms === undefined || base === undefined ? [] : [`${model} on ${each.engine} ${(base / ms).toFixed(2)}×`];
    }),
  );
  return { summary: `Against the CPU engine: ${best.join(', ')}.`, tables, data: { measured, leftOut } };
}
