/**
 * Checks of a client taken out, one at a time: the text of a source file is changed as it is loaded. Each must make the
 * named attack succeed: something leaves that must not, or is not on disk when it must be.
 */

export interface Edit {
  /** Path under packages/federation/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** Name of the attack that must succeed. */
  readonly attack: string;
  readonly edits: readonly Edit[];
}

const one = (name: string, attack: string, file: string, find: string, replace: string): Mutant => ({
  name,
  attack,
  edits: [{ file, find, replace }],
});

const POLICY = 'client/site-policy.ts';
const ROUND = 'client/client-round.ts';
const ADMISSION = 'client/admission.ts';
const BUDGET = 'client/budget.ts';
const STORE = 'client/client-store.ts';
const LEDGER = 'store/ledger-store.ts';

const floors: readonly Mutant[] = [
  one('peers of the roster', 'a stranger in the roster of a site that names its peers', POLICY, '    peers: policy.peers,\n', ''),
  one('minCollusion', 'a collusion bound below the floor', POLICY, 'minCollusion: policy.minCollusion', 'minCollusion: 0'),
  one('minHonest', 'a sum with fewer honest inputs than the floor', POLICY, 'minHonest: policy.minHonest', 'minHonest: 2'),
  one('minCohort', 'a cohort below the floor', POLICY, 'minCohort: policy.minCohort', 'minCohort: 3'),
  one('the mode', 'a round without certified survivors', POLICY, "['malicious']", "['malicious', 'semi-honest']"),
  one(
    'revoked members',
    'a member whom this site has revoked',
    ROUND,
    'revokedSerials: config.policy.revoked.map(fromHex)',
    'revokedSerials: []',
  ),
  one(
    'the policy of the round',
    'a collusion bound below the floor',
    ROUND,
    'secaggPolicy(config.policy)',
    '{ ...secaggPolicy(config.policy), minCollusion: 0 }',
  ),
];

const planChecks: readonly Mutant[] = [
  one(
    'plans',
    'a plan whose hash the site has not named',
    POLICY,
    'policy.plans !== undefined && !policy.plans.includes(hash)',
    'false',
  ),
  one('maxRounds', 'a plan of too many rounds', POLICY, 'plan.rounds > policy.maxRounds', 'false'),
  one(
    'maxHoldoutFraction',
    'a plan that holds most records out of the guarantee',
    POLICY,
    'fraction > policy.maxHoldoutFraction',
    'false',
  ),
  one(
    'the coordinator’s id',
    'a plan with the coordinator among its parties',
    POLICY,
    'plan.parties.some((party) => party.id === coordinatorId)',
    'false',
  ),
  one('hMin', 'a plan that promises too few honest inputs', POLICY, 'plan.secagg.hMin < policy.minHonest', 'false'),
  one('peers of the plan', 'a plan with a stranger among its parties', POLICY, 'strangers[0] !== undefined', 'false'),
  one(
    'suites',
    'a plan with another key agreement than the site demands',
    POLICY,
    'policy.suites?.includes(suite) === false',
    'false',
  ),
  one(
    'the whole policy of the plan',
    'a plan of too many rounds',
    ADMISSION,
    '  checkPlanPolicy(config.policy, prepared, config.id, config.coordinatorId);\n',
    '',
  ),
  one(
    'another plan under one run',
    'another plan under a run that was accepted',
    ADMISSION,
    'known !== undefined && known.planHash !== prepared.hash',
    'false',
  ),
];

const eventChecks: readonly Mutant[] = [
  one(
    'minNoiseMultiplier',
    'a release with less noise than the floor',
    POLICY,
    'event.noiseMultiplier < policy.minNoiseMultiplier',
    'false',
  ),
  one(
    'noise inside a composition',
    'too little noise inside a composition',
    POLICY,
    'for (const part of event.events) checkEventPolicy(policy, part);',
    '',
  ),
  one(
    'noise inside a repetition',
    'too little noise inside a repetition',
    POLICY,
    "case 'selfComposed':\n      return checkEventPolicy(policy, event.event);",
    "case 'selfComposed':\n      return;",
  ),
  one(
    'noise under sampling',
    'a release with less noise than the floor',
    POLICY,
    'policy.minSampleRate is ${policy.minSampleRate}`);\n      return checkEventPolicy(policy, event.event);',
    'policy.minSampleRate is ${policy.minSampleRate}`);\n      return;',
  ),
  one('noise that cannot be seen', 'an event in which no noise is seen', POLICY, 'policy.minNoiseMultiplier > 0', 'false'),
  one('minSampleRate', 'a sampling rate below the floor', POLICY, 'event.sampleRate < policy.minSampleRate', 'false'),
  one(
    'the whole policy of the event',
    'a release with less noise than the floor',
    ADMISSION,
    '    checkEventPolicy(config.policy, ready.event);\n',
    '',
  ),
];

