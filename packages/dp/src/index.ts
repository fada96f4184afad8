export { createMechanismPlan } from './plan/mechanism-plan.ts';
export type { MechanismPlan, MechanismPlanOptions, PrivateStep, PrivateSum } from './plan/mechanism-plan.ts';
export type { Clipping } from './clip/clipping.ts';
export { createRecordTrainer } from './training/record-trainer.ts';
export type { Evaluation, RecordTrainer, RecordTrainerOptions } from './training/record-trainer.ts';
export type { LossName } from './training/losses.ts';
export { deltaOf, epsilonOf, rdpOf } from './accounting/answer.ts';
export type {
  Accountant,
  AccountantName,
  AccountantOptions,
  AccountantReport,
  PrivacyAnswer,
  PrivacyRelation,
  QuestionOptions,
  Reading,
} from './accounting/accountant.ts';
export type { RdpAnswer } from './accounting/rdp/accountant.ts';
export { defaultOrders } from './accounting/rdp/orders.ts';
