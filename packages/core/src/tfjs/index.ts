/**
 * The TensorFlow.js engine.
 *
 * @module
 */
export { tfjsEngine } from './engine.ts';
export { GroupNormalization, MultiHeadAttention, PositionEmbedding, RmsNormalization } from './layers.ts';
export type { GroupNormalizationOptions, MultiHeadAttentionOptions, RmsNormalizationOptions } from './layers.ts';