const budgetChecks: readonly Mutant[] = [
  one(
    'ε of the account',
    'a bigger budget for an account that is open',
    BUDGET,
    'opened.budget.epsilonNano !== epsilonNano || ',
    '',
  ),
  one(
    'δ of the account',
    'a bigger δ for an account that is open',
    BUDGET,
    ' || opened.budget.delta !== config.budget.delta',
    '',
  ),
  one(
    'the data of the account',
    'other data under an account that is open',
    BUDGET,
    'opened.dataset.commitment !== commitment',
    'false',
  ),
  one('ε of the filter', 'a filter for a bigger ε than the owner’s', BUDGET, '    filter.epsilon > budget.epsilon ||\n', ''),
  one('δ of the filter', 'a filter for a bigger δ than the owner’s', BUDGET, '    filter.delta > budget.delta ||\n', ''),
  one('what was spent', 'a second round that the budget does not cover', BUDGET, 'spentEvents(account).forEach(', '[].forEach('),
  one('the budget of the round', 'a second round that the budget does not cover', ROUND, 'over !== undefined', 'false'),
];

const offerChecks: readonly Mutant[] = [
  one(
    'rounds of the plan',
    'a round that the plan does not have',
    ROUND,
    'offer.round < 1 || offer.round > prepared.plan.rounds',
    'false',
  ),
  one(
    'the signature of the offer',
    'an offer that the coordinator did not sign for this model',
    ROUND,
    '!world.crypto.ed25519Verify(coordinator.signingKey, offerStatement(contextHash(world.crypto, context)), offer.signature)',
    'false',
  ),
  one(
    'the end after a forged offer',
    'an offer that the coordinator did not sign for this model',
    ADMISSION,
    "reason.code === 'integrity' || ",
    '',
  ),
  one(
    'the reservation of the round',
    'another attempt of a round whose budget is spent',
    ADMISSION,
    ' || store.ledger.ledger.state.reservation(runId, round) !== undefined',
    '',
  ),
  one(
    'attempts that were entered',
    'an attempt that was entered before, by a process that died',
    ADMISSION,
    '(round === entered.round && attempt <= entered.attempt)',
    'false',
  ),
  one(
    'rounds that were passed',
    'a round before the one that was entered last',
    ADMISSION,
    'round < entered.round ||',
    'false ||',
  ),
  one(
    'the attempt on disk',
    'an attempt that was entered before, by a process that died',
    ADMISSION,
    '    store.enter(runId, { round, attempt });\n    await',
    '    await',
  ),
];

const durability: readonly Mutant[] = [
  one(
    'a refused record of the input',
    'an input that another process of this client has sent',
    ROUND,
    'if (!created) {',
    'if (false) {',
  ),
  one(
    'a refused record of the answer',
    'shares that another process of this client has opened',
    ROUND,
    'if (!created) {',
    'if (false) {',
  ),
  one(
    'the word of the store about the input',
    'an input that another process of this client has sent',
    STORE,
    '!== undefined) return false;\n    this.ledger.append(entry, ()',
    '!== undefined) return true;\n    this.ledger.append(entry, ()',
  ),
  one(
    'the word of the store about the answer',
    'shares that another process of this client has opened',
    STORE,
    "'INSERT INTO record (name) VALUES (?) ON CONFLICT DO NOTHING'",
    "'INSERT INTO record (name) VALUES (?) ON CONFLICT DO UPDATE SET name = excluded.name'",
  ),
  ...(['input', 'answer'] as const).map((what) =>
    one(
      `a record of the ${what} that failed`,
      `a record of the ${what} that cannot be written`,
      ROUND,
      'step = this.#makeDurable(step);',
      'try { step = this.#makeDurable(step); } catch {}',
    ),
  ),
  one(
    'records before messages',
    'a machine that loses power as a message leaves',
    ROUND,
    'step = this.#makeDurable(step);',
    'const late = step; setImmediate(() => { try { this.#makeDurable(late); } catch {} });',
  ),
  one(
    'the record of the input',
    'a machine that loses power as a message leaves',
    STORE,
    "() => this.#database.run('INSERT INTO record (name) VALUES (?)', name)",
    '() => undefined',
  ),
  one(
    'the record of the answer',
    'a machine that loses power as a message leaves',
    ROUND,
    "if (effect.record === 'answered') created = store.record(effect.key);",
    "if (effect.record === 'answered') created = true;",
  ),
  one(
    'entries of the ledger on disk',
    'a machine that loses power as a message leaves',
    LEDGER,
    "this.#database.run('INSERT INTO ledger (position, leaf) VALUES (?, ?)', prepared.index, prepared.leaf);",
    "setImmediate(() => { try { this.#database.run('INSERT INTO ledger (position, leaf) VALUES (?, ?)', prepared.index, prepared.leaf); } catch {} });",
  ),
  {
    name: 'the reservation before the data',
    attack: 'a reservation that cannot be written',
    edits: [
      {
        file: ROUND,
        find: 'this.#reservation = store.ledger.append({',
        replace: 'this.#reservation = ((entry) => { try { return store.ledger.append(entry); } catch { return 3; } })({',
      },
      {
        file: ROUND,
        find: 'this.#evidence = reservationEvidence(world.crypto, store.ledger.ledger, this.#reservation, this.#parts.party.ledgerSeed);',
        replace: '',
      },
    ],
  },
];

