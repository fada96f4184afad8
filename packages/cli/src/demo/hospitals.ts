/**
 * The federation of the demo: four hospitals, each with its own file of the UCI Heart Disease data.
 *
 * @module
 */

export interface Hospital {
  readonly id: string;
  /** As people say it. */
  readonly name: string;
  readonly steward: string;
  readonly file: string;
  readonly sha256: string;
  /** Complete rows in the training part: public constants of the plan, from which weights and batch sizes derive. */
  readonly trainingRows: number;
}

/** Sorted by id, as plans list them. */
export const HOSPITALS: readonly Hospital[] = [
  {
    id: 'cleveland',
    name: 'Cleveland',
    steward: 'Cleveland Clinic Foundation',
    file: 'processed.cleveland.data',
    sha256: 'a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8',
    trainingRows: 200,
  },
  {
    id: 'hungary',
    name: 'Hungary',
    steward: 'Hungarian Institute of Cardiology, Budapest',
    file: 'processed.hungarian.data',
    sha256: 'd1ad108f785768cd3d7e82dc522e6f5a61eea93cccfb3a46ee8076f73fc3d796',
    trainingRows: 172,
  },
  {
    id: 'switzerland',
    name: 'Switzerland',
    steward: 'University Hospitals Zurich and Basel',
    file: 'processed.switzerland.data',
    sha256: '834a405ccf5b66ab4056bb77794adc8df0b7125186454c0a1d002d33c6c3b314',
    trainingRows: 30,
  },
  {
    id: 'va',
    name: 'Long Beach VA',
    steward: 'V.A. Medical Center, Long Beach',
    file: 'processed.va.data',
    sha256: 'e7c93d8d0d2acdadfa4c5e8de768e2191e7f618b952e29623f1f0d5949ff6b8f',
    trainingRows: 86,
  },
];

/** The name of any party of the demo. */
export function partyName(id: string): string {
  return HOSPITALS.find((hospital) => hospital.id === id)?.name ?? id;
}

/** The hospital that the drill kills. */
export const DRILL_HOSPITAL = 'hungary';

/** A drill needs a round before it and one after it. */
export const DRILL_MIN_ROUNDS = 3;

/** The round of the drill: early enough to be seen, with a round before it and one after it; undefined where there are too few. */
export function drillRound(rounds: number): number | undefined {
  return rounds < DRILL_MIN_ROUNDS ? undefined : Math.min(3, rounds - 1);
}
