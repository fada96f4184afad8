/**
 * The parts of differential privacy that need Node: a thread that draws noise ahead of the steps that use it.
 *
 * @module
 */
export { createNoiseWorker } from './noise-queue.ts';
export type { NoiseWorker, NoiseWorkerOptions } from './noise-queue.ts';
