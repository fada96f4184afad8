/**
 * The thread behind `PlainDescent`: takes blocks of its passes.
 *
 * @module
 */
import { workerData } from 'node:worker_threads';
import { descentThread, nothing } from './plain-descent.ts';
import type { DescentData } from './plain-descent.ts';

const thread = descentThread(workerData as DescentData);
for (let last = 0; ;) {
  last = thread.waitFor(last);
  thread.help(nothing);
}
