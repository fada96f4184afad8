/** Reports about models and their repair: what is said of each layer, and that what was mended compiles, computes and keeps its weights. */
import { compileModel, validateModel } from '@sotto/core/model';
import { fixModel, GroupNormalization } from '@sotto/core/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsFor } from '../../../packages/core/src/model/repair.ts';

const { input, layers, model, sequential } = tf;

/** A small image classifier with batch normalisation, a regulariser and a frozen first layer. */
const classifier = (): tf.Sequential =>
  sequential({
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 3, inputShape: [8, 8, 1], name: 'conv', trainable: false }),
      layers.batchNormalization({ name: 'norm', epsilon: 0.01 }),
      layers.reLU({ name: 'relu' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ units: 4, name: 'hidden', kernelRegularizer: 'l1l2' }),
      layers.batchNormalization({ name: 'late' }),
      layers.dense({ units: 2, name: 'out', activation: 'softmax' }),
    ],
  });

const statuses = (net: tf.LayersModel): Record<string, string> =>
  Object.fromEntries(validateModel(net).layers.map(({ layer, status }) => [layer, status]));

describe('validateModel', () => {
  it('tells about every layer, past those that are refused', () => {
    const report = validateModel(classifier());
    expect(report.ok).toBe(false);
    expect(report.layers.map(({ layer, className, status, parameters }) => [layer, className, status, parameters])).toEqual([
      ['conv', 'Conv2D', 'frozen', 160],
      ['norm', 'BatchNormalization', 'refused', 32],
      ['relu', 'ReLU', 'weightless', 0],
      ['flat', 'Flatten', 'weightless', 0],
      ['hidden', 'Dense', 'refused', 2308],
      ['late', 'BatchNormalization', 'refused', 8],
      ['out', 'Dense', 'private', 10],
    ]);
    const [, norm, , , hidden] = report.layers;
    expect(norm).toMatchObject({
      why: expect.stringMatching(/mixes the examples/),
      cure: expect.stringMatching(/use groupNormalization/),
    });
    expect(norm!.fix).toEqual([
      'batch normalisation is replaced by group normalisation in 16 groups of 1 channels; gamma and beta are kept',
    ]);
    expect(hidden!.fix).toEqual(['kernel_regularizer is left out; use the optimiser’s weight decay instead']);
  });

  it('is content with what compiles, and says what is wrong with a model as a whole', () => {
    const fit = sequential({
      layers: [layers.dense({ units: 2, inputShape: [3], name: 'a' }), layers.dropout({ rate: 0.5, name: 'b' })],
    });
    expect(validateModel(fit)).toMatchObject({ ok: true, trainableParameters: 8, frozenParameters: 0 });
    const idle = sequential({ layers: [layers.dense({ units: 2, inputShape: [3], trainable: false })] });
    expect(validateModel(idle)).toMatchObject({
      ok: false,
      problem: 'the model has no trainable weights; unfreeze a layer or add one',
    });
    const inner = sequential({ layers: [layers.dense({ units: 3, inputShape: [3], name: 'same' })] });
    const twice = sequential({ layers: [layers.dense({ units: 3, inputShape: [3], name: 'same' }), inner] });
    expect(validateModel(twice)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/two weights are named same\/kernel/),
    });
  });

  it('says of a layer that is used twice that it is, also where it reads its own output', () => {
    const x = input({ shape: [3] });
    const shared = layers.dense({ units: 3, name: 'twice' });
    const head = layers.dense({ units: 1, name: 'head' });
    const net = model({ inputs: x, outputs: head.apply(shared.apply(shared.apply(x))) as tf.SymbolicTensor });
    expect(validateModel(net).layers).toMatchObject([
      {
        layer: 'twice',
        status: 'refused',
        why: 'it is used 2 times, and weights that are used twice are not implemented',
        cure: 'use one layer for each call',
      },
      { layer: 'head' },
    ]);
    expect(validateModel(net).layers.some(({ why = '' }) => /not connected/.test(why))).toBe(false);
  });

  it('goes on behind a layer without a rule where the model knows its shape, and says so where nobody does', () => {
    const net = sequential({
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 1], name: 'conv' }),
        layers.upSampling2d({ name: 'up' }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ units: 1, name: 'out' }),
      ],
    });
    expect(statuses(net)).toEqual({ conv: 'private', up: 'refused', flat: 'weightless', out: 'private' });
    const { layers: reports } = validateModel(net.toJSON(null, false) as unknown as { class_name: string; config: unknown });
    expect(reports.map(({ status }) => status)).toEqual(['private', 'refused', 'unchecked', 'unchecked']);
    expect(reports[3]).toMatchObject({ why: expect.stringMatching(/reads from a refused layer/), cure: 'mend that layer first' });
  });

  it('finds layers within models, weights that are used twice, and layers that nothing feeds', () => {
    const deep = sequential({ layers: [layers.batchNormalization({ inputShape: [6], name: 'deep' })], name: 'block' });
    const x = input({ shape: [6] });
    const shared = layers.dense({ units: 6, name: 'shared' });
    const y = layers.add({ name: 'sum' }).apply([shared.apply(deep.apply(x)), shared.apply(x)] as tf.SymbolicTensor[]);
    const net = model({ inputs: x, outputs: y as tf.SymbolicTensor });
    expect(statuses(net)).toMatchObject({ 'block/deep': 'refused', shared: 'refused' });
    const loose = {
      class_name: 'Model',
      config: {
        layers: [
          { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 2] }, inbound_nodes: [] },
          { class_name: 'Flatten', name: 'f', config: { name: 'f' }, inbound_nodes: [[['nowhere', 0, 0, {}]]] },
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [['f', 0, 0]],
      },
    };
    expect(validateModel(loose).layers).toMatchObject([
      { layer: 'f', status: 'refused', why: 'it is not connected to the inputs' },
    ]);
  });
});

