/**
 * What a session in a Node thread is given: an engine by name, the system's randomness, and a thread that draws noise ahead for large models.
 *
 * @module
 */
import { systemRandom } from '@sotto/core/system-random';
import type { SessionTools } from '../training/session.ts';
import { createNoiseWorker } from './noise-queue.ts';
import { openNamedEngine } from './worker-engine.ts';
import type { EngineChoice } from './worker-engine.ts';

/** From so many parameters on, a thread that draws noise ahead is worth its start. */
const NOISE_THREAD_DIMENSION = 2 ** 16;

/** Opens an engine in this thread, with what a session needs beside it. */
export async function nodeSessionTools(engine: EngineChoice, lanes: number | undefined): Promise<SessionTools> {
  return {
    engine: await openNamedEngine(engine, lanes),
    random: systemRandom,
    openNoise: (plan, dimension) => (dimension < NOISE_THREAD_DIMENSION ? undefined : createNoiseWorker({ plan, dimension })),
  };
}
