/**
 * A process that takes whole private steps on one thread: `one-thread.ts MODEL`, then a number of seconds per line. It answers with how many
 * milliseconds a step took in the median.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import { median } from './contender.ts';
import { benchModels } from './models.ts';
import type { BenchModelName } from './models.ts';
import { privateContender } from './sotto.ts';

const model = benchModels[process.argv[2] as BenchModelName];
const { contender } = await privateContender(model, 1, 'fast');
process.stdout.write('{"ready":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const times = await contender.time(Number(line));
  process.stdout.write(`${JSON.stringify(median(times))}\n`);
}
await contender.close();
