/** What a client must not do in a round, whoever asks, and what must be on disk before anything leaves. */
import assert from 'node:assert/strict';
import type { CryptoProvider } from '../../../packages/core/src/crypto.ts';
import type { RandomSource } from '../../../packages/core/src/random.ts';
import { systemRandom } from '../../../packages/core/src/system-random.ts';
import { preparePlan } from '../../../packages/federation/src/plan/terms.ts';
import { nodeMasking } from '../../../packages/federation/src/service/masking.ts';
import { type MaskJob, answeredKey, contributedKey } from '../../../packages/secagg/src/index.ts';
import { nodeCrypto } from '../../../packages/secagg/src/node/index.ts';
import { type Defer, scratchFolder, tinyPlan } from '../scene.ts';
import type { Attack } from './attack.ts';
import { type Sent, Site, type SiteOptions } from './site.ts';

const inputsOf = (site: Site): number => site.sent.filter(({ stage }) => stage === 'MaskedInput').length;
const failing = "SELECT RAISE(ABORT, 'no space left'); END;";

/** A generator that keeps what it has handed out. */
function remembering(): { readonly random: RandomSource; readonly handed: Uint8Array[] } {
  const handed: Uint8Array[] = [];
  return {
    handed,
    random: {
      fill: (target) => {
        systemRandom.fill(target);
        handed.push(target);
      },
    },
  };
}

/** After a round that ended in this way, nothing that was drawn at random for it is left in memory. */
function forgotten(name: string, end: (site: Site, defer: Defer) => Promise<unknown>, options: SiteOptions = {}): Attack {
  return {
    name,
    run: async (defer) => {
      const { random, handed } = remembering();
      const site = new Site(defer, { ...options, service: { random, ...options.service } });
      await end(site, defer);
      assert.ok(handed.length > 3, 'nothing was drawn');
      // The salt of the account is no secret of the round: it was drawn first, and is on disk.
      const left = handed.slice(1).filter((bytes) => bytes.some((byte) => byte !== 0));
      assert.equal(left.length, 0, `${left.length} secrets of the round are still in memory`);
    },
  };
}

/** Confirms another mask key than it has to the client under attack. */
const lying: CryptoProvider = {
  ...nodeCrypto,
  aes256GcmSeal: (key, nonce, aad, plaintext) => {
    const changed = plaintext.slice();
    if (plaintext.length === 96) changed[95] = (changed[95] ?? 0) ^ 1;
    return nodeCrypto.aes256GcmSeal(key, nonce, aad, changed);
  },
};

