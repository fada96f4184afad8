/**
 * How much noise a plan relies on, and how much more than needed a sum can carry.
 *
 * Noise is fixed when a client masks its input, before anybody knows who will be lost. Each client adds 1/h of what the event needs,
 * h = F − max(c, 1): a member that is curious alone knows its own noise, so even where nobody colludes one share cannot be relied on. A sum over s survivors then carries s/h of the needed variance: never less than 1, as the protocol aborts
 * below F, and of the s at least s − max(c, 1) are others and honest; never more than n/h. Adding components that are taken off again after
 * the round (as XNoise does) would remove the excess, but hands the coordinator the seeds of noise that it may claim to be excess; with one that
 * chooses the drop-outs that is a second secret to certify. The bound is stated instead, and the levers are γ, nMin and hMin: with
 * nMin close to n, h is close to n.
 *
 * @module
 */
import { checkCohortRule, parametersOf } from '../parameters.ts';
import type { CohortRule, RoundParameters } from '../parameters.ts';

/** F − max(c, 1): members of a sum that are honest and not the one who looks at it. */
export function honestOthers({ F, c }: Pick<RoundParameters, 'F' | 'c'>): number {
  return F - Math.max(c, 1);
}

/** The least {@link honestOthers} over all rosters that the rule accepts: what `honestMinimum` may be in a context. 0 where it accepts none. */
export function honestMinimumOf(rule: CohortRule): number {
  checkCohortRule(rule);
  let least = Infinity;
  for (let n = rule.nMin; n <= rule.nMax; n++) {
    const parameters = parametersOf(n, rule);
    if (parameters.F <= n) least = Math.min(least, honestOthers(parameters));
  }
  return least === Infinity ? 0 : least;
}

/** The most that a sum can carry of the variance that its event needs: nMax over {@link honestMinimumOf}. */
export function noiseOverheadBound(rule: CohortRule): number {
  return rule.nMax / honestMinimumOf(rule);
}
