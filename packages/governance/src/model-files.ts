/**
 * Model files: the TensorFlow.js layers format (`model.json` and one `weights.bin`) and safetensors. All weights are
 * binary32, in model order. Equal models give equal bytes.
 *
 * @module
 */
import { concat, fromUtf8, utf8 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { canonicalJsonBytes, type Json } from '@sotto/core/json';

/** Name and shape of one weight tensor. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A model as data. */
export interface ModelData {
  /** The topology as TensorFlow.js writes it (`modelTopology` of `model.json`). */
  readonly topology: Json;
  /** Weights in model order. */
  readonly weights: readonly WeightSpec[];
  /** Their values, row-major, one tensor after the other. */
  readonly values: Float32Array;
}

/** A tensor of a safetensors file. */
export interface NamedTensor extends WeightSpec {
  readonly values: Float32Array;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** In the order of their data. */
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Number of elements of a shape; a scalar has one. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Little-endian binary32 of all values. */
export function floatsToBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true);
  return bytes;
}

/** The inverse of {@link floatsToBytes}. */
export function bytesToFloats(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0)
    throw new SottoError('invalid-encoding', `${bytes.length} bytes are no whole number of binary32 values`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function checkCounts(weights: readonly WeightSpec[], values: Float32Array): void {
  const total = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  if (total !== values.length) {
    throw new SottoError('invalid-argument', `values has ${values.length} numbers; the shapes of the weights take ${total}`);
  }
}

/** Cuts values into tensors by the shapes. The tensors are views. */
export function splitWeights(weights: readonly WeightSpec[], values: Float32Array): NamedTensor[] {
  checkCounts(weights, values);
  let offset = 0;
  return weights.map(({ name, shape }) => {
    const end = offset + elementCount(shape);
    const tensor = { name, shape, values: values.subarray(offset, end) };
    offset = end;
    return tensor;
  });
}

/** `model.json` and `weights.bin` of the TensorFlow.js layers format; `tf.loadLayersModel` reads them. */
export function writeTfjsModel(model: ModelData): { readonly modelJson: Uint8Array; readonly weightsBin: Uint8Array } {
  checkCounts(model.weights, model.values);
  const modelJson = canonicalJsonBytes({
    format: 'layers-model',
    generatedBy: 'Sotto',
    convertedBy: null,
    modelTopology: model.topology,
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: model.weights.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
      },
    ],
  });
  return { modelJson, weightsBin: floatsToBytes(model.values) };
}

/** Writes a safetensors file: header length (u64 little-endian), JSON header padded with spaces to 8 bytes, data. */
export function writeSafetensors(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, Json> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = { ...metadata };
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    if (Object.hasOwn(header, name) || name === '__metadata__') {
      throw new SottoError('invalid-argument', `two tensors are named ${JSON.stringify(name)}; names must be distinct`);
    }
    if (elementCount(shape) !== values.length) {
      throw new SottoError(
        'invalid-argument',
        `tensor ${name} has ${values.length} values; its shape takes ${elementCount(shape)}`,
      );
    }
    header[name] = { dtype: 'F32', shape: [...shape], data_offsets: [offset, offset + values.length * 4] };
    offset += values.length * 4;
  }
  const json = canonicalJsonBytes(header);
  const padding = utf8(' '.repeat((8 - (json.length % 8)) % 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length + padding.length), true);
  return concat(length, json, padding, ...tensors.map(({ values }) => floatsToBytes(values)));
}

function malformed(reason: string): SottoError {
  return new SottoError('invalid-encoding', `the safetensors file ${reason}`);
}

function readEntry(name: string, entry: unknown): { readonly spec: WeightSpec; readonly begin: number; readonly end: number } {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  if (dtype !== 'F32') throw new SottoError('unsupported', `tensor ${name} has dtype ${String(dtype)}; only F32 is read`);
  const integers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
  if (!integers(shape) || !integers(offsets) || offsets.length !== 2) throw malformed(`has a malformed entry for ${name}`);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== 4 * elementCount(shape)) throw malformed(`has offsets for ${name} that do not fit its shape`);
  return { spec: { name, shape }, begin, end };
}

/** Reads a safetensors file of F32 tensors whose data has neither gaps nor overlaps. */
export function readSafetensors(file: Uint8Array): SafetensorsContent {
  if (file.length < 8) throw malformed('is shorter than its header length');
  const headerLength = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  if (headerLength > BigInt(file.length - 8)) throw malformed('is shorter than its header');
  const dataStart = 8 + Number(headerLength);
  let header: Readonly<Record<string, unknown>>;
  try {
    header = JSON.parse(fromUtf8(file.subarray(8, dataStart))) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new SottoError('invalid-encoding', 'the safetensors file has a header that is not JSON', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw malformed('has a header that is no object');
  const { __metadata__: metadata = {}, ...entries } = header;
  if (typeof metadata !== 'object' || metadata === null || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw malformed('has metadata that are not texts');
  }
  const parts = Object.entries(entries)
    .map(([name, entry]) => readEntry(name, entry))
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  const data = file.subarray(dataStart);
  let offset = 0;
  const tensors = parts.map(({ spec, begin, end }) => {
    if (begin !== offset || end > data.length) throw malformed(`has a gap, an overlap or an end beyond the file at ${spec.name}`);
    offset = end;
    return { ...spec, values: bytesToFloats(data.subarray(begin, end)) };
  });
  if (offset !== data.length) throw malformed('has bytes after its last tensor');
  return { tensors, metadata: metadata as Readonly<Record<string, string>> };
}
