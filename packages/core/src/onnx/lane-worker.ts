/**
 * The thread of a lane: holds one session per program and runs what it is told, one message after the other.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { OrtSession } from './ort-session.ts';
import type { Arrays, Binding, SessionPlan, SessionSettings } from './ort-session.ts';

/** What a lane is asked for. Every message is answered by one {@link LaneAnswer}, in order. All arrays lie over shared memory. */
export type LaneRequest =
  | { readonly kind: 'compile'; readonly program: number; readonly plan: SessionPlan }
  /** Names arrays that runs come back to: sending and wrapping them anew for each run costs more than a small program. Outputs may be left out. */
  | { readonly kind: 'bind'; readonly program: number; readonly binding: number; readonly inputs: Arrays; readonly into: Arrays }
  /** Runs on bound arrays; `into` has one for each output that is not bound. */
  | { readonly kind: 'run'; readonly program: number; readonly binding: number; readonly into: Arrays }
  | { readonly kind: 'unbind'; readonly program: number; readonly binding: number }
  | { readonly kind: 'release'; readonly program: number };

/** `failure` is the error's text where the request failed. */
export interface LaneAnswer {
  readonly failure: string | undefined;
}

interface Loaded {
  readonly session: OrtSession;
  readonly bindings: Map<number, Binding>;
}

const programs = new Map<number, Loaded>();

async function handle(request: LaneRequest): Promise<void> {
  const { kind, program } = request;
  if (kind === 'compile') {
    const session = await OrtSession.create(request.plan, workerData as SessionSettings);
    programs.set(program, { session, bindings: new Map() });
    return;
  }
  const loaded = programs.get(program);
  if (loaded === undefined) throw new Error(`the lane has no program ${program}`);
  const { session, bindings } = loaded;
  switch (kind) {
    case 'bind':
      bindings.set(request.binding, session.bind(request.inputs, request.into));
      break;
    case 'run':
      await session.runBound(bindings.get(request.binding)!, request.into);
      break;
    case 'unbind':
      bindings.delete(request.binding);
      break;
    case 'release':
      programs.delete(program);
      await session.release();
  }
}

let last = Promise.resolve();
parentPort?.on('message', (request: LaneRequest) => {
  const answer = (failure: string | undefined): void => parentPort?.postMessage({ failure } satisfies LaneAnswer);
  last = last
    .then(() => handle(request))
    .then(
      () => answer(undefined),
      (reason: unknown) => answer(reason instanceof Error ? reason.message : String(reason)),
    );
});
