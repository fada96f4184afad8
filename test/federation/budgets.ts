/** Calibrated budgets, each worked out once: what a plan's constants give never changes. */
import { planBudget } from '../../packages/dp/src/index.ts';

type Options = Parameters<typeof planBudget>[0];
type Planned = ReturnType<typeof planBudget>;

const known: Map<string, Planned> = new Map();

export function plannedBudget(options: Options): Planned {
  const key = JSON.stringify(options);
  let planned = known.get(key);
  if (planned === undefined) known.set(key, (planned = planBudget(options)));
  return planned;
}