export const roundAttacks: readonly Attack[] = [
  // The offer.
  {
    name: 'a round that the plan does not have',
    run: async (defer) => {
      const site = new Site(defer);
      await site.meet({ round: 3 });
      assert.deepEqual(site.sent, [], 'something left');
    },
  },
  {
    name: 'an offer that the coordinator did not sign for this model',
    run: async (defer) => {
      const site = new Site(defer);
      // After the first the client is gone: the second, in good order, finds nobody.
      await site.meet({ offer: { signature: new Uint8Array(64) } }, { attempt: 2 });
      assert.deepEqual(site.sent, [], 'something left');
    },
  },
  {
    name: 'another attempt of a round whose budget is spent',
    run: async (defer) => {
      const site = new Site(defer);
      await site.meet({}, { attempt: 2 });
      assert.equal(site.sent.filter(({ stage }) => stage === 'Advertise').length, 1, 'the round was entered twice');
      assert.equal(inputsOf(site), 1);
    },
  },
  {
    name: 'an attempt that was entered before, by a process that died',
    run: async (defer) => {
      const directory = scratchFolder(defer);
      const dying = new Site(defer, { directory });
      await dying.meet({
        before: (stage) => {
          assert.equal(dying.onDisk().entered, 1, `${stage} left before the attempt was on disk`);
          throw new Error('killed');
        },
      });
      const again = new Site(defer, { directory });
      await again.meet({});
      assert.deepEqual(again.sent, [], 'something left');
    },
  },
  {
    name: 'a round before the one that was entered last',
    run: async (defer) => {
      const site = new Site(defer);
      await site.meet({ round: 2 }, { round: 1 });
      assert.equal(site.sent.filter(({ stage }) => stage === 'Advertise').length, 1, 'the past was entered');
    },
  },
  // The records.
  {
    name: 'an input that another process of this client has sent',
    run: async (defer) => {
      const site = new Site(defer);
      site.store.record(contributedKey({ runId: 'tiny', round: 1 }));
      await site.meet({});
      assert.equal(site.let('ShareKeys'), true);
      assert.equal(inputsOf(site), 0, 'a second input of the round left');
    },
  },
  {
    name: 'shares that another process of this client has opened',
    run: async (defer) => {
      const site = new Site(defer);
      await site.meet({
        before: (stage, { session }) => {
          if (stage === 'Confirm' && session !== undefined) site.store.record(answeredKey(session.sid));
        },
      });
      assert.equal(site.let('Confirm'), true);
      assert.equal(site.let('Unmask'), false, 'shares were opened twice');
    },
  },
  {
    name: 'a record of the input that cannot be written',
    run: async (defer) => {
      const site = new Site(defer);
      site.tamper(`CREATE TRIGGER full BEFORE INSERT ON record BEGIN ${failing}`);
      await site.meet({});
      assert.equal(site.let('ShareKeys'), true);
      assert.equal(inputsOf(site), 0, 'an input left without its record');
    },
  },
  {
    name: 'a record of the answer that cannot be written',
    run: async (defer) => {
      const site = new Site(defer);
      await site.meet({
        before: (stage) => {
          if (stage === 'Confirm') site.tamper(`CREATE TRIGGER full BEFORE INSERT ON record BEGIN ${failing}`);
        },
      });
      assert.equal(site.let('Confirm'), true);
      assert.equal(site.let('Unmask'), false, 'shares left without their record');
    },
  },
  {
    name: 'a machine that loses power as a message leaves',
    run: async (defer) => {
      const disk = new Map<Sent | 'training', ReturnType<Site['onDisk']>>();
      const site = new Site(defer, {
        task: (usual) => ({
          ...usual,
          train: (request) => {
            disk.set('training', site.onDisk());
            return usual.train(request);
          },
        }),
      });
      await site.meet({ before: (stage) => void disk.set(stage, site.onDisk()) });
      assert.equal(disk.get('training')?.kinds.at(-1), 'reserve', 'private data were touched before they were paid for');
      assert.equal(disk.get('MaskedInput')?.kinds.at(-1), 'contribute', 'an input left before its entry was on disk');
      assert.equal(disk.get('MaskedInput')?.records, 1, 'an input left before its record was on disk');
      assert.equal(disk.get('Unmask')?.records, 2, 'shares left before their record was on disk');
    },
  },
  {
    name: 'a reservation that cannot be written',
    run: async (defer) => {
      let trained = 0;
      const site = new Site(defer, {
        task: (usual) => ({
          ...usual,
          train: (request) => {
            trained++;
            return usual.train(request);
          },
        }),
      });
      await site.meet({
        before: (stage) => {
          if (stage === 'ShareKeys') site.tamper(`CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN ${failing}`);
        },
      });
      assert.equal(trained, 0, 'private data were touched');
      assert.equal(inputsOf(site), 0, 'an input left');
    },
  },
  // What the task gives.
  {
    name: 'metrics that are no counts',
    run: async (defer) => {
      for (const metrics of [
        { correct: 6, total: 5 },
        { correct: -1, total: 5 },
        { correct: 0.5, total: 5 },
        { correct: 1, total: 2.5 },
      ]) {
        const site = new Site(defer, {
          task: (usual) => ({
            ...usual,
            train: async (request) => ({ ...(await usual.train(request)), metrics }),
          }),
        });
        await site.meet({});
        assert.equal(inputsOf(site), 0, `an input with ${JSON.stringify(metrics)} left`);
      }
    },
  },
  // Secrets.
  forgotten('memory after a round that came to its receipt', async (site) => {
    await site.meet({});
    assert.equal(site.let('Unmask'), true);
  }),
  ...(['Advertise', 'ShareKeys', 'MaskedInput', 'Confirm', 'Unmask'] as const).map((last) =>
    forgotten(`memory after a round that was cut off at ${last}`, (site) =>
      site.meet({
        before: (stage) => {
          if (stage === last) throw new Error('cut off');
        },
      }),
    ),
  ),
  forgotten('memory after a training that failed', (site) => site.meet({}), {
    task: (usual) => ({ ...usual, train: () => Promise.reject(new Error('no memory')) }),
  }),
  {
    name: 'memory after masking was cancelled',
    run: async (defer) => {
      const jobs: MaskJob[] = [];
      const real = nodeMasking();
      const site = new Site(defer, {
        service: {
          masking: {
            ...real,
            run: (job, signal) => {
              jobs.push(job);
              site.control.abort();
              return real.run(job, signal);
            },
          },
        },
      });
      await site.meet({});
      assert.equal(inputsOf(site), 0, 'an input left');
      assert.equal(jobs.length, 1);
      for (const { targets, streams } of jobs) {
        assert.ok(
          targets.every((target) => target.every((value) => value === 0)),
          'the input is still in memory',
        );
        assert.ok(
          streams.every(({ keys }) => keys.every((key) => key.every((byte) => byte === 0))),
          'mask keys are in memory',
        );
      }
    },
  },
  // The other suite.
  {
    name: 'another mask key than the one that was confirmed',
    run: async (defer) => {
      const prepared = preparePlan(nodeCrypto, tinyPlan({ suite: 'x25519-mlkem768' }));
      const site = new Site(defer, { id: 'dan', prepared });
      await site.meet({ peers: ['ann', 'bob', 'cyd'], peerCrypto: lying });
      assert.equal(inputsOf(site), 0, 'an input left');
      assert.equal(site.let('Complain'), true, 'nobody was told');
    },
  },
];
