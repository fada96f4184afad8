/** Layers for random models: steps from one state of a value to another. */
import { GroupNormalization, MultiHeadAttention, PositionEmbedding, RmsNormalization } from '@sotto/core/tfjs';
import * as tf from '@tensorflow/tfjs-layers';

const { layers } = tf;
/** A value of a model under construction. */
export type Value = tf.SymbolicTensor;

/** Images of 4×4 in two channels, sequences of 4 steps in 4 channels, vectors of 4: each state a value can be in. */
export type State = 'image' | 'sequence' | 'vector';
/** Shapes of the states. */
export const SHAPES: Readonly<Record<State, number[]>> = { image: [4, 4, 2], sequence: [4, 4], vector: [4] };

/** A step from a state to one: one layer, or a few that fit together. */
export interface Step {
  readonly from: State;
  readonly to: State;
  /** `mask` adds an input `[4]` of ones and zeros to the model. */
  readonly apply: (x: Value, mask: () => Value) => Value;
}

const chain =
  (...parts: readonly (() => tf.layers.Layer)[]) =>
  (x: Value): Value =>
    parts.reduce((value, part) => part().apply(value) as Value, x);

const same = (state: State, ...parts: readonly (() => tf.layers.Layer)[]): Step => ({
  from: state,
  to: state,
  apply: chain(...parts),
});
/** From 10×10 to 4×4 by windows of 3 at a stride of 2. */
const pooled = (part: () => tf.layers.Layer): Step[] => [same('image', () => layers.zeroPadding2d({ padding: 3 }), part)];
/** All states. */
export const states: readonly State[] = ['image', 'sequence', 'vector'];
/** Layers that keep any shape. */
const anywhere = (part: () => tf.layers.Layer): Step[] => states.map((state) => same(state, part));

const activations = [
  'linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'gelu_new', 'softmax',
  'logSoftmax',
] as const; // prettier-ignore

