/**
 * Where the weights, sums and optimiser of a training live between steps: on the engine's device where that is possible, else in memory, with the reason.
 *
 * A sum on a device is rounded to the grid in 32-bit integers, which needs a coarser grid than a sum in memory. Where nobody chose `gridBits`, the session of a
 * device chooses it: the finest that fits. It is no part of what a step costs, because the noise is raised by what rounding to the grid can move (the plan's slack),
 * so that trainings in memory and on devices may go on from each other's states.
 *
 * @module
 */
import { canonicalJson } from '@sotto/core/json';
import type { Json } from '@sotto/core/json';
import type { Engine } from '@sotto/core/ops';
import type { MechanismPlan, MechanismState } from '../plan/mechanism-plan.ts';
import { scheduleRange } from '../plan/schedule.ts';
import { LARGEST_SUM, MAX_GRID_BITS, notResident } from './device-trainer.ts';
import { planWith } from './plan-with.ts';
import type { SessionSpec } from './session.ts';

/** By how much, relatively, a coarser grid may raise the noise before training stays in memory instead. */
const MOST_GRID_SLACK = 0.02;
/** A clip norm of fewer grid units would be lost in rounding. */
const LEAST_RADIUS = 2 ** 8;

/** What was decided. */
export interface Residence {
  /** The plan to run: that of the account, with the grid of the device where nobody chose one. */
  readonly plan: MechanismPlan;
  /** Why weights and sums are in memory; undefined where they stay on the device. */
  readonly inMemory: string | undefined;
}

/** What the decision depends on, all of it public. */
export interface ResidenceOptions {
  readonly spec: SessionSpec;
  /** The plan of the account. */
  readonly plan: MechanismPlan;
  readonly engine: Engine;
  readonly physicalBatchSize: number;
  /** Coordinates of a gradient. */
  readonly dimension: number;
  /** Whether noise is drawn ahead by the caller, for the plan's own grid. */
  readonly hasNoise: boolean;
}

/** Decides. Nothing private is looked at. */
export function chooseResidence({ spec, plan, engine, physicalBatchSize, dimension, hasNoise }: ResidenceOptions): Residence {
  const inMemory = (why: string): Residence => ({ plan, inMemory: why });
  if (engine.openMemory === undefined) return inMemory(`the engine ${engine.name} keeps no tensors`);
  const needed = neededInMemory(spec);
  if (needed !== undefined) return inMemory(needed);
  const gridBits = residentGridBits(plan);
  const chooses = spec.mechanism.gridBits === undefined && !hasNoise && gridBits !== undefined;
  const coarse = chooses ? planWith({ ...spec.mechanism, gridBits }, spec.noiseMultiplier) : plan;
  const why = notResident(coarse, engine, physicalBatchSize);
  if (why !== undefined) return inMemory(why);
  const raised = coarse.slack(dimension) - plan.slack(dimension);
  if (raised > MOST_GRID_SLACK) {
    const percent = (100 * raised).toFixed(1);
    return inMemory(
      `a grid of ${gridBits} bits, which sums on a device need, would raise the noise by ${percent} %; set gridBits to have it so`,
    );
  }
  return { plan: coarse, inMemory: undefined };
}

/** Why a step needs its gradients or weights in memory, or undefined. */
function neededInMemory({ examples, average, statistics, optimiser }: SessionSpec): string | undefined {
  if (examples === undefined) return 'nothing is trained';
  if (statistics.length > 0) return 'report asks for figures of single examples, which are added up in memory';
  if (average !== undefined) return 'the average of the weights is kept in memory';
  if (optimiser.kind !== 'sgd' && optimiser.noiseCorrection !== undefined)
    return 'optimiser.noiseCorrection has no rule on a device';
  return undefined;
}

/** The bits of the finest grid on which the largest sum of a step fits a device, up to the plan's own; undefined where there is none. */
function residentGridBits(plan: MechanismPlan): number | undefined {
  const [least, most] = scheduleRange(plan.noiseSchedule).map((factor) => factor * plan.noiseMultiplier) as [number, number];
  const fitting = Math.floor(Math.log2((LARGEST_SUM * least) / plan.maxBatchSize));
  const gridBits = Math.min(MAX_GRID_BITS, fitting, plan.grid.gridBits);
  return 2 ** gridBits / most >= LEAST_RADIUS ? gridBits : undefined;
}

/** The same state for the same plan on another grid. A state of another plan stays one, for the run to refuse. */
export function onGrid(state: MechanismState, gridBits: number): MechanismState {
  let plan: unknown;
  try {
    plan = JSON.parse(state.plan);
  } catch {
    return state;
  }
  return { ...state, plan: canonicalJson({ ...(plan as Readonly<Record<string, Json>>), gridBits }) };
}
