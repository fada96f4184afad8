/**
 * The TensorFlow.js engine.
 *
 * @module
 */
export { tfjsEngine } from './engine.ts';
