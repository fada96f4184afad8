/**
 * Validation data as a training gets them: plain ones that were declared outside the guarantee, or private ones whose sums are told with noise.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { BitSource } from '../noise/bit-source.ts';
import type { UserIds } from '../sampling/users.ts';
import { UserIndex } from '../sampling/users.ts';
import { validationCost } from './costs.ts';
import type { ExampleTable } from './examples.ts';
import type { ValidationData } from './options.ts';
import type { EvaluationMode } from './session.ts';
import type { TrainingParts } from './training-parts.ts';

/** Examples, and how they may be told about. */
export interface Validation {
  readonly examples: ExampleTable;
  readonly mode: EvaluationMode;
}

/** Reads and checks validation data. Throws `invalid-argument` where private ones lack a `report`, or users their ids. */
export async function readValidation(
  { account, binding, options }: TrainingParts,
  data: ValidationData | undefined,
): Promise<Validation | undefined> {
  if (data === undefined) return undefined;
  const isPublic = data.outsideGuarantee === true;
  const { reports, plan } = account;
  if (!isPublic) validationCost(reports);
  const examples = await binding.readExamples(data.x, data.y, 'validationData.x', 'validationData.y');
  if (isPublic) return { examples, mode: { kind: 'public' } };
  const mode = { kind: 'noisy', statistics: reports.validation! } as const;
  if (plan.unit.kind === 'record') {
    if (data.userIds === undefined) return { examples, mode };
    throw new SottoError(
      'invalid-argument',
      'validationData.userIds is given to a plan that hides records; build the plan with unit user',
    );
  }
  if (data.userIds === undefined)
    throw new SottoError(
      'invalid-argument',
      'validationData.userIds is missing; the plan hides users, so it must be told whose each example is',
    );
  const random = options.random ?? systemRandom;
  return { examples: boundPerUser(examples, data.userIds, plan.unit.contributionBound, random), mode };
}

/**
 * Of each user a random subset of at most `bound` examples, so that a user moves a sum over them by at most `bound` contributions. Which subset it is depends on nobody else.
 *
 * @throws SottoError `invalid-argument` where there is not one id for each example
 */
export function boundPerUser(table: ExampleTable, userIds: UserIds, bound: number, random: RandomSource): ExampleTable {
  const index = new UserIndex(userIds, table.count, 'validationData.userIds');
  const bits = new BitSource(random);
  const { records } = index.select(
    Uint32Array.from({ length: index.users }, (_, user) => user),
    bound,
    bits,
  );
  bits.wipe();
  return {
    count: records.length,
    columns: table.columns.map((column) => {
      const { width, values } = column;
      const kept = new Float32Array(records.length * width);
      records.forEach((record, row) => kept.set(values.subarray(record * width, (record + 1) * width), row * width));
      return { ...column, values: kept };
    }),
  };
}
