/** Trains in the training thread of a process of its own, and ends in the way that its argument names; see `process-life.test.ts`. */
import { setTimeout } from 'node:timers/promises';
import { makePrivate } from '@sotto/dp/node';
import { env } from '@tensorflow/tfjs-core';

// Before any tensor is made, so that nothing but what this program says is written.
env().set('PROD', true);
const { options, smallModel, x, y } = await import('../training/support/two-moons.ts');
const { engine: _engine, random: _random, physicalBatchSize: _size, ...plain } = options();
const training = makePrivate(smallModel(), { ...plain, lanes: 2 } as Parameters<typeof makePrivate>[1]);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const ways: Readonly<Record<string, () => Promise<void>>> = {
  /** Nothing is left to do after a training. */
  async trained() {
    await training.fit(x, y, { steps: 2 });
    say('trained');
  },
  /** A loop is left with its session open: who waits for nothing keeps no process alive. */
  async idle() {
    await training.steps(x, y, { steps: 5 }).next();
    say('idle');
  },
  /** The program ends in the middle of a step. */
  async exit() {
    void training.fit(x, y, { steps: 1e6 });
    await setTimeout(1500);
    say('leaving');
    process.exit(3);
  },
  /** The program fails in the middle of a training. */
  async throw() {
    await training.fit(x, y, {
      steps: 1e6,
      callbacks: {
        onBatchEnd: (batch) => {
          if (batch === 1) throw new Error('of the program');
        },
      },
    });
  },
  /** Someone else ends it. */
  async wait() {
    await training.fit(x, y, { steps: 1e6, callbacks: { onBatchEnd: (batch) => void (batch === 2 && say('ready')) } });
  },
};
await ways[process.argv[2]!]!();
