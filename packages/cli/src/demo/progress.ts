/**
 * What is going on, as a pure fold of the services' log records and the demo's own events.
 *
 * @module
 */
import { HOSPITALS, partyName } from './hospitals.ts';

/** What a hospital is doing. */
export type HospitalPhase = 'starting' | 'enrolled' | 'waiting' | 'active' | 'killed' | 'back' | 'sitting out' | 'finished';

/** Stages of a round in their order, as the coordinator names them. */
export const STAGES = ['advertise', 'share', 'masked', 'confirm', 'unmask'] as const;
export type Stage = (typeof STAGES)[number];

export interface HospitalProgress {
  readonly phase: HospitalPhase;
  readonly epsilonSpent: number;
  readonly epsilonBudget: number;
  /** Rounds to which it contributed. */
  readonly contributed: number;
}

export interface RoundProgress {
  readonly round: number;
  readonly outcome: 'running' | 'published' | 'aborted';
  readonly stage: Stage | undefined;
  /** Parties of the stage, or of the published sum. */
  readonly members: readonly string[];
  readonly accuracy: number | undefined;
  readonly correct: number | undefined;
  readonly total: number | undefined;
  readonly note: string | undefined;
}

export interface Progress {
  readonly rounds: number;
  readonly authority: 'starting' | 'ready' | 'stopped';
  readonly coordinator: 'starting' | 'ready' | 'finished' | 'stopped';
  readonly hospitals: ReadonlyMap<string, HospitalProgress>;
  readonly history: readonly RoundProgress[];
  readonly completed: { readonly published: number; readonly aborted: number } | undefined;
  readonly exported: string | undefined;
  /** The last thing worth a sentence. */
  readonly message: string | undefined;
}

/** A log record or an event of the demo; members beyond these are read with care. */
export interface ProgressRecord {
  readonly party: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Before anything has started. */
export function initialProgress(rounds: number, epsilonBudget: number): Progress {
  const hospitals = HOSPITALS.map(
    ({ id }) => [id, { phase: 'starting', epsilonSpent: 0, epsilonBudget, contributed: 0 } as const] as const,
  );
  return {
    rounds,
    authority: 'starting',
    coordinator: 'starting',
    hospitals: new Map(hospitals),
    history: [],
    completed: undefined,
    exported: undefined,
    message: undefined,
  };
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
/** A member that should be a text. */
export const textOf = (value: unknown, fallback: string = ''): string => (typeof value === 'string' ? value : fallback);
const idsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];

function withHospital(progress: Progress, id: string, change: Partial<HospitalProgress>): Progress {
  const before = progress.hospitals.get(id);
  if (before === undefined) return progress;
  return { ...progress, hospitals: new Map(progress.hospitals).set(id, { ...before, ...change }) };
}

function withRound(progress: Progress, round: number, change: Partial<RoundProgress>): Progress {
  const fresh: RoundProgress = {
    round,
    outcome: 'running',
    stage: undefined,
    members: [],
    accuracy: undefined,
    correct: undefined,
    total: undefined,
    note: undefined,
  };
  const before = progress.history.find((one) => one.round === round) ?? fresh;
  const others = progress.history.filter((one) => one.round !== round);
  return { ...progress, history: [...others, { ...before, ...change }].sort((a, b) => a.round - b.round) };
}

/** Members of a stage are at work, other hospitals wait. */
function withMembers(progress: Progress, members: readonly string[]): Progress {
  let next = progress;
  for (const [id, hospital] of progress.hospitals) {
    if (members.includes(id)) {
      if (
        hospital.phase === 'waiting' ||
        hospital.phase === 'back' ||
        hospital.phase === 'enrolled' ||
        hospital.phase === 'sitting out'
      )
        next = withHospital(next, id, { phase: 'active' });
    } else if (hospital.phase === 'active') next = withHospital(next, id, { phase: 'waiting' });
  }
  return next;
}

/** The state after one more record. Unknown events change nothing. */
export function advance(progress: Progress, record: ProgressRecord): Progress {
  const { party, event } = record;
  const round = numberOf(record['round']);
  switch (event) {
    case 'service.ready':
      if (party === 'authority') return { ...progress, authority: 'ready' };
      return party === 'coordinator' ? { ...progress, coordinator: 'ready' } : progress;
    case 'client.enrolled':
      return withHospital(progress, party, { phase: 'enrolled' });
    case 'client.joined':
      return withHospital(progress, party, { phase: progress.hospitals.get(party)?.phase === 'back' ? 'back' : 'waiting' });
    case 'client.sat-out':
      return withHospital(progress, party, { phase: 'sitting out' });
    case 'client.contributed': {
      const hospital = progress.hospitals.get(party);
      return withHospital(progress, party, {
        epsilonSpent: numberOf(record['epsilonSpent']) ?? hospital?.epsilonSpent ?? 0,
        epsilonBudget: numberOf(record['epsilonBudget']) ?? hospital?.epsilonBudget ?? 0,
        contributed: (hospital?.contributed ?? 0) + 1,
      });
    }
    case 'client.finished':
      return withHospital(progress, party, { phase: 'finished' });
    case 'round.started':
      return round === undefined ? progress : withRound(progress, round, { outcome: 'running', stage: undefined });
    case 'round.stage': {
      if (round === undefined) return progress;
      const members = idsOf(record['members']);
      const stage = STAGES.find((one) => one === record['stage']);
      return withMembers(withRound(progress, round, { stage, members }), members);
    }
    case 'round.published': {
      if (round === undefined) return progress;
      const metrics = (record['metrics'] ?? {}) as Readonly<Record<string, unknown>>;
      return withRound({ ...progress, message: undefined }, round, {
        outcome: 'published',
        members: idsOf(record['members']),
        accuracy: numberOf(metrics['accuracy']),
        correct: numberOf(metrics['correct']),
        total: numberOf(metrics['total']),
      });
    }
    case 'round.aborted':
      return round === undefined
        ? progress
        : withRound(progress, round, { outcome: 'aborted', note: textOf(record['reason'], 'given up') });
    case 'run.completed':
      return {
        ...progress,
        message: undefined,
        completed: { published: numberOf(record['published']) ?? 0, aborted: numberOf(record['aborted']) ?? 0 },
      };
    case 'export.written':
      return { ...progress, coordinator: 'finished', exported: textOf(record['directory']) };
    case 'demo.killed': {
      const killed = withHospital(progress, party, { phase: 'killed' });
      const named =
        round === undefined ? killed : withRound(killed, round, { note: `${partyName(party)} killed after sharing keys` });
      return { ...named, message: textOf(record['note']) };
    }
    case 'demo.restarted':
      return { ...withHospital(progress, party, { phase: 'back' }), message: textOf(record['note']) };
    case 'demo.note':
      return { ...progress, message: textOf(record['note']) };
    default:
      return progress;
  }
}

/** The last round that was published with an accuracy. */
export function lastPublished(progress: Progress): RoundProgress | undefined {
  return progress.history.findLast((round) => round.outcome === 'published' && round.accuracy !== undefined);
}

/** Rounds that are over. */
export function roundsDone(progress: Progress): number {
  return progress.history.filter((round) => round.outcome !== 'running').length;
}
