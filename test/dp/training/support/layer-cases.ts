/** One small model for each kind of layer and each of its forms. */
import { GroupNormalization, MultiHeadAttention, PositionEmbedding, RmsNormalization } from '@sotto/core/tfjs';
import * as tf from '@tensorflow/tfjs-layers';
import type { GradientCase } from './gradients.ts';

const { input, layers, model, sequential } = tf;

/** Layers after one dense layer over the last axis, so that the gradient of their input is checked as well. */
function stack(shape: number[], ...rest: tf.layers.Layer[]): tf.Sequential {
  return sequential({ layers: [layers.dense({ units: shape.at(-1)!, inputShape: shape, name: 'before' }), ...rest] });
}

const activations = [
  'linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'gelu_new', 'softmax',
  'logSoftmax',
] as const; // prettier-ignore

/** The cases that every engine computes. */
export const layerCases: readonly GradientCase[] = [
  ...activations.map((activation): GradientCase => ({
    name: `activation ${activation}`,
    model: () =>
      sequential({
        layers: [
          layers.dense({ units: 4, activation: activation as 'relu', inputShape: [3] }),
          layers.dense({ units: 2, useBias: false }),
        ],
      }),
    input: (x) => 3 * x,
  })),
  {
    name: 'dense on a sequence',
    model: () =>
      sequential({ layers: [layers.dense({ units: 3, inputShape: [4, 2], activation: 'tanh' }), layers.dense({ units: 2 })] }),
  },
  { name: 'leaky relu', model: () => stack([4], layers.leakyReLU({ alpha: 0.2 })) },
  { name: 'thresholded relu', model: () => stack([4], layers.thresholdedReLU({ theta: 0.3 })) },
  { name: 'relu layer with a maximum', model: () => stack([4], layers.reLU({ maxValue: 6 })) },
  { name: 'relu layer with another maximum', model: () => stack([4], layers.reLU({ maxValue: 0.4 })) },
  { name: 'prelu with shared slopes', model: () => stack([3, 2, 4], layers.prelu({ sharedAxes: [1, 2] })) },
  { name: 'elu layer', model: () => stack([4], layers.elu()) },
  { name: 'softmax layer', model: () => stack([4], layers.softmax()) },
  { name: 'prelu', model: () => stack([4], layers.prelu()) },
  { name: 'conv2d valid', model: () => stack([5, 4, 2], layers.conv2d({ filters: 3, kernelSize: [3, 2] })) },
  {
    name: 'conv2d same, stride 2',
    model: () => stack([6, 5, 2], layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' })),
  },
  {
    name: 'conv2d without bias, dilated',
    model: () => stack([6, 6, 2], layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, useBias: false })),
  },
  {
    name: 'conv2d same, with shifted rows',
    model: () => stack([6, 5, 3], layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' })),
  },
  {
    name: 'conv2d same, dilated, with shifted rows of an even and a long kernel',
    model: () => stack([9, 7, 4], layers.conv2d({ filters: 3, kernelSize: [4, 3], dilationRate: [2, 2], padding: 'same' })),
  },
  {
    name: 'conv2d of one channel',
    model: () => stack([8, 8, 1], layers.conv2d({ filters: 3, kernelSize: 4, strides: 2, padding: 'same' })),
  },
  { name: 'conv2d 1×1, stride 2', model: () => stack([5, 5, 3], layers.conv2d({ filters: 2, kernelSize: 1, strides: 2 })) },
  {
    name: 'two convolutions with relu and pooling between',
    model: () =>
      sequential({
        layers: [
          layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh', inputShape: [6, 6, 2] }),
          layers.maxPooling2d({ poolSize: 2, strides: 1 }),
          layers.conv2d({ filters: 2, kernelSize: 2, activation: 'sigmoid' }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      }),
  },
  ...(['valid', 'same'] as const).map((padding): GradientCase => ({
    name: `conv1d ${padding}`,
    model: () => stack([7, 2], layers.conv1d({ filters: 3, kernelSize: 3, padding, strides: 2 })),
  })),
  { name: 'conv1d dilated', model: () => stack([7, 2], layers.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2 })) },
  {
    name: 'depthwise conv2d',
    model: () => stack([5, 4, 2], layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, padding: 'same' })),
  },
  { name: 'separable conv2d', model: () => stack([5, 4, 2], layers.separableConv2d({ filters: 3, kernelSize: 2, strides: 2 })) },
  ...(['valid', 'same'] as const).flatMap((padding): GradientCase[] => [
    { name: `max pooling ${padding}`, model: () => stack([5, 5, 2], layers.maxPooling2d({ poolSize: 3, strides: 2, padding })) },
    {
      name: `average pooling ${padding}`,
      model: () => stack([5, 5, 2], layers.averagePooling2d({ poolSize: 3, strides: 2, padding })),
    },
    { name: `max pooling 1d ${padding}`, model: () => stack([7, 2], layers.maxPooling1d({ poolSize: 3, strides: 2, padding })) },
    {
      name: `average pooling 1d ${padding}`,
      model: () => stack([7, 2], layers.averagePooling1d({ poolSize: 3, strides: 2, padding })),
    },
  ]),
  { name: 'global max pooling 2d', model: () => stack([3, 4, 2], layers.globalMaxPooling2d({})) },
  { name: 'global average pooling 2d', model: () => stack([3, 4, 2], layers.globalAveragePooling2d({})) },
  { name: 'global max pooling 1d', model: () => stack([5, 2], layers.globalMaxPooling1d()) },
  { name: 'global average pooling 1d', model: () => stack([5, 2], layers.globalAveragePooling1d()) },
  { name: 'reshape', model: () => stack([3, 4], layers.reshape({ targetShape: [2, -1] })) },
  {
    name: 'reshape into an image',
    model: () => stack([12], layers.reshape({ targetShape: [2, 3, 2] }), layers.conv2d({ filters: 2, kernelSize: 2 })),
  },
  { name: 'permute', model: () => stack([3, 4, 2], layers.permute({ dims: [3, 1, 2] })) },
  { name: 'repeat vector', model: () => stack([3], layers.repeatVector({ n: 4 })) },
  {
    name: 'zero padding',
    model: () =>
      stack(
        [3, 2, 2],
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 1],
          ],
        }),
        layers.conv2d({ filters: 2, kernelSize: 2 }),
      ),
  },
  { name: 'layer normalisation', model: () => stack([4, 3], layers.layerNormalization()) },
  { name: 'layer normalisation over two axes', model: () => stack([2, 4, 3], layers.layerNormalization({ axis: [2, 3] })) },
  { name: 'layer normalisation without scale', model: () => stack([5], layers.layerNormalization({ scale: false })) },
  { name: 'group normalisation of an image', model: () => stack([3, 2, 4], new GroupNormalization({ groups: 2 })) },
  { name: 'group normalisation of a sequence', model: () => stack([5, 4], new GroupNormalization({ groups: 2 })) },
  { name: 'rms normalisation', model: () => stack([4, 3], new RmsNormalization({})) },
  { name: 'rms normalisation of vectors', model: () => stack([5], new RmsNormalization({ epsilon: 0.1 })) },
  ...[
    () => layers.dropout({ rate: 0.4 }),
    () => layers.spatialDropout1d({ rate: 0.4 }),
    () => layers.gaussianDropout({ rate: 0.3 }),
    () => layers.gaussianNoise({ stddev: 0.5 }),
    () => layers.alphaDropout({ rate: 0.3 }),
  ].map((layer): GradientCase => ({
    name: `active ${layer().getClassName()}`,
    model: () => stack([4, 3], layer(), layers.dense({ units: 2, activation: 'tanh' })),
  })),
  {
    name: 'dropout between convolutions',
    model: () =>
      stack(
        [5, 5, 1],
        layers.conv2d({ filters: 2, kernelSize: 2 }),
        layers.dropout({ rate: 0.5 }),
        layers.conv2d({ filters: 2, kernelSize: 2 }),
      ),
  },
  {
    name: 'model within a model',
    model: () => {
      const x = input({ shape: [4] });
      const inner = sequential({
        layers: [
          layers.dense({ units: 3, activation: 'tanh', inputShape: [4], name: 'inner1' }),
          layers.dense({ units: 4, name: 'inner2' }),
        ],
      });
      const two = input({ shape: [4] });
      const branches = model({
        inputs: two,
        outputs: [
          layers.dense({ units: 2, name: 'one' }).apply(two),
          layers.dense({ units: 2, name: 'other' }).apply(two),
        ] as tf.SymbolicTensor[],
      });
      const [left, right] = branches.apply(inner.apply(x)) as tf.SymbolicTensor[];
      const both = layers.multiply().apply([left!, right!]) as tf.SymbolicTensor;
      return model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(both) as tf.SymbolicTensor });
    },
  },
  {
    name: 'sequential of models, the first one frozen as a whole',
    model: () => {
      const first = sequential({ layers: [layers.dense({ units: 3, activation: 'tanh', inputShape: [4], name: 'stem' })] });
      first.trainable = false;
      return sequential({ layers: [first, sequential({ layers: [layers.dense({ units: 2, inputShape: [3], name: 'head' })] })] });
    },
  },
  {
    name: 'several inputs and outputs',
    loss: ['meanSquaredError', 'categoricalCrossentropy'],
    lossWeights: [2, 0.5],
    model: () => {
      const a = input({ shape: [4, 4, 1] });
      const b = input({ shape: [3] });
      const seen = layers
        .globalAveragePooling2d({})
        .apply(layers.conv2d({ filters: 2, kernelSize: 2 }).apply(a)) as tf.SymbolicTensor;
      const both = layers
        .concatenate()
        .apply([seen, layers.dense({ units: 2, activation: 'tanh' }).apply(b) as tf.SymbolicTensor]);
      return model({
        inputs: [a, b],
        outputs: [
          layers.dense({ units: 2 }).apply(both),
          layers.dense({ units: 3, activation: 'softmax' }).apply(both),
        ] as tf.SymbolicTensor[],
      });
    },
  },
  {
    name: 'frozen batch normalisation',
    model: () =>
      stack(
        [4, 4, 2],
        layers.conv2d({ filters: 3, kernelSize: 2 }),
        layers.batchNormalization({ trainable: false }),
        layers.activation({ activation: 'relu' }),
      ),
  },
  {
    name: 'frozen dense layer',
    model: () => stack([3], layers.dense({ units: 4, activation: 'tanh', trainable: false }), layers.dense({ units: 3 })),
  },
  {
    name: 'embedding',
    model: () =>
      sequential({ layers: [layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 6 }), layers.dense({ units: 2 })] }),
    input: (x) => Math.floor(Math.abs(x) * 5),
  },
  {
    name: 'embedding with positions and attention',
    loss: 'sparseCategoricalCrossentropy',
    model: () =>
      sequential({
        layers: [
          layers.embedding({ inputDim: 5, outputDim: 4, inputLength: 6 }),
          new PositionEmbedding({}),
          new MultiHeadAttention({ numHeads: 2, keyDim: 3, causal: true }),
          layers.dense({ units: 5, activation: 'softmax' }),
        ],
      }),
    input: (x) => Math.floor(Math.abs(x) * 5),
  },
  {
    name: 'attention without bias',
    model: () => stack([4, 3], new MultiHeadAttention({ numHeads: 2, keyDim: 2, useBias: false })),
  },
  {
    name: 'attention with a mask',
    model: () => {
      const x = input({ shape: [4, 3] });
      const mask = input({ shape: [4] });
      const kept = layers.activation({ activation: 'linear' }).apply(mask);
      const y = new MultiHeadAttention({ numHeads: 1, keyDim: 3 }).apply([x, kept] as tf.SymbolicTensor[]);
      return model({ inputs: [x, mask], outputs: layers.dense({ units: 2 }).apply(y) as tf.SymbolicTensor });
    },
    input: (x) => (x > 0 ? 1 : 0),
  },
  {
    name: 'causal attention with a mask',
    model: () => {
      const x = input({ shape: [4, 3] });
      const mask = input({ shape: [4] });
      const kept = layers.activation({ activation: 'linear' }).apply(mask);
      const y = new MultiHeadAttention({ numHeads: 1, keyDim: 3, causal: true }).apply([x, kept] as tf.SymbolicTensor[]);
      return model({ inputs: [x, mask], outputs: layers.dense({ units: 2 }).apply(y) as tf.SymbolicTensor });
    },
    input: (x) => (x > 0 ? 1 : 0),
  },
  ...(['add', 'average', 'multiply', 'maximum', 'minimum'] as const).map((kind): GradientCase => ({
    name: `merge by ${kind}`,
    model: () => {
      const a = input({ shape: [3, 4] });
      const b = input({ shape: [3, 4] });
      const left = layers.dense({ units: 2 }).apply(a) as tf.SymbolicTensor;
      const right = layers.dense({ units: 2, activation: 'tanh' }).apply(b) as tf.SymbolicTensor;
      const joined = layers[kind]().apply([left, right, left]) as tf.SymbolicTensor;
      return model({ inputs: [a, b], outputs: layers.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor });
    },
  })),
  {
    name: 'concatenate',
    model: () => {
      const a = input({ shape: [3, 3] });
      const left = layers.dense({ units: 2 }).apply(a) as tf.SymbolicTensor;
      const right = layers.dense({ units: 4 }).apply(a) as tf.SymbolicTensor;
      return model({ inputs: a, outputs: layers.concatenate({ axis: 2 }).apply([left, right]) as tf.SymbolicTensor });
    },
  },
  {
    name: 'residual block of images',
    model: () => {
      const x = input({ shape: [4, 4, 2] });
      const h = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', useBias: false }).apply(x);
      const normal = new GroupNormalization({ groups: 1 }).apply(h as tf.SymbolicTensor);
      const sum = layers.add().apply([layers.activation({ activation: 'relu' }).apply(normal), x] as tf.SymbolicTensor[]);
      return model({
        inputs: x,
        outputs: layers.dense({ units: 2 }).apply(layers.globalAveragePooling2d({}).apply(sum)) as tf.SymbolicTensor,
      });
    },
  },
];
