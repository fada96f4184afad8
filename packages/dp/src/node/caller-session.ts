/**
 * Training in the caller's thread, for what cannot cross to another one.
 *
 * @module
 */
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { openSession } from '../training/open-session.ts';
import { serialSession } from '../training/serial-session.ts';
import type { SessionSpec, TrainingSession } from '../training/session.ts';
import { nodeSessionTools } from './session-tools.ts';
import type { TrainingThreadOptions } from './training-thread.ts';

/**
 * Opens a session in this thread, with the lanes of the engine in threads of their own as ever, and warns that the event loop will be held up:
 * `SOTTO_TRAINS_HERE`.
 *
 * @param why What cannot cross, without a full stop.
 */
export async function openCallerSession(
  spec: SessionSpec,
  { engine, lanes }: TrainingThreadOptions,
  why: string,
): Promise<TrainingSession> {
  process.emitWarning(
    `training runs in the calling thread, whose event loop it holds up, because ${why}. What it computes and costs is the same.`,
    { code: 'SOTTO_TRAINS_HERE' },
  );
  const tools = await nodeSessionTools(engine ?? 'onnx-cpu', lanes);
  return serialSession(await openSession(spec, { ...tools, breathe: () => setImmediate() }));
}
