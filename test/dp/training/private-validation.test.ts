/** Private validation data where users are hidden: each counts with a bounded number of examples, the noise is for all of them, and both are accounted. */
import { referenceEngine } from '@sotto/core/ops';
import { epsilonOf, makePrivate } from '@sotto/dp';
import type { EvaluationMode, SessionSpec, TrainingSession } from '@sotto/dp';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { describe, expect, it } from 'vitest';
import type { ExampleTable } from '../../../packages/dp/src/training/examples.ts';
import { openSession } from '../../../packages/dp/src/training/open-session.ts';
import { boundPerUser } from '../../../packages/dp/src/training/validation-data.ts';
import { RECORDS, options, smallModel, x, y } from './support/two-moons.ts';

/** Example i is of user i mod 7, but for the first 100, which are all of user 99. */
const userIds = Array.from({ length: RECORDS }, (_, i) => (i < 100 ? 99 : i % 7));
const unit = { kind: 'user', contributionBound: 3 } as const;
const validation = { kind: 'noisy', noiseMultiplier: 30, clip: 5 } as const;
const change = { unit, sampleRate: 0.5, expectedBatchSize: 4, report: { validation } };

const table = (count: number): ExampleTable => ({
  count,
  columns: [{ name: 'x0', width: 2, values: Float32Array.from({ length: 2 * count }, (_, i) => i) }],
});

describe('the examples of a user', () => {
  it('count up to the bound, whole, and each by the same chance', () => {
    const taken = new Map<number, number>();
    for (let trial = 0; trial < 400; trial++) {
      const random = unsafeDeterministicRandom(`bound ${trial}`);
      const { count, columns } = boundPerUser(table(RECORDS), userIds, 3, random);
      const { values } = columns[0]!;
      const rows = Array.from({ length: count }, (_, row) => values[2 * row]! / 2);
      expect(new Set(rows).size).toBe(count);
      for (const user of new Set(userIds)) expect(rows.filter((row) => userIds[row] === user)).toHaveLength(3);
      rows.forEach((row, at) => expect(values[2 * at + 1]).toBe(2 * row + 1));
      for (const row of rows) taken.set(row, (taken.get(row) ?? 0) + 1);
    }
    // Of 100 examples three are taken: 12 times of 400 on average, each within five standard deviations.
    for (let row = 0; row < 100; row++) expect(Math.abs((taken.get(row) ?? 0) - 12)).toBeLessThan(5 * Math.sqrt(12));
  });

  it('are all there where a user has few, and leave others as they are', () => {
    const few = ['c', 'c', 'a', 'b', 'a'];
    const kept = boundPerUser(table(5), few, 3, unsafeDeterministicRandom('few'));
    expect(kept.count).toBe(5);
    expect(() => boundPerUser(table(4), few, 3, unsafeDeterministicRandom('few'))).toThrow(
      /validationData.userIds has 5 entries; it must have one for each of the 4 records/,
    );
  });
});

describe('report.validation with unit user', () => {
  it('releases sums with noise for a whole user, and charges them', async () => {
    const training = makePrivate(smallModel(), options(change));
    const { history } = await training.fit(x, y, { steps: 4, stepsPerEpoch: 2, userIds, validationData: { x, y, userIds } });
    expect(history['val_loss']).toHaveLength(2);
    const noiseMultiplier = 30 / Math.sqrt(3);
    expect(training.event()).toMatchObject({
      type: 'composed',
      events: [
        { type: 'selfComposed', count: 4 },
        { type: 'selfComposed', count: 2, event: { type: 'gaussian', noiseMultiplier } },
      ],
    });
    expect(training.plan.relation).toEqual({ adjacency: 'addOrRemoveOne', unit: 'user' });
    const spent = training.privacySpent(1e-5).upper;
    expect(spent).toBe(epsilonOf(training.event(), { delta: 1e-5, adjacency: 'addOrRemoveOne', unit: 'user' }).upper);
    expect(training.privacyStatement(1e-5)).toMatch(/private validation data in 2 evaluations.*at most 3 examples of each user/);
  });

  it('tells the session the bounded examples alone, and figures whose noise is for all of a user’s', async () => {
    const seen: { readonly count: number; readonly mode: EvaluationMode }[] = [];
    const { engine: _, random, ...rest } = options(change);
    const training = makePrivate(smallModel(), {
      ...rest,
      openSession: async (spec: SessionSpec) => {
        const session = await openSession(spec, { engine: referenceEngine, random: random! });
        const evaluate: TrainingSession['evaluate'] = (examples, mode) => {
          seen.push({ count: examples.count, mode });
          return session.evaluate(examples, mode);
        };
        return Object.assign(Object.create(session) as TrainingSession, {
          evaluate,
          step: (position?: number) => session.step(position),
          state: () => session.state(),
          close: () => session.close(),
        });
      },
    } as never);
    await training.fit(x, y, { steps: 1, userIds, validationData: { x, y, userIds } });
    // Eight users with three examples each.
    expect(seen).toHaveLength(1);
    expect(seen[0]!.count).toBe(24);
    const figure = { noiseMultiplier: 30, examplesPerUnit: 3 };
    expect(seen[0]!.mode).toEqual({
      kind: 'noisy',
      statistics: [
        { ...figure, name: 'loss', clip: 5 },
        { ...figure, name: 'count', clip: 1 },
        { ...figure, name: 'value0', clip: 1 },
      ],
    });
  });

  it('needs to know whose the examples are', async () => {
    const fit = (validationData: object, more: Readonly<Record<string, unknown>> = change): Promise<unknown> =>
      makePrivate(smallModel(), options(more)).fit(x, y, {
        steps: 1,
        ...('unit' in more ? { userIds } : {}),
        validationData: { x, y, ...validationData },
      });
    await expect(fit({})).rejects.toThrow(/validationData.userIds is missing; the plan hides users/);
    await expect(fit({ userIds: [1] })).rejects.toThrow(/validationData.userIds has 1 entries/);
    await expect(fit({ userIds }, { report: { validation } })).rejects.toThrow(/userIds is given to a plan that hides records/);
    // Data outside the guarantee need none.
    await fit({ outsideGuarantee: true });
  });
});
