export { createMechanismPlan } from './plan/mechanism-plan.ts';
export type {
  EngineClipping,
  MechanismPlan,
  MechanismPlanOptions,
  MechanismRun,
  MechanismSettings,
  MechanismState,
  PlanUnit,
  PrivateStep,
  PrivateSum,
  RestoreOptions,
  RunOptions,
  SampledPlanOptions,
} from './plan/mechanism-plan.ts';
export { calibratePlanNoise } from './plan/calibrate-plan.ts';
export type { PlanTarget, PlanWithoutNoise } from './plan/calibrate-plan.ts';
export { scheduleValue } from './plan/schedule.ts';
export type { Schedule } from './plan/schedule.ts';
export type { Sampling } from './sampling/sampling.ts';
export type { UserIds } from './sampling/users.ts';
export { createIntegerMechanism } from './noise/integer-mechanisms.ts';
export type { IntegerMechanism, IntegerMechanismOptions, IntegerSum } from './noise/integer-mechanisms.ts';
export type { NoiseSource, NoiseValues, StepNoise } from './noise/step-noise.ts';
export type { Clipping } from './clip/clipping.ts';
export { createRecordTrainer } from './training/record-trainer.ts';
export type { Evaluation, RecordTrainer, RecordTrainerOptions } from './training/record-trainer.ts';
export type { LossName } from './training/losses.ts';
export { clippedGradient } from './training/clipped-gradient.ts';
export type { ClippedGradient, ClippedGradientFunction, ClippedGradientOptions } from './training/clipped-gradient.ts';
export { makePrivate } from './training/private-model.ts';
export type { Extension } from './training/planned.ts';
export type { GuaranteeBasis, PrivacySpent } from './training/guarantee.ts';
export type { PrivateModel } from './training/private-model.ts';
export type {
  FitDatasetOptions,
  FitOptions,
  ModelOptions,
  PrivacyTarget,
  PrivateModelOptions,
  PublicEvaluation,
  ReportOptions,
  StepReport,
  StepsOptions,
  TrainableModel,
  TrainingOptions,
  ValidationData,
} from './training/options.ts';
export { earlyStopping } from './training/callbacks.ts';
export type { EarlyStopping, EarlyStoppingOptions, History, Logs, Stoppable, TrainingCallbacks } from './training/callbacks.ts';
export type { EvaluationSums } from './training/evaluation-logs.ts';
export type { Dataset, DatasetBatch } from './training/dataset.ts';
export type { Rows, Tensors } from './training/inputs.ts';
export type { LossWeights, Losses } from './training/objective.ts';
export type { JointLoss, Loss, LossFunction, ShapedLoss } from './training/losses.ts';
export type { Metric, MetricName, Metrics } from './training/metrics.ts';
export type { NoisyCount, NoisySum } from './training/released-statistics.ts';
export type {
  EvaluationMode,
  Figures,
  SessionInfo,
  SessionOpener,
  SessionSpec,
  SessionState,
  TrainingSession,
} from './training/session.ts';
export type { AverageOptions } from './optimiser/average.ts';
export type { OptimiserOptions, OptimiserState } from './optimiser/optimiser.ts';
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
export {
  calibrate,
  calibrateClipNorm,
  calibrateCohort,
  calibrateNoiseMultiplier,
  calibrateSampleRate,
  calibrateSteps,
  dpSgdEvent,
} from './accounting/calibrate.ts';
export type { Calibration, CalibrationParameter, CalibrationTarget } from './accounting/calibrate.ts';
export { accountFilter } from './accounting/budget/account.ts';
export type { AccountBudget } from './accounting/budget/account.ts';
export { PrivacyFilter } from './accounting/budget/filter.ts';
export type { PrivacyFilterOptions, Reservation, ReservationStatus, ReserveOutcome } from './accounting/budget/filter.ts';
export { PrivacyOdometer } from './accounting/budget/odometer.ts';
export type { PrivacyOdometerOptions } from './accounting/budget/odometer.ts';
export { planBudget } from './accounting/budget/plan.ts';
export type { PlannedBudget } from './accounting/budget/plan.ts';
export type { BudgetKind, Cost } from './accounting/budget/rule.ts';
export { bayesOf, deltaCurve, epsilonCurve, gdpMuOf, tradeOffCurve } from './accounting/curves.ts';
export type { BayesReading, CurvePoint, GdpReading, TradeOffPoint } from './accounting/curves.ts';
export { pldAccountant, pldAccountantOf } from './accounting/pld/accountant.ts';
export { prvAccountant, prvAccountantOf } from './accounting/pld/prv.ts';
export type { PrvErrors } from './accounting/pld/prv.ts';
export type { Precision as PldPrecision } from './accounting/pld/engine.ts';
