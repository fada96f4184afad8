import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromUtf8, toHex, utf8 } from '@sotto/core/bytes';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import { modelHash, readSafetensors, splitWeights, writeSafetensors, writeTfjsModel } from '@sotto/governance';

const weights = [
  { name: 'dense/kernel', shape: [2, 3] },
  { name: 'dense/bias', shape: [3] },
];
const values = Float32Array.of(1, -2, 0.5, 3e-40, Infinity, -0, 7, 8, 9);

describe('TensorFlow.js files', () => {
  test('hold the topology and little-endian weights whose hash is the model’s', () => {
    const topology = { class_name: 'Sequential', config: { name: 'x', layers: [] } };
    const { modelJson, weightsBin } = writeTfjsModel({ topology, weights, values });
    expect(JSON.parse(fromUtf8(modelJson))).toEqual({
      format: 'layers-model',
      generatedBy: 'Sotto',
      convertedBy: null,
      modelTopology: topology,
      weightsManifest: [{ paths: ['weights.bin'], weights: weights.map((weight) => ({ ...weight, dtype: 'float32' })) }],
    });
    expect(toHex(weightsBin.subarray(0, 8))).toBe('0000803f000000c0');
    expect(toHex(nobleCrypto.sha256(weightsBin))).toBe(modelHash(nobleCrypto, values));
    expect(() => writeTfjsModel({ topology, weights, values: values.subarray(1) })).toThrow(
      /8 numbers; the shapes of the weights take 9/,
    );
  });

  test('load in TensorFlow.js and predict', async () => {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-cpu');
    const layers = await import('@tensorflow/tfjs-layers');
    const built = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2], activation: 'sigmoid' })] });
    const topology = built.toJSON(undefined, false) as never;
    const specs = built.getWeights().map(({ shape }, i) => ({ name: built.weights[i]!.originalName, shape }));
    const files = writeTfjsModel({ topology, weights: specs, values: Float32Array.of(2, -1, 0.25) });
    const json = JSON.parse(fromUtf8(files.modelJson)) as { modelTopology: object; weightsManifest: { weights: [] }[] };
    const loaded = await layers.loadLayersModel(
      tf.io.fromMemory({
        modelTopology: json.modelTopology,
        weightSpecs: json.weightsManifest[0]!.weights,
        weightData: files.weightsBin.buffer as ArrayBuffer,
      }),
    );
    const output = loaded.predict(tf.tensor2d([[1, 3]])) as { dataSync(): Float32Array };
    expect(output.dataSync()[0]).toBeCloseTo(1 / (1 + Math.exp(-(2 - 3 + 0.25))), 6);
  });
});

describe('safetensors', () => {
  const tensors = splitWeights(weights, values);

  test('have the layout of the format', () => {
    const file = writeSafetensors(tensors, { run: 'r1' });
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(fromUtf8(file.subarray(8, 8 + length)))).toEqual({
      __metadata__: { run: 'r1' },
      'dense/kernel': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      'dense/bias': { dtype: 'F32', shape: [3], data_offsets: [24, 36] },
    });
    expect(file.length).toBe(8 + length + 36);
  });

  test('round-trip, bit for bit', () => {
    const read = readSafetensors(writeSafetensors(tensors, { run: 'r1' }));
    expect(read.metadata).toEqual({ run: 'r1' });
    expect(read.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(weights);
    expect(read.tensors.flatMap((tensor) => [...tensor.values])).toEqual([...values]);
    fc.assert(
      fc.property(fc.array(fc.float(), { maxLength: 40 }), fc.string({ minLength: 1 }), (list, name) => {
        fc.pre(name.isWellFormed() && name !== '__metadata__' && name !== '__proto__');
        const tensor = { name, shape: [list.length], values: Float32Array.from(list) };
        expect(readSafetensors(writeSafetensors([tensor])).tensors).toEqual([tensor]);
      }),
      { seed: 7 },
    );
    const scalar = { name: 's', shape: [], values: Float32Array.of(4) };
    expect(
      readSafetensors(writeSafetensors([scalar, { name: 'empty', shape: [0, 3], values: new Float32Array(0) }])).tensors,
    ).toHaveLength(2);
  });

  function file(header: string, data: number): Uint8Array {
    const json = utf8(header);
    const out = new Uint8Array(8 + json.length + data);
    new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
    out.set(json, 8);
    return out;
  }

  test.each([
    ['a short file', new Uint8Array(7), /shorter than its header length/],
    ['a header beyond the end', file('{}', 0).subarray(0, 9), /shorter than its header/],
    ['no JSON', file('{', 0), /not JSON/],
    ['no object', file('[]', 0), /no object/],
    ['another dtype', file('{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', 2), /only F32/],
    ['a gap', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8), /gap/],
    [
      'an overlap',
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /overlap/,
    ],
    ['an end beyond the file', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4), /beyond the file/],
    ['bytes left over', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 5), /after its last tensor/],
    ['offsets that do not fit', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4), /do not fit its shape/],
    ['negative shape', file('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4), /malformed entry/],
    ['metadata that are no texts', file('{"__metadata__":{"a":1}}', 0), /metadata/],
  ])('refuse %s', (_, bytes, reason) => {
    expect(() => readSafetensors(bytes)).toThrow(reason);
  });

  test('refuse to be written with two tensors of one name or a wrong count', () => {
    expect(() => writeSafetensors([tensors[0]!, tensors[0]!])).toThrow(/distinct/);
    expect(() => writeSafetensors([{ ...tensors[0]!, shape: [5] }])).toThrow(/6 values; its shape takes 5/);
  });
});
