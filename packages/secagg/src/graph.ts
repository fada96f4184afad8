/**
 * Who holds whose shares. A member is one of its own holders: it keeps a share of its own b, without which cohorts of
 * three could not exist and those of four to six could lose nobody.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { RoundContext } from './context.ts';
import { COMPLETE_GRAPH_MAX } from './parameters.ts';
import type { RoundParameters } from './parameters.ts';

/** The sharing graph of a roster. */
export interface SharingGraph {
  /** Shares that open a secret. */
  readonly threshold: number;
  /** Places of a member's holders, itself included, ascending. Symmetric: j holds for i exactly where i holds for j. */
  readonly holdersOf: (place: number) => readonly number[];
}

/** The graph of a roster of n; `malicious` mode checks 2t > m + c, so that no dealer has both secrets opened. */
export function sharingGraph(context: RoundContext, parameters: RoundParameters): SharingGraph {
  const { n, c, t } = parameters;
  if (n > COMPLETE_GRAPH_MAX) {
    throw new SottoError('unsupported', `a roster of ${n} needs a sparse graph; the complete one goes to ${COMPLETE_GRAPH_MAX}`);
  }
  if (context.mode === 'malicious' && 2 * t <= n + c) {
    throw new SottoError('internal', `t = ${t} of ${n} with ${c} colluding could open both secrets of a member`);
  }
  const everybody = Array.from({ length: n }, (_, place) => place);
  return { threshold: t, holdersOf: () => everybody };
}
