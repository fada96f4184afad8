/**
 * The thread behind `makePrivate` of `@sotto/dp/node`: it holds the private examples, runs the steps, and answers with released figures and weights.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SottoError } from '@sotto/core/errors';
import { unpackLosses } from '../training/portable-loss.ts';
import { openSession } from '../training/open-session.ts';
import type { SessionState, TrainingSession } from '../training/session.ts';
import { end } from './pending-work.ts';
import type { PendingWork } from './pending-work.ts';
import { nodeSessionTools } from './session-tools.ts';
import { packError } from './training-messages.ts';
import type { TrainingAnswer, TrainingAnswers, TrainingRequest } from './training-messages.ts';

let session: TrainingSession | undefined;

async function answer(request: TrainingRequest): Promise<TrainingAnswers[TrainingRequest['kind']]> {
  if (request.kind === 'open') {
    const { spec, loss, engine, lanes } = request;
    session = await openSession({ ...spec, loss: unpackLosses(loss) }, await nodeSessionTools(engine, lanes));
    return session.info;
  }
  if (session === undefined) throw new SottoError('internal', 'the training thread has no session');
  switch (request.kind) {
    case 'step':
      return session.step(request.position);
    case 'evaluate':
      return session.evaluate(request.examples, request.mode);
    case 'state':
      return session.state();
    case 'close':
      await session.close();
      return undefined;
  }
}

/** Buffers that are moved instead of copied: the state was copied for this answer. */
function buffersOf(kind: TrainingRequest['kind'], value: unknown): ArrayBuffer[] {
  if (kind !== 'state') return [];
  const { weights, optimiser, average } = value as SessionState;
  const arrays = [weights, ...(optimiser?.slots ?? []), ...(average === undefined ? [] : [average.values])];
  return arrays.map(({ buffer }) => buffer).filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer);
}

// One after the other, in the order of the requests.
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: TrainingRequest) => {
  last = last.then(async () => {
    let reply: TrainingAnswer;
    try {
      reply = { ok: true, value: await answer(request) };
    } catch (reason) {
      reply = { ok: false, error: packError(reason) };
    }
    parentPort?.postMessage(reply, reply.ok ? buffersOf(request.kind, reply.value) : []);
    end(workerData as PendingWork);
  });
});
