import { compileModel } from '@sotto/core/model';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';

const { input, layers, model, sequential } = tf;

/** A model of these layers over an image. */
const images = (...rest: tf.layers.Layer[]): tf.Sequential =>
  sequential({ layers: [layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 1], name: 'first' }), ...rest] });

describe('compiling models', () => {
  it('lists parameters in tfjs’s order, at their places in the flat vectors', () => {
    const graph = compileModel(
      images(
        layers.flatten(),
        layers.dense({ units: 3, name: 'hidden', trainable: false }),
        layers.dense({ units: 2, name: 'out' }),
      ),
    );
    expect(graph.trainable.map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
      ['first/kernel', [2, 2, 1, 2], 0],
      ['first/bias', [2], 8],
      ['out/kernel', [3, 2], 10],
      ['out/bias', [2], 16],
    ]);
    expect(graph.frozen.map(({ name, offset }) => [name, offset])).toEqual([
      ['hidden/kernel', 0],
      ['hidden/bias', 54],
    ]);
    expect([graph.parameterCount, graph.frozenCount]).toEqual([18, 57]);
  });

  it('reads a model, its topology and a model.json alike', () => {
    const net = sequential({ layers: [layers.dense({ units: 2, activation: 'relu', inputShape: [3], name: 'a' })] });
    const topology = net.toJSON(null, false) as { class_name: string; config: unknown };
    const forms = [net, topology, { modelTopology: { model_config: topology } } as never, { model_config: topology } as never];
    const shapes = forms.map((form) => compileModel(form).trainable.map((spec) => [spec.name, spec.shape]));
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('changes the layout of images only where it must', () => {
    const graph = compileModel(
      images(
        layers.activation({ activation: 'relu' }),
        layers.maxPooling2d({ poolSize: 2, strides: 1 }),
        layers.conv2d({ filters: 2, kernelSize: 1 }),
        layers.flatten(),
      ),
    );
    expect(graph.nodes.map((node) => node.className)).toEqual([
      'Layout',
      'Conv2D',
      'Activation',
      'MaxPooling2D',
      'Conv2D',
      'Layout',
      'Flatten',
    ]);
  });

  it.each([
    [
      'batch normalisation',
      () => images(layers.batchNormalization({ name: 'bn' })),
      /layer bn: batch normalisation mixes the examples.*use groupNormalization, or freeze/,
    ],
    [
      'recurrent layers',
      () => ({
        class_name: 'Sequential',
        config: { layers: [{ class_name: 'LSTM', config: { name: 'memory', batch_input_shape: [null, 3, 2] } }] },
      }),
      /layer memory \(LSTM\): recurrent layers are not implemented/,
    ],
    [
      'layers without a rule',
      () => images(layers.upSampling2d({ name: 'up' })),
      /layer up \(UpSampling2D\): this kind has no rule/,
    ],
    [
      'regularisers',
      () => sequential({ layers: [layers.dense({ units: 1, inputShape: [2], name: 'd', kernelRegularizer: 'l1l2' })] }),
      /layer d: kernel_regularizer is not part of an example's loss; remove it/,
    ],
    [
      'constraints',
      () => sequential({ layers: [layers.dense({ units: 1, inputShape: [2], name: 'd', biasConstraint: 'nonNeg' })] }),
      /layer d: bias_constraint/,
    ],
    [
      'normalisation over the batch',
      () => ({
        class_name: 'Sequential',
        config: {
          layers: [
            { class_name: 'LayerNormalization', config: { name: 'norm', axis: [0, 3], batch_input_shape: [null, 4, 4, 1] } },
          ],
        },
      }),
      /layer norm: axis is \[0,3\], which covers the batch and so mixes examples; normalise over the last axis/,
    ],
    [
      'normalisation over axes that are not the last ones',
      () => images(layers.layerNormalization({ name: 'norm', axis: 1 })),
      /layer norm: axis is \[?1\]?; normalise over the last axis, -1, or the last ones/,
    ],
    [
      'causal padding, which tfjs cannot compute',
      () =>
        sequential({
          layers: [layers.conv1d({ filters: 2, kernelSize: 2, padding: 'causal', inputShape: [4, 2], name: 'past' })],
        }),
      /layer past: tfjs cannot compute causal padding; set padding to valid and pad/,
    ],
    [
      'masks of embeddings',
      () =>
        sequential({ layers: [layers.embedding({ inputDim: 3, outputDim: 2, maskZero: true, inputLength: 4, name: 'words' })] }),
      /layer words: mask_zero is not implemented; set maskZero to false/,
    ],
    [
      'channels first',
      () =>
        sequential({
          layers: [layers.conv2d({ filters: 2, kernelSize: 2, dataFormat: 'channelsFirst', inputShape: [1, 4, 4], name: 'c' })],
        }),
      /layer c: data_format is "channels_first"; build the model with channelsLast/,
    ],
    [
      'attention of tfjs',
      () => ({
        class_name: 'Sequential',
        config: {
          layers: [
            {
              class_name: 'MultiHeadAttention',
              config: { name: 'a', num_heads: 2, key_dim: 2, value_dim: null, batch_input_shape: [null, 3, 4] },
            },
          ],
        },
      }),
      /layer a: it is the MultiHeadAttention of tfjs, which has other weights; use MultiHeadAttention of @sotto/,
    ],
    [
      'dropout of everything',
      () => images(layers.dropout({ rate: 1, name: 'drop' })),
      /layer drop: a rate of 1 is not a probability below 1; use 0 to 0.9/,
    ],
    [
      'options that tfjs does not serialise',
      () => images(layers.separableConv2d({ filters: 2, kernelSize: 2, depthMultiplier: 2, name: 's' })),
      /weight s\/depthwise_kernel has the shape \[2, 2, 2, 2\]/,
    ],
    [
      'sizes that are not known',
      () => sequential({ layers: [layers.dense({ units: 1, inputShape: [null as never, 2], name: 'd' })] }),
      /every size must be known/,
    ],
  ] as const)('refuses %s by name, with a cure', (_, build, message) => {
    expect(() => compileModel(build())).toThrow(message);
  });

  it('refuses weights that are used twice, and joining along the batch', () => {
    const x = input({ shape: [3] });
    const shared = layers.dense({ units: 3, name: 'twice' });
    const y = shared.apply(shared.apply(x)) as tf.SymbolicTensor;
    expect(() => compileModel(model({ inputs: x, outputs: y }))).toThrow(
      /layer twice: it is used 2 times.*use one layer for each call/,
    );
    const stacked = layers.concatenate({ axis: 0, name: 'stack' }).apply([x, x]) as tf.SymbolicTensor;
    expect(() =>
      compileModel(model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(stacked) as tf.SymbolicTensor })),
    ).toThrow(/layer stack: it joins along the batch axis, which mixes examples/);
  });

  it('refuses what is not a model', () => {
    expect(() => compileModel({ class_name: 'Tree', config: {} })).toThrow(/class Tree is not known/);
    expect(() => compileModel({ class_name: 'Sequential', config: { layers: [] } })).toThrow(/has no layers/);
  });
});
