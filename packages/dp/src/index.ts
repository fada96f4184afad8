export { createMechanismPlan } from './plan/mechanism-plan.ts';
export type { MechanismPlan, MechanismPlanOptions, PrivateStep, PrivateSum } from './plan/mechanism-plan.ts';
export type { Clipping } from './clip/clipping.ts';
export { createRecordTrainer } from './training/record-trainer.ts';
export type { Evaluation, RecordTrainer, RecordTrainerOptions } from './training/record-trainer.ts';
export type { LossName } from './training/losses.ts';
