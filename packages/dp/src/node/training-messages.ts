/**
 * What the thread that trains is asked and answers.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { SottoErrorCode } from '@sotto/core/errors';
import type { EngineChoice } from './worker-engine.ts';
import type { ExampleTable } from '../training/examples.ts';
import type { PortableLosses } from '../training/portable-loss.ts';
import type { EvaluationSums } from '../training/evaluation-logs.ts';
import type { EvaluationMode, Figures, SessionInfo, SessionSpec, SessionState } from '../training/session.ts';

/** What the thread is asked. */
export type TrainingRequest =
  | {
      readonly kind: 'open';
      /** Without what may hold functions: losses are beside it. */
      readonly spec: Omit<SessionSpec, 'loss' | 'kinds'>;
      readonly loss: PortableLosses;
      readonly engine: EngineChoice;
      readonly lanes: number | undefined;
    }
  | { readonly kind: 'step'; readonly position: number | undefined }
  | { readonly kind: 'evaluate'; readonly examples: ExampleTable; readonly mode: EvaluationMode }
  | { readonly kind: 'state' }
  | { readonly kind: 'close' };

/** The answers by request. */
export interface TrainingAnswers {
  readonly open: SessionInfo;
  readonly step: Figures;
  readonly evaluate: EvaluationSums;
  readonly state: SessionState;
  readonly close: undefined;
}

/** An error on its way between threads. */
export interface SentError {
  readonly code: SottoErrorCode;
  readonly message: string;
}

/** One answer: of the oldest request that has none. */
export type TrainingAnswer =
  | { readonly ok: true; readonly value: TrainingAnswers[TrainingRequest['kind']] }
  | { readonly ok: false; readonly error: SentError };

/** Packs an error. Its cause and its details stay behind: they may not be clonable. */
export function packError(reason: unknown): SentError {
  const { code, message } = SottoError.from(reason);
  return { code, message };
}

/** Unpacks an error. */
export function unpackError({ code, message }: SentError): SottoError {
  return new SottoError(code, message);
}
