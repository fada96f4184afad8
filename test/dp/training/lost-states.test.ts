import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { makePrivate } from '@sotto/dp';
import type { PrivateModel, SessionSpec, TrainingSession } from '@sotto/dp';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../packages/dp/src/training/open-session.ts';
import { options, smallModel, x, y } from './support/two-moons.ts';

/** A training whose session can be broken, with the places of the steps that it ran. */
function breakable(change: Readonly<Record<string, unknown>>): {
  readonly training: PrivateModel;
  readonly ran: number[];
  /** What the next answers of the session do. */
  readonly fault: { state: boolean; position: number };
} {
  const fault = { state: false, position: 0 };
  const ran: number[] = [];
  const open = async (spec: SessionSpec): Promise<TrainingSession> => {
    const inner = await openSession(spec, { engine: referenceEngine, random: unsafeDeterministicRandom('lost states') });
    return {
      info: inner.info,
      async step(position) {
        const before = (await inner.state()).mechanism!.position;
        const figures = await inner.step(position! + fault.position);
        ran.push(before);
        return figures;
      },
      evaluate: (examples, mode) => inner.evaluate(examples, mode),
      state: () => (fault.state ? Promise.reject(new Error('Array buffer allocation failed')) : inner.state()),
      close: () => inner.close(),
    };
  };
  const { engine: _, random: __, ...rest } = options(change);
  return { training: makePrivate(smallModel(), { ...rest, openSession: open } as never), ran, fault };
}

const scheduled = { noiseSchedule: { kind: 'piecewise', boundaries: [4], values: [1, 20] } };

describe('a state that does not arrive', () => {
  it('leaves the costs where the weights are', async () => {
    const { training, ran, fault } = breakable(scheduled);
    await training.fit(x, y, { steps: 1 });
    const failing = async (): Promise<void> => {
      for await (const { step } of training.steps(x, y, { steps: 3 })) fault.state = step === 4;
    };
    await expect(failing()).rejects.toThrow('allocation failed');
    expect(ran).toEqual([0, 1, 2, 3]);
    fault.state = false;
    const before = ran.length;
    await training.fit(x, y, { steps: 3 });
    expect(ran.slice(before)).toEqual([1, 2, 3]);
    // Every step that ran was of the first noise, and is charged as that.
    expect(training.event()).toMatchObject({ count: ran.length, event: { event: { noiseMultiplier: 1 } } });
    await training.fit(x, y, { steps: 1 });
    expect(ran.at(-1)).toBe(4);
    expect(JSON.stringify(training.event())).toMatch(/"noiseMultiplier":20/);
  });

  it('ends a training whose steps are not those that were charged, before anything is drawn', async () => {
    const { training, ran, fault } = breakable(scheduled);
    await training.fit(x, y, { steps: 2 });
    fault.position = 1;
    await expect(training.fit(x, y, { steps: 1 })).rejects.toThrow(/step 3 was charged, but step 2 would run/);
    expect(ran).toEqual([0, 1]);
    fault.position = 0;
    await training.fit(x, y, { steps: 1 });
    expect(ran).toEqual([0, 1, 2]);
    expect(training.event()).toMatchObject({ count: 4 });
  });
});