describe('groups in place of batch normalisation', () => {
  it('divide the channels, and leave enough numbers in each group to tell them apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 400 }), (channels, positions) => {
        const groups = groupsFor(channels, positions);
        if (channels * positions === 1) return groups === undefined;
        return (
          groups !== undefined &&
          channels % groups === 0 &&
          groups <= 32 &&
          (groups === 1 || (channels / groups) * positions >= 8)
        );
      }),
    );
    expect([groupsFor(64, 49), groupsFor(64, 1), groupsFor(7, 1), groupsFor(6, 4), groupsFor(1, 1)]).toEqual([
      32,
      8,
      1,
      3,
      undefined,
    ]);
  });
});

describe('fixModel', () => {
  it('replaces what is refused, keeps weights, and leaves the given model as it is', async () => {
    const net = classifier();
    net.getLayer('norm').setWeights([1, 2, 3, 4].map((k) => core.fill([16], k)));
    const before = net.weights.map((weight) => [...weight.read().dataSync()]);
    const { model: fixed, changes, newWeights, report } = await fixModel(net);
    expect(report.ok).toBe(true);
    expect(changes.map(({ layer }) => layer)).toEqual(['norm', 'hidden', 'late']);
    expect(newWeights).toEqual([]);
    const byName = new Map(net.weights.map((weight) => [weight.name.replace(/_\d+$/, ''), [...weight.read().dataSync()]]));
    for (const weight of fixed.weights)
      expect([...weight.read().dataSync()], weight.name).toEqual(byName.get(weight.name.replace(/_\d+$/, '')));
    expect(fixed.getLayer('norm')).toBeInstanceOf(GroupNormalization);
    expect(compileModel(fixed).frozen.map(({ name }) => name)).toEqual(['conv/kernel', 'conv/bias']);
    expect((fixed.predict(core.ones([3, 8, 8, 1])) as core.Tensor).shape).toEqual([3, 2]);
    expect(net.weights.map((weight) => [...weight.read().dataSync()])).toEqual(before);
    expect(net.getLayer('norm').getClassName()).toBe('BatchNormalization');
  });

  it('mends models within models, functional models and single numbers', async () => {
    const block = sequential({
      layers: [layers.dense({ units: 8, inputShape: [5], name: 'in' }), layers.batchNormalization({ name: 'bn' })],
      name: 'block',
    });
    const x = input({ shape: [5] });
    const y = layers.dense({ units: 1, name: 'one' }).apply(block.apply(x)) as tf.SymbolicTensor;
    const net = model({ inputs: x, outputs: layers.batchNormalization({ name: 'scalar' }).apply(y) as tf.SymbolicTensor });
    const { model: fixed, changes, report } = await fixModel(net);
    expect(report.ok).toBe(true);
    expect(changes.map(({ layer, change }) => `${layer}: ${change}`)).toEqual([
      'block/bn: batch normalisation is replaced by group normalisation in 1 group of 8 channels; gamma and beta are kept',
      'scalar: batch normalisation is left out: an example has one number here, of which normalising would leave nothing',
    ]);
    const inputs = core.tensor([[1, 2, 3, 4, 5]]);
    expect((fixed.predict(inputs) as core.Tensor).shape).toEqual([1, 1]);
  });

  it('leaves a fit model as it was, and what cannot be mended refused', async () => {
    const fit = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
    const same = await fixModel(fit);
    expect(same.changes).toEqual([]);
    const at = core.tensor([[1, -2, 3]]);
    expect([...(same.model.predict(at) as core.Tensor).dataSync()]).toEqual([...(fit.predict(at) as core.Tensor).dataSync()]);
    const stuck = await fixModel(sequential({ layers: [layers.upSampling2d({ inputShape: [3, 2, 1], name: 'up' })] }));
    expect(stuck.report).toMatchObject({ ok: false, layers: [{ layer: 'up', status: 'refused' }] });
  });
});
