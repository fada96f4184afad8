/**
 * What a session in a Node thread is given: an engine by name, the system's randomness, and for large models threads that help to end a step, or one that draws noise ahead.
 *
 * @module
 */
import { systemRandom } from '@sotto/core/system-random';
import type { SessionTools } from '../training/session.ts';
import { createNoiseWorker } from './noise-queue.ts';
import { updateHelpers } from './update-helpers.ts';
import { openNamedEngine } from './worker-engine.ts';
import type { EngineChoice } from './worker-engine.ts';

/** From so many parameters on, a thread that draws noise ahead is worth its start. */
const NOISE_THREAD_DIMENSION = 2 ** 16;

/** A thread that draws noise ahead, for models that are large enough. */
export const openNoiseThread: NonNullable<SessionTools['openNoise']> = (plan, dimension) =>
  dimension < NOISE_THREAD_DIMENSION ? undefined : createNoiseWorker({ plan, dimension });

/** Opens an engine in this thread, with what a session needs beside it. */
export async function nodeSessionTools(engine: EngineChoice, lanes: number | undefined): Promise<SessionTools> {
  const opened = await openNamedEngine(engine, lanes);
  return {
    engine: opened,
    random: systemRandom,
    // The lanes are idle when a step ends; this thread has the core of one of them.
    helpers: updateHelpers((opened.lanes ?? 1) - 1),
    openNoise: openNoiseThread,
  };
}
