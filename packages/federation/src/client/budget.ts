/**
 * The account of a client: opened once in its ledger, charged by reservations, guarded by a filter that has seen all of
 * them.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { accountFilter, PrivacyFilter } from '@sotto/dp';
import { type AccountState, NANO, accountSpending, datasetCommitment, spentEvents } from '@sotto/governance';
import { accountant } from '../accounting.ts';
import type { ClientConfig } from '../config/client-config.ts';
import type { FederationPlan } from '../plan/plan.ts';
import type { World } from '../service/world.ts';
import type { ClientStore } from './client-store.ts';
import type { PreparedTask } from './task.ts';

/** The budget as the ledger can say it: ε in whole nano-units. */
export function exactBudget(budget: ClientConfig['budget']): ClientConfig['budget'] {
  return { epsilon: Math.round(budget.epsilon * NANO) / NANO, delta: budget.delta };
}

/** Opens the account of this party's data set, or checks that it is the one of the configuration; throws `conflict`. */
export function openAccount(
  config: ClientConfig,
  plan: FederationPlan,
  task: PreparedTask,
  store: ClientStore,
  world: World,
): void {
  const epsilonNano = Math.round(config.budget.epsilon * NANO);
  const commitment = datasetCommitment(world.crypto, store.salt(world.random), task.contentHash);
  const opened = store.ledger.ledger.state.accounts.get(config.id)?.opened.entry;
  if (opened !== undefined) {
    if (opened.budget.epsilonNano !== epsilonNano || opened.budget.delta !== config.budget.delta) {
      throw new SottoError(
        'conflict',
        `the ledger in ${config.directory} has the budget ε = ${opened.budget.epsilonNano / NANO}, δ = ${opened.budget.delta} for good; the configuration says ε = ${config.budget.epsilon}, δ = ${config.budget.delta}`,
      );
    }
    if (opened.dataset.commitment !== commitment) {
      throw new SottoError(
        'conflict',
        `the data are not those of the account in ${config.directory}; use a new directory for another data set`,
      );
    }
    const { unit, adjacency } = plan.training;
    if (opened.unit !== unit || opened.adjacency !== adjacency) {
      throw new SottoError(
        'conflict',
        `the account in ${config.directory} promises its budget for ${opened.adjacency} of a ${opened.unit}; the plan ${plan.runId} counts ${adjacency} of a ${unit}, which does not add up. Use a new directory with a budget of its own`,
      );
    }
    return;
  }
  const { dataset, steward, purpose, legalBasis } = config.account;
  store.ledger.append({
    kind: 'account',
    version: 1,
    timeMs: world.nowMs(),
    account: config.id,
    dataset: { name: dataset, commitment },
    steward,
    purpose,
    legalBasis,
    unit: plan.training.unit,
    adjacency: plan.training.adjacency,
    contributionBound: { recordsPerUnit: 1, roundsPerRun: plan.rounds },
    budget: { epsilonNano, delta: config.budget.delta },
  });
}

/**
 * The filter under which every run of the account counts. Rules must not be chosen after results were seen, and an earlier run's model is a result: so it is the account's own, of
 * the task's budget and whatever order the task would like.
 */
function filterOfAccount(config: ClientConfig, { event, filter }: PreparedTask, account: AccountState): PrivacyFilter {
  const { epsilon, delta, adjacency } = filter;
  const first = account.reservations[0]?.reserve.entry.event ?? event;
  const { orders } = accountFilter({ ...exactBudget(config.budget), adjacency, first });
  return PrivacyFilter.open({ kind: 'rdp', epsilon, delta, adjacency, orders });
}

/** The account's filter, charged with everything that the account has spent; throws where the task's is for another budget. */
export function chargedFilter(
  config: ClientConfig,
  plan: FederationPlan,
  task: PreparedTask,
  account: AccountState,
): PrivacyFilter {
  const { filter } = task;
  const budget = exactBudget(config.budget);
  if (
    filter.epsilon > budget.epsilon ||
    filter.delta > budget.delta ||
    filter.adjacency !== plan.training.adjacency ||
    filter.reservations.length > 0 ||
    filter.kind !== 'rdp' ||
    (filter.toJson() as { readonly slackShare: number }).slackShare !== 0
  ) {
    throw new SottoError(
      'invalid-argument',
      `the task's filter is not a fresh one of kind rdp, with no share of δ set aside, for ε = ${budget.epsilon}, δ = ${budget.delta}, ${plan.training.adjacency}`,
    );
  }
  let charged = filterOfAccount(config, task, account);
  spentEvents(account).forEach((event, i) => {
    const outcome = charged.reserve(String(i), event);
    if (!outcome.granted)
      throw new SottoError('budget-exhausted', `what the account has spent does not fit its budget: ${outcome.reason}`);
    charged = outcome.filter;
  });
  return charged;
}

/** Whether one more round fits; the reason where it does not. */
export function refusal(
  config: ClientConfig,
  plan: FederationPlan,
  task: PreparedTask,
  account: AccountState,
): string | undefined {
  try {
    const outcome = chargedFilter(config, plan, task, account).reserve('next', task.event);
    return outcome.granted ? undefined : outcome.reason;
  } catch (reason) {
    if (reason instanceof SottoError && reason.code === 'budget-exhausted') return reason.message;
    throw reason;
  }
}

/** ε that the account has spent at its own δ. */
export function spentEpsilon(account: AccountState): number {
  return accountSpending(account, accountant).epsilon;
}
