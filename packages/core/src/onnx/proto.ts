/**
 * The subset of the ONNX format (onnx.proto, IR version 9) that Sotto writes, through protobufjs's writer.
 *
 * @module
 */
import protobuf from 'protobufjs/minimal.js';
import type { OnnxAttribute } from '../ops/primitive.ts';

/** A node of the graph. */
export interface OnnxNode {
  readonly opType: string;
  /** Empty for the standard operators. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant tensor. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** A float32 input or output of the graph. The shape of an output may be left to the runtime. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[] | undefined;
  /** Whether it is a sequence of such tensors. */
  readonly isSequence?: boolean;
}

/** A model with one graph. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Versions of the operator sets by domain. */
  readonly opsets: Readonly<Record<string, number>>;
}

type Writer = protobuf.Writer;

const IR_VERSION = 9;
const FLOAT = 1;
const INT64 = 7;
const [ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS] = [1, 2, 3, 7] as const;
const VARINT = 0;
const FIXED32 = 5;
const BYTES = 2;

const tag = (field: number, wire: number): number => (field << 3) | wire;

function message(writer: Writer, field: number, body: (writer: Writer) => void): void {
  writer.uint32(tag(field, BYTES)).fork();
  body(writer);
  writer.ldelim();
}

function writeAttribute(writer: Writer, name: string, value: OnnxAttribute): void {
  writer.uint32(tag(1, BYTES)).string(name);
  if ('int' in value) writer.uint32(tag(3, VARINT)).int64(value.int).uint32(tag(20, VARINT)).int32(ATTRIBUTE_INT);
  else if ('float' in value) writer.uint32(tag(2, FIXED32)).float(value.float).uint32(tag(20, VARINT)).int32(ATTRIBUTE_FLOAT);
  else if ('text' in value) writer.uint32(tag(4, BYTES)).string(value.text).uint32(tag(20, VARINT)).int32(ATTRIBUTE_STRING);
  else {
    for (const item of value.ints) writer.uint32(tag(8, VARINT)).int64(item);
    writer.uint32(tag(20, VARINT)).int32(ATTRIBUTE_INTS);
  }
}

function writeNode(writer: Writer, node: OnnxNode, name: string): void {
  for (const input of node.inputs) writer.uint32(tag(1, BYTES)).string(input);
  for (const output of node.outputs) writer.uint32(tag(2, BYTES)).string(output);
  writer.uint32(tag(3, BYTES)).string(name);
  writer.uint32(tag(4, BYTES)).string(node.opType);
  for (const [key, value] of Object.entries(node.attributes ?? {})) message(writer, 5, (w) => writeAttribute(w, key, value));
  if (node.domain !== undefined) writer.uint32(tag(7, BYTES)).string(node.domain);
}

function writeTensor(writer: Writer, tensor: OnnxTensor): void {
  for (const size of tensor.shape) writer.uint32(tag(1, VARINT)).int64(size);
  writer.uint32(tag(2, VARINT)).int32(tensor.values instanceof Float32Array ? FLOAT : INT64);
  writer.uint32(tag(8, BYTES)).string(tensor.name);
  // Raw data is little-endian, as every platform that Node runs on is.
  const { buffer, byteOffset, byteLength } = tensor.values;
  writer.uint32(tag(9, BYTES)).bytes(new Uint8Array(buffer, byteOffset, byteLength));
}

function writeTensorType(type: Writer, sizes: readonly number[] | undefined): void {
  message(type, 1, (tensorType) => {
    tensorType.uint32(tag(1, VARINT)).int32(FLOAT);
    if (sizes === undefined) return;
    message(tensorType, 2, (shape) => {
      for (const size of sizes) message(shape, 1, (dimension) => dimension.uint32(tag(1, VARINT)).int64(size));
    });
  });
}

function writeValue(writer: Writer, { name, shape, isSequence = false }: OnnxValue): void {
  writer.uint32(tag(1, BYTES)).string(name);
  message(writer, 2, (type) => {
    if (isSequence) message(type, 4, (sequence) => message(sequence, 1, (element) => writeTensorType(element, shape)));
    else writeTensorType(type, shape);
  });
}

/** The bytes of a ModelProto. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, VARINT)).int64(IR_VERSION);
  writer.uint32(tag(2, BYTES)).string('sotto');
  message(writer, 7, (graph) => {
    model.nodes.forEach((node, i) => message(graph, 1, (w) => writeNode(w, node, `n${i}`)));
    graph.uint32(tag(2, BYTES)).string(model.name);
    for (const tensor of model.initializers) message(graph, 5, (w) => writeTensor(w, tensor));
    for (const value of model.inputs) message(graph, 11, (w) => writeValue(w, value));
    for (const value of model.outputs) message(graph, 12, (w) => writeValue(w, value));
  });
  for (const [domain, version] of Object.entries(model.opsets)) {
    message(writer, 8, (opset) => {
      opset.uint32(tag(1, BYTES)).string(domain);
      opset.uint32(tag(2, VARINT)).int64(version);
    });
  }
  return writer.finish();
}
