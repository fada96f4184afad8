/** Which inputs of a model hold ids, seen through what only moves them. */
import { compileModel, idInputs } from '@sotto/core/model';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';

const { input, layers, model } = tf;
type Value = tf.SymbolicTensor;
const table = (rows: number, name: string): tf.layers.Layer => layers.embedding({ inputDim: rows, outputDim: 2, name });
const sum = (value: Value): Value => layers.dense({ units: 1 }).apply(layers.flatten().apply(value)) as Value;
const found = (inputs: Value | Value[], value: Value): unknown => idInputs(compileModel(model({ inputs, outputs: sum(value) })));

describe('idInputs', () => {
  it('finds ids that an embedding reads, and nothing in a model without one', () => {
    const x = input({ shape: [3] });
    expect(found(x, table(7, 'words').apply(x) as Value)).toEqual([{ input: 0, layer: 'words', rows: 7 }]);
    const y = input({ shape: [3, 2] });
    expect(found(y, layers.dense({ units: 2 }).apply(y) as Value)).toEqual([]);
  });

  it('finds a frozen table, and each table that one input is looked up in', () => {
    const x = input({ shape: [3] });
    const frozen = layers.embedding({ inputDim: 9, outputDim: 2, name: 'frozen', trainable: false }).apply(x) as Value;
    const both = layers.concatenate().apply([table(5, 'trained').apply(x) as Value, frozen]) as Value;
    expect(found(x, both)).toEqual([
      { input: 0, layer: 'trained', rows: 5 },
      { input: 0, layer: 'frozen', rows: 9 },
    ]);
  });

  it('follows ids through what only moves them, and no further than to what computes', () => {
    const [a, b, c] = [input({ shape: [2, 3] }), input({ shape: [6] }), input({ shape: [6] })] as const;
    const moved = layers.permute({ dims: [2, 1] }).apply(layers.activation({ activation: 'linear' }).apply(a));
    const joined = layers
      .concatenate()
      .apply([layers.flatten().apply(moved) as Value, layers.dropout({ rate: 0.5 }).apply(b) as Value]);
    const computed = layers.activation({ activation: 'relu' }).apply(c) as Value;
    const value = layers
      .concatenate({ axis: 1 })
      .apply([table(11, 'joined').apply(joined) as Value, table(4, 'computed').apply(computed) as Value]) as Value;
    expect(found([a, b, c], value)).toEqual([
      { input: 0, layer: 'joined', rows: 11 },
      { input: 1, layer: 'joined', rows: 11 },
    ]);
  });
});
