/** What the hospital's own policy forbids, asked for by a coordinator whose signatures are all in order. */
import assert from 'node:assert/strict';
import type { DpEvent } from '../../../packages/core/src/event.ts';
import { type PreparedPlan, preparePlan } from '../../../packages/federation/src/plan/terms.ts';
import { nodeCrypto } from '../../../packages/secagg/src/node/index.ts';
import { plannedBudget } from '../budgets.ts';
import { type Defer, scratchFolder, tinyPlan } from '../scene.ts';
import type { Attack } from './attack.ts';
import { type Scheme, Site, type SiteOptions, semiHonest, serialOf } from './site.ts';

/** No input may leave; where `shares` is false, no shares either. */
function withheld(name: string, options: SiteOptions, scheme: Scheme = {}, shares = false): Attack {
  return {
    name,
    run: async (defer) => {
      const site = new Site(defer, options);
      const end = await site.meet(scheme);
      assert.equal(site.let('MaskedInput'), false, 'an input left');
      if (!shares) assert.equal(site.let('ShareKeys'), false, 'shares left');
      assert.ok(end !== undefined || site.events.some(({ event }) => event === 'client.left-round'), 'nothing was refused');
    },
  };
}

/** The plan is refused: nothing at all may leave, and no account may be opened for it. */
function turnedDown(name: string, options: SiteOptions): Attack {
  return {
    name,
    run: async (defer) => {
      const site = new Site(defer, options);
      await site.meet({});
      assert.deepEqual(site.sent, [], 'something left');
      assert.deepEqual(site.onDisk().kinds, ['enrol'], 'an account was opened');
    },
  };
}

const withEvent = (event: DpEvent): SiteOptions => ({ task: (usual) => ({ ...usual, event }) });
const gaussian = (noiseMultiplier: number): DpEvent => ({ type: 'gaussian', noiseMultiplier });
const sampled = (sampleRate: number, event: DpEvent): DpEvent => ({ type: 'poissonSampled', sampleRate, event });

/** Plays with a budget, then comes again with other terms for the same account. */
function reopened(name: string, before: SiteOptions, after: SiteOptions): Attack {
  return {
    name,
    run: async (defer: Defer) => {
      const directory = scratchFolder(defer);
      const first = new Site(defer, { directory, ...before });
      await first.meet({});
      assert.equal(first.let('MaskedInput'), true, 'the first round was not played');
      const second = new Site(defer, { directory, ...after });
      await second.meet({ round: 2 });
      assert.deepEqual(second.sent, [], 'something left');
    },
  };
}

/** Each round costs what the owner gave for the whole run; the filter that comes with it may allow more. */
function overspent(name: string, allowed: object = {}): Attack {
  const task: SiteOptions['task'] = (usual) => {
    const { filter, roundEvent } = plannedBudget({ epsilon: 1, delta: 0.001, sampleRate: 0.5, rounds: 1 });
    const other = plannedBudget({ epsilon: 1, delta: 0.001, sampleRate: 0.5, rounds: 1, ...allowed });
    return { ...usual, event: roundEvent, filter: Object.keys(allowed).length === 0 ? filter : other.filter };
  };
  return {
    name,
    run: async (defer) => {
      const site = new Site(defer, { task });
      await site.meet({}, { round: 2 });
      const inputs = site.sent.filter(({ stage }) => stage === 'MaskedInput').length;
      assert.ok(inputs <= 1, 'an input left that nobody paid for');
    },
  };
}

const prepared = (change: Parameters<typeof tinyPlan>[0]): PreparedPlan => preparePlan(nodeCrypto, tinyPlan(change));

export const policyAttacks: readonly Attack[] = [
  // Of the round: the roster and its parameters.
  withheld(
    'a stranger in the roster of a site that names its peers',
    {
      // The plan's own parties are checked apart from the roster.
      prepared: prepared({ ids: ['ann', 'bob', 'cyd', 'dan'] }),
      policy: { peers: ['ann', 'bob', 'cyd', 'dan'] },
    },
    { peers: ['bob', 'cyd', 'zoe'] },
  ),
  withheld('a collusion bound below the floor', { policy: { minCollusion: 2 } }),
  withheld('a sum with fewer honest inputs than the floor', { roundPolicy: { minHonest: 3 } }),
  withheld('a cohort below the floor', { policy: { minCohort: 4 } }, { peers: ['bob', 'cyd'] }),
  withheld('a member whom this site has revoked', { policy: { revoked: [serialOf('dan')] } }),
  {
    name: 'a round without certified survivors',
    run: async (defer) => {
      const site = new Site(defer, { prepared: semiHonest(tinyPlan()) });
      await site.meet({});
      assert.deepEqual(site.sent, [], 'something left for a semi-honest round');
    },
  },
  // Of the plan.
  turnedDown('a plan whose hash the site has not named', { policy: { plans: ['ab'.repeat(32)] } }),
  turnedDown('a plan of too many rounds', { policy: { maxRounds: 1 } }),
  turnedDown('a plan that holds most records out of the guarantee', { prepared: prepared({ holdoutFraction: 0.9 }) }),
  turnedDown('a plan with the coordinator among its parties', {
    id: 'bob',
    prepared: prepared({ ids: ['bob', 'coordinator', 'dan', 'eve'] }),
  }),
  turnedDown('a plan that promises too few honest inputs', { policy: { minHonest: 3 } }),
  turnedDown('a plan with a stranger among its parties', { policy: { peers: ['ann', 'bob', 'cyd'] } }),
  turnedDown('a plan with another key agreement than the site demands', { policy: { suites: ['x25519-mlkem768'] } }),
  turnedDown('a plan that this site is no party of', { id: 'zoe' }),
  // Of the task's event, under the plan.
  turnedDown('a release with less noise than the floor', withEvent(sampled(0.5, gaussian(0.19)))),
  turnedDown('too little noise inside a composition', withEvent({ type: 'composed', events: [gaussian(9), gaussian(0.1)] })),
  turnedDown('too little noise inside a repetition', withEvent({ type: 'selfComposed', count: 2, event: gaussian(0.1) })),
  turnedDown('an event in which no noise is seen', withEvent({ type: 'laplace', noiseMultiplier: 9 })),
  turnedDown('a sampling rate below the floor', {
    ...withEvent(sampled(0.05, gaussian(9))),
    policy: { minSampleRate: 0.1 },
  }),
  // Of the budget.
  reopened('a bigger budget for an account that is open', {}, { budget: { epsilon: 2, delta: 0.001 } }),
  reopened('a bigger δ for an account that is open', {}, { budget: { epsilon: 1, delta: 0.002 } }),
  reopened(
    'other data under an account that is open',
    {},
    {
      task: (usual) => ({ ...usual, contentHash: new Uint8Array(32).fill(7) }),
    },
  ),
  reopened('another plan under a run that was accepted', {}, { prepared: prepared({ holdoutFraction: 0.2 }) }),
  overspent('a filter for a bigger ε than the owner’s', { epsilon: 4 }),
  overspent('a filter for a bigger δ than the owner’s', { delta: 0.1 }),
  overspent('a second round that the budget does not cover'),
];
