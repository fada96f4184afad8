/**
 * How the drill went, told from the verified report and not from what was planned.
 *
 * @module
 */
import type { PrivacyReport } from '@sotto/governance';
import { partyName } from './hospitals.ts';

/** The drill that was planned: a hospital is killed in a round after its key shares are out. */
export interface PlannedDrill {
  readonly hospital: string;
  readonly round: number;
}

/** One sentence about the drill and the return of the hospital. */
export function drillOutcome(drill: PlannedDrill, rounds: PrivacyReport['rounds']): string {
  const { hospital, round } = drill;
  const name = partyName(hospital);
  const drilled = rounds.find((one) => one.round === round);
  if (drilled === undefined || (drilled.outcome === 'published' && !drilled.roster.includes(hospital)))
    return `the drill was missed: ${name} was not in round ${round}`;
  if (drilled.outcome === 'aborted') return `${name} was to be killed in round ${round}, which was aborted: ${drilled.reason}`;
  if (drilled.survivors.includes(hospital)) return `the drill was missed: ${name} was in the sum of round ${round}`;
  const back = rounds.find((one) => one.round > round && one.outcome === 'published' && one.survivors.includes(hospital));
  const lost = `${name} was killed in round ${round}, which was summed without it`;
  if (back === undefined) return `${lost}; it was in no later round`;
  return `${lost}; it was back in round ${back.round}`;
}
