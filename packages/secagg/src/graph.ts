/**
 * Who holds whose shares. A member is one of its own holders: it keeps a share of its own b, without which cohorts of
 * three could not exist and those of four to six could lose nobody.
 *
 * @module
 */
import { compareBytes } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { RoundContext } from './context.ts';
import { graphParameters } from './graph-parameters.ts';
import { COMPLETE_GRAPH_MAX } from './parameters.ts';
import type { RoundParameters } from './parameters.ts';
import { hash } from './primitives.ts';

/** The sharing graph of a roster. */
export interface SharingGraph {
  /** Shares that open a secret. */
  readonly threshold: number;
  /** Places of a member's holders, itself included, ascending. Symmetric: j holds for i exactly where i holds for j. */
  readonly holdersOf: (place: number) => readonly number[];
}

/** The graph of a roster (ids ascending); in `malicious` mode 2t > m + c, so that nobody has both secrets opened. */
export function sharingGraph(
  crypto: CryptoProvider,
  context: RoundContext,
  parameters: RoundParameters,
  sid: Uint8Array,
  ids: readonly string[],
): SharingGraph {
  const { n, c, t } = parameters;
  if (n > COMPLETE_GRAPH_MAX) return hararyGraph(crypto, context, parameters, sid, ids);
  if (context.mode === 'malicious' && 2 * t <= n + c) {
    throw new SottoError('internal', `t = ${t} of ${n} with ${c} colluding could open both secrets of a member`);
  }
  const everybody = ids.map((_, place) => place);
  return { threshold: t, holdersOf: () => everybody };
}

/**
 * The random Harary graph of Bell et al. 2020: members on a ring in a random order, each with the k/2 next ones on either
 * side. The order is that of H("graph", sid, id): everybody computes it alone. A coordinator that chooses who is in the
 * roster could search for a good one, which is why this is semi-honest only.
 */
function hararyGraph(
  crypto: CryptoProvider,
  context: RoundContext,
  { n }: RoundParameters,
  sid: Uint8Array,
  ids: readonly string[],
): SharingGraph {
  const { graph, mode, cohort } = context;
  if (graph.kind !== 'harary' || mode !== 'semi-honest') {
    throw new SottoError('unsupported', `a roster of ${n} needs a sparse graph; the complete one goes to ${COMPLETE_GRAPH_MAX}`);
  }
  const found = graphParameters(
    n,
    cohort.gammaNumerator / cohort.gammaDenominator,
    graph.dropoutNumerator / graph.dropoutDenominator,
  );
  if (found === undefined) {
    throw new SottoError('unsupported', `no sparse graph of ${n} members stands these rates; lower them or the cohort`);
  }
  const ring = ids
    .map((id, place) => ({ place, rank: hash(crypto, 'graph', (w) => w.bytes(sid).text(id)) }))
    .sort((a, b) => compareBytes(a.rank, b.rank))
    .map((entry) => entry.place);
  const position = new Uint32Array(n);
  for (const [p, place] of ring.entries()) position[place] = p;
  const half = found.degree / 2;
  return {
    threshold: found.threshold,
    holdersOf(place) {
      const holders: number[] = [];
      for (let step = -half; step <= half; step++) holders.push(ring[(position[place]! + step + n) % n]!);
      return holders.sort((a, b) => a - b);
    },
  };
}
