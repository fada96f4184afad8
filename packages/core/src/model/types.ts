/**
 * The types of a model: a small directed acyclic graph of layer kinds over examples without their batch axis.
 *
 * @module
 */
import type { Shape } from '../ops/ops.ts';

/** JSON as `model.toJSON()` and `model.json` hold it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What Sotto needs of a `tf.LayersModel`: its serialised topology and its weights. */
export interface LayersModelLike {
  toJSON(unused?: unknown, returnString?: boolean): unknown;
  readonly weights: readonly { readonly name: string; readonly shape: readonly (number | null)[]; read(): { dataSync(): ArrayLike<number> } }[];
}

/** A named parameter tensor at its place in the flat parameter vector. */
export interface ParameterSpec {
  /** `<layer>/<weight>`, as in tfjs. */
  readonly name: string;
  readonly shape: Shape;
  /** First index in the flat vector of trainable parameters, or in that of frozen ones. */
  readonly offset: number;
  readonly size: number;
  readonly trainable: boolean;
}
