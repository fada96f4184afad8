/**
 * The empirical privacy audit: attacks that bound ε from below, with confidence.
 *
 * @module
 */
export { rocCurve, tprAtFpr, areaUnderCurve, hullIndices } from './roc.ts';
export type { MembershipScores, RocCurve } from './roc.ts';
export { clopperPearsonLower, clopperPearsonUpper } from './clopper-pearson.ts';
export {
  chooseTest,
  clopperPearsonEpsilon,
  clopperPearsonGaussianEpsilon,
  clopperPearsonMu,
  clopperPearsonTradeOffRefuted,
  countDecisions,
  errorRateLimits,
} from './threshold-bounds.ts';
export type { ErrorRateLimits, TestCounts, TestObjective, ThresholdTest } from './threshold-bounds.ts';
export { oneRunEpsilon, oneRunGaussianEpsilon, oneRunPValue, oneRunTradeOffRefuted } from './one-run.ts';
export type { GuessCounts } from './one-run.ts';
export { approximateDpTradeOff, gaussianTradeOff, tradeOffOfCurve } from './trade-off.ts';
export type { TradeOff } from './trade-off.ts';
export { bootstrapQuantiles, rawEpsilonEstimate } from './bootstrap.ts';
export type { BootstrapOptions } from './bootstrap.ts';
export { collectSample, splitByMembership } from './target.ts';
export type { AuditSample, AuditTarget, SampleOptions } from './target.ts';
export { diracSumTarget } from './canaries.ts';
export type { DiracSumOptions } from './canaries.ts';
export { liraScores, logitConfidence, lossThresholdTarget, runLira } from './membership.ts';
export type { LiraOptions, ModelTrainer, ShadowObservations } from './membership.ts';
export { exposure } from './exposure.ts';
export type { Exposure } from './exposure.ts';
export { invertDenseUpdate, probeInversion } from './inversion.ts';
export type { DenseUpdate, InversionReport, InversionTarget, InvertedRecord } from './inversion.ts';
export { auditPower } from './power.ts';
export type { AuditDesign, AuditPower } from './power.ts';
export type { AuditClaim, AuditMethod, AuditTestResult, ClaimedCurve } from './decide.ts';
export { auditScores, runAudit } from './run-audit.ts';
export type { AuditOptions, AuditReport } from './run-audit.ts';
export { accountedClaim, auditMechanismPlan } from './plan-audit.ts';
export type { PlanAuditOptions } from './plan-audit.ts';