/** Every layer and option that random models are made of. */
export const steps: readonly Step[] = [
  ...activations.flatMap((name) => anywhere(() => layers.activation({ activation: name as 'relu' }))),
  ...anywhere(() => layers.reLU({ maxValue: 0.7 })),
  ...anywhere(() => layers.leakyReLU({ alpha: 0.2 })),
  ...anywhere(() => layers.elu()),
  ...anywhere(() => layers.thresholdedReLU({ theta: 0.1 })),
  ...anywhere(() => layers.prelu()),
  ...anywhere(() => layers.layerNormalization()),
  ...anywhere(() => new RmsNormalization({ epsilon: 0.1 })),
  ...anywhere(() => layers.layerNormalization({ center: false, epsilon: 0.01 })),
  ...anywhere(() => layers.layerNormalization({ trainable: false })),
  ...anywhere(() => new GroupNormalization({ groups: 1, epsilon: 0.1 })),
  ...anywhere(() => new GroupNormalization({ groups: 2, epsilon: 0.1 })),
  ...anywhere(() => layers.dropout({ rate: 0.3 })),
  ...anywhere(() => layers.gaussianNoise({ stddev: 0.2 })),
  ...anywhere(() => layers.gaussianDropout({ rate: 0.2 })),
  ...anywhere(() => layers.alphaDropout({ rate: 0.2 })),
  ...anywhere(() => layers.batchNormalization({ trainable: false })),
  ...anywhere(() => layers.batchNormalization({ trainable: false, scale: false, epsilon: 0.1 })),
  same('image', () => layers.layerNormalization({ axis: [2, 3], epsilon: 0.1 })),
  same('image', () => layers.prelu({ sharedAxes: [1, 2] })),
  same('sequence', () => layers.spatialDropout1d({ rate: 0.3 })),
  ...states.map((state) => same(state, () => layers.dense({ units: SHAPES[state].at(-1)!, activation: 'tanh' }))),
  ...states.map((state) => same(state, () => layers.dense({ units: SHAPES[state].at(-1)!, trainable: false }))),
  // The axis that tfjs takes by default is the last one of vectors only.
  ...anywhere(() => layers.softmax({ axis: -1 })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh' })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, padding: 'same', useBias: false })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu', trainable: false })),
  ...pooled(() => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2 })),
  ...pooled(() => layers.depthwiseConv2d({ kernelSize: 3, strides: 2 })),
  ...pooled(() => layers.separableConv2d({ filters: 2, kernelSize: 3, strides: 2, useBias: false })),
  ...pooled(() => layers.maxPooling2d({ poolSize: 3, strides: 2 })),
  ...pooled(() => layers.averagePooling2d({ poolSize: 3, strides: 2 })),
  same('image', () => layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' })),
  same(
    'image',
    () => layers.depthwiseConv2d({ kernelSize: [1, 3], depthMultiplier: 2, padding: 'same', useBias: false }),
    () => layers.conv2d({ filters: 2, kernelSize: 1 }),
  ),
  same('image', () => layers.depthwiseConv2d({ kernelSize: 2, padding: 'same' })),
  same('image', () => layers.separableConv2d({ filters: 2, kernelSize: 3, padding: 'same' })),
  same('image', () => layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' })),
  same('image', () => layers.permute({ dims: [2, 1, 3] })),
  same(
    'image',
    () => layers.zeroPadding2d({ padding: 1 }),
    () => layers.conv2d({ filters: 2, kernelSize: 3 }),
  ),
  same('sequence', () => layers.conv1d({ filters: 4, kernelSize: 2, padding: 'same', activation: 'sigmoid' })),
  ...(['valid', 'same'] as const).map((padding) =>
    same(
      'sequence',
      () => layers.reshape({ targetShape: [8, 2] }),
      () =>
        layers.conv1d({
          filters: 4,
          kernelSize: 2,
          padding,
          dilationRate: padding === 'same' ? 1 : 2,
          useBias: padding !== 'valid',
        }),
      () => layers.flatten(),
      () => layers.dense({ units: 16, useBias: false }),
      () => layers.reshape({ targetShape: [4, 4] }),
    ),
  ),
  same(
    'sequence',
    () => layers.conv1d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same' }),
    () => layers.reshape({ targetShape: [4, 4] }),
  ),
  same('sequence', () => layers.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' })),
  same('sequence', () => layers.averagePooling1d({ poolSize: 3, strides: 1, padding: 'same' })),
  same('sequence', () => layers.permute({ dims: [2, 1] })),
  same('sequence', () => new PositionEmbedding({})),
  same('sequence', () => new MultiHeadAttention({ numHeads: 2, keyDim: 2, causal: true })),
  same('sequence', () => new MultiHeadAttention({ numHeads: 1, keyDim: 3, useBias: false })),
  same('sequence', () => new MultiHeadAttention({ numHeads: 2, keyDim: 1, trainable: false })),
  ...[false, true].map((causal): Step => ({
    from: 'sequence',
    to: 'sequence',
    apply: (x, mask) => new MultiHeadAttention({ numHeads: 2, keyDim: 2, causal }).apply([x, mask()]) as Value,
  })),
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.globalAveragePooling2d({}),
      () => layers.dense({ units: 4 }),
    ),
  },
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.flatten(),
      () => layers.dense({ units: 4, useBias: false }),
    ),
  },
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.globalMaxPooling2d({}),
      () => layers.dense({ units: 4 }),
    ),
  },
  { from: 'sequence', to: 'vector', apply: chain(() => layers.globalAveragePooling1d()) },
  { from: 'sequence', to: 'vector', apply: chain(() => layers.globalMaxPooling1d()) },
  { from: 'vector', to: 'sequence', apply: chain(() => layers.repeatVector({ n: 4 })) },
  {
    from: 'image',
    to: 'sequence',
    apply: chain(
      () => layers.reshape({ targetShape: [4, 8] }),
      () => layers.dense({ units: 4 }),
    ),
  },
  {
    from: 'sequence',
    to: 'image',
    apply: chain(
      () => layers.reshape({ targetShape: [4, 2, 2] }),
      () => layers.conv2d({ filters: 2, kernelSize: [1, 3], padding: 'same' }),
      () => layers.reshape({ targetShape: [2, 2, 4] }),
      () => layers.zeroPadding2d({ padding: 1 }),
      () => layers.dense({ units: 2 }),
    ),
  },
  {
    from: 'vector',
    to: 'image',
    apply: chain(
      () => layers.dense({ units: 32 }),
      () => layers.reshape({ targetShape: [4, 4, 2] }),
    ),
  },
];
