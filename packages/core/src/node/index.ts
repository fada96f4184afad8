/**
 * What needs Node: the choice of an engine, and what this machine can run.
 *
 * @module
 */
export { chooseEngine } from './choose-engine.ts';
export type { ChooseOptions, ChosenEngine, EngineCandidate } from './choose-engine.ts';
export { measureEngine } from './measure.ts';
export type { EngineSpeed } from './measure.ts';
export { engineNames, openEngine } from './open-engine.ts';
export type { EngineName, OpenedEngine } from './open-engine.ts';
export { probeEngine } from './probe.ts';
export type { EngineProbe, ProbeOptions } from './probe.ts';
export { checkWeightFiles, loadModelFile, readModelFile, saveModelFile } from './model-files.ts';
export type { ModelFile, WeightFilesReport } from './model-files.ts';
