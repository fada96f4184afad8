/**
 * Keeps the Node binding of ONNX Runtime from copying results that were computed into the caller's arrays.
 *
 * `run` of onnxruntime-node 1.30 makes a new array for each output once the run has ended and copies the numbers there, whether or not the caller gave an array to compute into; a dense
 * model of 670,000 weights loses a tenth of its time to the copies and to collecting them. The binding takes the outputs in the model's order and has no form for sequences of tensors,
 * so a model whose first output is an empty sequence is computed whole and then refused, before anything is copied. A binding that knows sequences or does not copy would refuse
 * nothing, and the arrays are filled all the same.
 *
 * @module
 */
import type { OnnxNode, OnnxValue } from './proto.ts';

/** The first output of a model whose results are computed in place. */
export const SEQUENCE: OnnxValue = { name: 'sequence', shape: undefined, isSequence: true };

/** What computes {@link SEQUENCE}. */
export const sequenceNode: OnnxNode = { opType: 'SequenceEmpty', inputs: [], outputs: [SEQUENCE.name] };

/** Whether a run was refused for {@link SEQUENCE} alone: all outputs have been computed, for the binding looks at results only after a run that succeeded. */
export function isComputed(reason: unknown): boolean {
  return reason instanceof Error && reason.message.startsWith('Non tensor type');
}
