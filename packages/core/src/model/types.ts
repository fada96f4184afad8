/**
 * The types of a model: a small directed acyclic graph of layer kinds over examples without their batch axis.
 *
 * @module
 */
import type { Json } from '../json.ts';
import type { Ops, Shape } from '../ops/ops.ts';

/** What Sotto needs of a `tf.LayersModel`: its serialised topology and, to read or write them, its weights. */
export interface LayersModelLike {
  toJSON(unused?: unknown, returnString?: boolean): unknown;
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly (number | null)[];
    read(): { dataSync(): ArrayLike<number> };
  }[];
  /** The weights that are not frozen. A model within the model that was frozen shows here only: tfjs does not serialise that. */
  readonly trainableWeights?: readonly { readonly name: string }[];
  /** Known output shapes, for checking a model past a layer that has no rule. */
  readonly layers?: readonly { readonly name: string; readonly outputShape?: unknown }[];
}

/** A serialised topology: what `model.toJSON(null, false)` returns, and `modelTopology` of a `model.json`. */
export interface Topology {
  readonly class_name: string;
  readonly config: unknown;
}

/** A named parameter tensor at its place in the flat parameter vector. */
export interface ParameterSpec {
  /** `<layer>/<weight>`, as in tfjs. */
  readonly name: string;
  readonly shape: Shape;
  readonly size: number;
  /** Frozen parameters take part in the forward pass and receive no gradient. */
  readonly trainable: boolean;
  /** First index in the flat vector of the trainable parameters, or in that of the frozen ones. */
  readonly offset: number;
}

/** A weight as a layer kind declares it. */
export interface WeightDeclaration {
  readonly name: string;
  readonly shape: Shape;
}

/**
 * How the gradient of one parameter comes from one example's part of the backward pass. Example i is row i of the first axis.
 *
 * - `outer`: aᵢ ⊗ gᵢ, with a `[n, d]` and g `[n, p]`; shape `[d, p]`.
 * - `product`: Σₜ aᵢₜ ⊗ gᵢₜ, with a `[n, t, d]` and g `[n, t, p]`, or `[n, d, t]` and `[n, p, t]` where `positionsLast`; shape `[d, p]`.
 * - `direct`: the gradient itself, `[n, …shape]`.
 * - `rows`: Σₜ e(idᵢₜ) ⊗ gᵢₜ, with whole-numbered ids `[n, t]` and g `[n, t, p]`; shape `[rows, p]`.
 *
 * `finishRows` brings rows `[m, size]` of gradients in the stated shape into the parameter's own layout, where the two differ.
 */
export type GradientRecord<T> = { readonly finishRows?: (ops: Ops<T>, rows: T) => T } & (
  | { readonly kind: 'outer'; readonly a: T; readonly g: T }
  | { readonly kind: 'product'; readonly a: T; readonly g: T; readonly positionsLast: boolean }
  | { readonly kind: 'direct'; readonly g: T }
  | { readonly kind: 'rows'; readonly ids: T; readonly g: T; readonly rows: number }
);

/** What a layer's forward pass returns: its output `[n, …]` and whatever its backward pass needs. */
export interface Forward<T> {
  readonly output: T;
  /** Gradients of the inputs and of the weights, given that of the output. `needed[i]` is false where input i's gradient is not used. */
  backward(
    gradient: T,
    needed: readonly boolean[],
  ): { readonly inputs: readonly (T | undefined)[]; readonly weights: readonly GradientRecord<T>[] };
}

/** The law of a random number: `keep` is 1 with the given probability and else 0, `normal` is a standard Gaussian. */
export type DrawLaw = { readonly kind: 'keep'; readonly probability: number } | { readonly kind: 'normal' };

/** Random numbers that a layer needs while it is trained, drawn afresh for each example and each step. */
export interface DrawDeclaration {
  /** Without the batch axis. */
  readonly shape: Shape;
  readonly law: DrawLaw;
}

/** A {@link DrawDeclaration} of a model: an input of its training programs. */
export interface DrawSpec extends DrawDeclaration {
  /** The program's input, `draw0` and so on. */
  readonly name: string;
  readonly layer: string;
}

/** A layer whose configuration was read and whose shapes are known. */
export interface BuiltLayer {
  /** Output shape without the batch axis. */
  readonly outputShape: Shape;
  readonly weights: readonly WeightDeclaration[];
  /** What the layer draws in training; most draw nothing. */
  readonly draws?: readonly DrawDeclaration[];
  /** Where the first input holds ids of the rows of a table: their number. Ids outside it are refused in the data of a training. */
  readonly idRows?: number;
  /**
   * Inputs are `[n, …input shape]`; the output must be `[n, …outputShape]` and row i of it must depend on row i of the inputs only, which the
   * compiler checks.
   *
   * @param draws `[n, …shape]` of each declared draw in training; undefined where the model is only applied.
   */
  forward<T>(ops: Ops<T>, inputs: readonly T[], weights: readonly T[], draws?: readonly T[]): Forward<T>;
}

/**
 * The axis order in which a kind wants image values: `first` is `[channels, height, width]`, `last` is tfjs's `[height, width, channels]`, and
 * `any` takes them as they come, since it works element by element.
 */
export type Layout = 'first' | 'last' | 'any';

/** A layer kind: one file each. */
export interface LayerKind {
  /** The tfjs class name. */
  readonly className: string;
  /** Default `last`. With `first`, inputs of three axes and the output come and go channels first; others are untouched. */
  readonly layout?: Layout;
  /** Reads the serialised configuration; throws `unsupported` with a cure for what cannot be trained privately. */
  build(config: LayerConfig, inputShapes: readonly Shape[]): BuiltLayer;
}

/** A layer's serialised configuration, with its name for messages. */
export interface LayerConfig {
  readonly layer: string;
  readonly values: Readonly<Record<string, Json>>;
}
