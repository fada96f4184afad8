/**
 * The thread behind `PlainDescent`: takes blocks of its passes.
 *
 * @module
 */
import { workerData } from 'node:worker_threads';
import { descentThread, nothing } from './plain-descent.ts';
import type { DescentData } from './plain-descent.ts';

descentThread(workerData as DescentData).serve(nothing);
