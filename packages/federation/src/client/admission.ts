/**
 * What a plan and an offer must pass before this site takes part: the site's policy, the account's budget, and the memory
 * of what it has entered, reserved and accepted before.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { ClientConfig } from '../config/client-config.ts';
import { partyOf } from '../plan/plan.ts';
import { type PreparedPlan, planEntry } from '../plan/terms.ts';
import type { RoundOffer } from '../rpc/wire.ts';
import { errorFields } from '../service/log.ts';
import type { World } from '../service/world.ts';
import { openAccount } from './budget.ts';
import { ClientRound, type RoundParts } from './client-round.ts';
import type { ClientStore } from './client-store.ts';
import { checkEventPolicy, checkPlanPolicy } from './site-policy.ts';
import type { ClientTask, PreparedTask } from './task.ts';

/** What the admission of a plan looks at. */
export interface AdmissionParts {
  readonly config: ClientConfig;
  readonly world: World;
  readonly store: ClientStore;
  readonly task: ClientTask;
}

/**
 * Accepts a plan: checks the policy, prepares the task, opens the account, writes the plan into the ledger.
 *
 * @throws SottoError `permission-denied` by the site policy, or for another plan of a run that was accepted before;
 * `conflict` where the account is for other data or another budget
 */
export async function admitPlan({ config, world, store, task }: AdmissionParts, prepared: PreparedPlan): Promise<PreparedTask> {
  const { plan } = prepared;
  checkPlanPolicy(config.policy, prepared, config.id, config.coordinatorId);
  const known = store.ledger.ledger.state.runs.get(plan.runId)?.plan.entry;
  if (known !== undefined && known.planHash !== prepared.hash) {
    throw new SottoError(
      'permission-denied',
      `the run ${plan.runId} was accepted with the plan ${known.planHash}; the coordinator shows ${prepared.hash}`,
    );
  }
  const ready = await task.prepare({ plan, party: partyOf(plan, config.id), budget: config.budget });
  // What the task holds open must not outlive a refusal.
  try {
    checkEventPolicy(config.policy, ready.event);
    openAccount(config, plan, ready, store, world);
    if (known === undefined) store.ledger.append(planEntry(prepared, world.nowMs()));
  } catch (reason) {
    await ready.close?.();
    throw reason;
  }
  return ready;
}

/**
 * Plays an offered round, or sits it out where this identity has entered it, or reserved for it, before. Returns the
 * round where it was played to its receipt, `undefined` where it was left.
 *
 * @throws SottoError `integrity` for an offer that the coordinator did not sign, `internal` for a defect, and the signal's
 * reason: after these the client takes no further offer
 */
export async function takeOffer(parts: RoundParts, offer: RoundOffer): Promise<number | undefined> {
  const { greeting, store, world, signal } = parts;
  const { runId } = greeting.prepared.plan;
  const { round, attempt } = offer;
  const entered = store.entered(runId);
  const behind = round < entered.round || (round === entered.round && attempt <= entered.attempt);
  if (behind || store.ledger.ledger.state.reservation(runId, round) !== undefined) {
    world.log.info('client.sat-out', { round });
    store.enter(runId, { round: Math.max(round, entered.round), attempt: round >= entered.round ? attempt : entered.attempt });
    return undefined;
  }
  let playing: ClientRound | undefined;
  try {
    playing = new ClientRound(parts, offer);
    store.enter(runId, { round, attempt });
    await playing.play();
    return round;
  } catch (reason) {
    if (signal.aborted) throw reason;
    if (!(reason instanceof SottoError) || reason.code === 'integrity' || reason.code === 'internal') throw reason;
    world.log.warn('client.left-round', { round, contributed: playing?.contributed ?? false, ...errorFields(reason) });
    return undefined;
  }
}
