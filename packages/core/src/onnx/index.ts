/**
 * The ONNX Runtime engine.
 *
 * @module
 */
export { onnxEngine } from './session.ts';
export type { OnnxEngineOptions } from './session.ts';
