/**
 * The account of a training as it lies in checkpoints.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Json } from '@sotto/core/json';
import type { Ahead, Planned } from './planned.ts';

/** What a checkpoint tells of an account. */
export interface SavedAccount<S> {
  /** Of the plan under which the next step runs. */
  readonly noiseMultiplier: number;
  readonly planned: Planned;
  readonly announced: Ahead | undefined;
  readonly extensions: number;
  readonly detoured: boolean;
  /** Steps that are charged beforehand. */
  readonly ahead: number;
  /** See `Spending.toJson`. */
  readonly spending: S;
}

/** The JSON form. What is infinite becomes null. */
export function writeAccount({ planned, announced, ...others }: SavedAccount<Json>): Json {
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const { steps, evaluations, target } = planned;
  return {
    ...others,
    planned: { steps: finite(steps), evaluations: finite(evaluations), target: target === undefined ? null : { ...target } },
    announced: announced === undefined ? null : { ...announced },
  };
}

/** The inverse of {@link writeAccount}. Throws `invalid-encoding` or `invalid-argument` on anything else. */
export function readAccount(value: unknown): SavedAccount<unknown> {
  if (typeof value !== 'object' || value === null) throw new SottoError('invalid-encoding', 'the checkpoint has no account');
  const saved = value as {
    readonly noiseMultiplier: number;
    readonly planned: { readonly [Member in keyof Planned]: Planned[Member] | null };
    readonly announced: Ahead | null;
    readonly extensions: number;
    readonly detoured: boolean;
    readonly ahead: number;
    readonly spending: unknown;
  };
  const { steps, evaluations, target } = saved.planned;
  const { announced } = saved;
  return {
    noiseMultiplier: saved.noiseMultiplier,
    planned: { steps: steps ?? Infinity, evaluations: evaluations ?? Infinity, target: target ?? undefined },
    announced:
      announced === null
        ? undefined
        : {
            steps: integer('checkpoint.announced.steps', announced.steps, 0),
            evaluations: integer('checkpoint.announced.evaluations', announced.evaluations, 0),
          },
    extensions: integer('checkpoint.extensions', saved.extensions, 0),
    detoured: saved.detoured,
    ahead: saved.ahead,
    spending: saved.spending,
  };
}