const SESSION = 'client/coordinator-session.ts';

const session: readonly Mutant[] = [
  one(
    'the signature of the plan',
    'a plan that the coordinator did not sign',
    SESSION,
    '!world.crypto.ed25519Verify(coordinator.signingKey, planStatement(prepared.hash), answer.planSignature)',
    'false',
  ),
  {
    name: 'the coordinator’s identity in TLS, in its certificate and in its log',
    attack: 'a coordinator with another id than the one that was meant',
    edits: [
      {
        file: SESSION,
        find: "peer.role !== 'coordinator' || peer.id !== config.coordinatorId || peer.trustDomain !== party.trust.trustDomain",
        replace: 'false',
      },
      { file: SESSION, find: '      id: config.coordinatorId,\n', replace: "      id: 'coordinator',\n" },
      {
        file: SESSION,
        find: 'origin: logOrigin(party.trust.trustDomain, config.coordinatorId)',
        replace: "origin: logOrigin(party.trust.trustDomain, 'coordinator')",
      },
      { file: SESSION, find: '      party: config.coordinatorId,\n', replace: "      party: 'coordinator',\n" },
    ],
  },
  {
    name: 'a revoked coordinator, in TLS and in its certificate',
    attack: 'a coordinator that this site has revoked',
    edits: [
      {
        file: SESSION,
        find: '        checkNotRevoked(config.policy.revoked, serialNumber, `the coordinator ${peer.id}`);\n',
        replace: '',
      },
      {
        file: SESSION,
        find: '      revokedSerials: config.policy.revoked.map(fromHex),\n',
        replace: '',
      },
    ],
  },
];

const results: readonly Mutant[] = (
  [
    ['correct ≤ total', '      metrics.correct <= metrics.total &&\n'],
    ['whole counts of the right ones', '      Number.isSafeInteger(metrics.correct) &&\n'],
    ['whole counts of all', ' &&\n      Number.isSafeInteger(metrics.total)'],
  ] as const
).map(([name, find]) => one(name, 'metrics that are no counts', ROUND, find, ''));

const secrets: readonly Mutant[] = [
  one(
    'wiping at the end',
    'memory after a training that failed',
    ROUND,
    "wipe(...step.consumed, ...stepClient(this.#setup, step.state, { type: 'cancel', reason: 'the round has ended' }).consumed);",
    '',
  ),
  one(
    'wiping the masks',
    'memory after masking was cancelled',
    ROUND,
    "wipe(...step.consumed, ...stepClient(this.#setup, step.state, { type: 'cancel', reason: 'the round has ended' }).consumed);",
    'wipe(...step.consumed);',
  ),
  one(
    'wiping on the way',
    'memory after a round that came to its receipt',
    ROUND,
    '      onStep(step);\n      wipe(...step.consumed);\n',
    '      onStep(step);\n',
  ),
  one(
    'cancellation of the masks',
    'memory after masking was cancelled',
    ROUND,
    'AbortSignal.any([signal, AbortSignal.timeout(this.#timeLeftMs())])',
    'new AbortController().signal',
  ),
  one(
    'the complaint',
    'another mask key than the one that was confirmed',
    ROUND,
    '        await this.#complain(step.outgoing);\n',
    '',
  ),
];

export const mutants: readonly Mutant[] = [
  ...floors,
  ...planChecks,
  ...eventChecks,
  ...budgetChecks,
  ...offerChecks,
  ...durability,
  ...session,
  ...results,
  ...secrets,
];
