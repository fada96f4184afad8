/**
 * Dirac canaries: gradients that have one coordinate each, the strongest canaries there are for a mechanism that clips, sums and
 * adds spherical noise (Nasr et al. 2023; Andrew et al. 2024).
 *
 * @module
 */
import { integer, positive } from '@sotto/core/check';
import type { RandomSource } from '@sotto/core/random';
import type { AuditTarget } from './target.ts';

/** A private sum under audit. */
export interface DiracSumOptions {
  /** Coordinates of a gradient, at least the number of canaries. */
  readonly dimension: number;
  readonly canaries: number;
  /** The clip norm C of the mechanism. */
  readonly clipNorm: number;
  /**
   * The canaries' norm before clipping, in clip norms; default 1. A large one (1e6) tells clipping per example from clipping
   * after the sum, which norm 1 cannot.
   */
  readonly gain?: number;
  /** Gradients that are always in the data set, such as those of real records. Default none. */
  readonly background?: readonly Float64Array[];
  /**
   * The mechanism: the noisy sum (or any multiple of it) of the clipped gradients, in the order in which they come. It must not
   * keep them.
   */
  privateSum(gradients: readonly Float64Array[], random: RandomSource): Float64Array | Promise<Float64Array>;
}

/** An audit target for a private sum: canary i is gain·C in coordinate i, and its score is what comes out there. */
export function diracSumTarget(options: DiracSumOptions): AuditTarget<Float64Array> {
  const canaries = integer('canaries', options.canaries, 1);
  const dimension = integer('dimension', options.dimension, canaries);
  const norm = positive('clipNorm', options.clipNorm) * positive('gain', options.gain ?? 1);
  const background = options.background ?? [];
  return {
    canaries,
    release(included, random) {
      const gradients = [...background];
      included.forEach((bit, i) => {
        if (bit !== 1) return;
        const gradient = new Float64Array(dimension);
        gradient[i] = norm;
        gradients.push(gradient);
      });
      return options.privateSum(gradients, random);
    },
    scores: (release) => release.slice(0, canaries),
  };
}
