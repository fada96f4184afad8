/**
 * Primitive operations that bring all their rules with them, in one file: what they compute, and what each engine and each analysis needs to know. They are used through
 * {@link Ops.apply}. A rule that is missing does not compile.
 *
 * @module
 */
import type * as tf from '@tensorflow/tfjs-core';
import { SottoError } from '../errors.ts';
import { aligned } from './batch-place.ts';
import type { BatchPlace, PlacedNode } from './batch-place.ts';
import type { Ops, Shape } from './ops.ts';
import type { ReferenceTensor } from './reference-loops.ts';

/** The module `@tensorflow/tfjs-core`, which the engine hands to the rule: a primitive imports nothing of it but types. */
export type Tfjs = typeof tf;

/** A value of an ONNX operator's attribute. */
export type OnnxAttribute =
  { readonly int: number } | { readonly ints: readonly number[] } | { readonly float: number } | { readonly text: string };

/** Writes ONNX operators (opset 18) and names what they give. Tensors are named by texts; all are float32 where a rule takes or returns them. */
export interface OnnxBuilder {
  /** An operator with one output. Returns its name. `domain` is empty for the standard operators. */
  op(opType: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>, domain?: string): string;
  /** A list of integers as a constant, as many operators take axes and sizes. */
  integers(values: readonly number[]): string;
  /** A float constant. */
  floats(values: Float32Array, shape: Shape): string;
  /** A float constant without axes. */
  scalar(value: number): string;
  /** A boolean or an integer as a float. */
  asFloat(x: string): string;
  reshape(x: string, shape: Shape): string;
}

/** Where a primitive stands in a program: shapes and attributes, never values. */
export type PrimitiveNode<A> = PlacedNode<A>;

/** An execution provider of ONNX Runtime. */
export type OnnxProvider = 'cpu' | 'webgpu' | 'cuda';

/** What a derivative is computed from. */
export interface DerivativePoint<T, A> {
  readonly inputs: readonly T[];
  readonly output: T;
  /** That of the output. */
  readonly gradient: T;
  readonly attributes: A;
}

// Rules are declared as methods, so that a primitive of any attributes can stand where those of all primitives are handled alike.
interface Rules<A> {
  onnx(emit: OnnxBuilder, inputs: readonly string[], node: PrimitiveNode<A>): string;
  place(node: PlacedNode<A>, places: readonly BatchPlace[], n: number): BatchPlace;
  derivative<T>(ops: Ops<T>, at: DerivativePoint<T, A>): readonly (T | undefined)[];
}

/** Writes a primitive as ONNX operators and returns the name of its result. */
export type OnnxRule<A> = Rules<A>['onnx'];

/** Tells where the result holds the examples; `n` is their number. Calls {@link mixes} where one example would touch another. */
export type PlaceRule<A> = Rules<A>['place'];

/** The operands' gradients, each of its operand's shape or of one that its operand broadcasts to; undefined for an operand that has none. */
export type DerivativeRule<A> = Rules<A>['derivative'];

/** An example for the conformance suite, which compares every engine with the float64 loops, and derivative and place with what the loops do. */
export interface PrimitiveCase<A> {
  /** What is special about it, where there are several. */
  readonly name?: string;
  readonly shapes: readonly Shape[];
  readonly attributes: A;
  /** Maps pseudo-random numbers in (−1, 1) into the domain of input `input`. */
  readonly map?: (x: number, input: number) => number;
  /** Makes the operands of inputs of these shapes, where one follows from another. Default: the inputs. */
  operands?<T>(ops: Ops<T>, inputs: readonly T[]): readonly T[];
}

/**
 * A primitive operation. Attributes are plain data (numbers, texts, booleans, lists and records of them) that does not change; two applications with equal attributes to the
 * same operands are computed once. `{}` for none.
 */
export interface Primitive<A extends object> {
  /** For messages. */
  readonly name: string;
  /** The result's shape. Throws `invalid-argument` for operands or attributes that do not fit. */
  shape(inputs: readonly Shape[], attributes: A): Shape;
  /** Loops in float64: what the operation means. Returns as many numbers as the shape has elements, row-major. */
  reference(inputs: readonly ReferenceTensor[], attributes: A, shape: Shape): Float64Array;
  readonly onnx: OnnxRule<A>;
  /** For execution providers that lack a kernel for the general form, or have a faster one for another. */
  readonly onnxOn?: { readonly [K in OnnxProvider]?: OnnxRule<A> };
  /** Kernels of TensorFlow.js. Booleans and integers become floats by themselves, and what is left behind is freed. */
  tfjs(tfjs: Tfjs, inputs: readonly tf.Tensor[], attributes: A, shape: Shape): tf.Tensor;
  /** Where examples go. `elementwise`: each element of the result depends on the elements of the operands at its place, as broadcasting aligns them. */
  readonly place: 'elementwise' | PlaceRule<A>;
  /** `zero` for a result that is constant almost everywhere, `none` where the derivative is refused. */
  readonly derivative: 'zero' | 'none' | DerivativeRule<A>;
  readonly cases: readonly [PrimitiveCase<A>, ...PrimitiveCase<A>[]];
}

/** A primitive whose attributes are not known here. */
export type AnyPrimitive = Primitive<object>;

/** Makes a primitive of its rules. Each call makes another one, so keep it in a constant of its module. */
export function definePrimitive<A extends object>(rules: Primitive<A>): Primitive<A> {
  if (rules.name === '') throw new SottoError('invalid-argument', 'primitive.name is empty; messages need one');
  return Object.freeze({ ...rules });
}

/** Where the result of a primitive holds the examples. Throws `unsupported` where it mixes them. */
export function placeOf<A extends object>(
  primitive: Primitive<A>,
  node: PlacedNode<A>,
  places: readonly BatchPlace[],
  n: number,
): BatchPlace {
  return primitive.place === 'elementwise' ? aligned(node, places) : primitive.place(node, places, n);
}

/** Equal for equal attributes. Throws `invalid-argument` for what is not plain data. */
export function attributeKey(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(attributeKey).join()}]`;
      if (Object.getPrototypeOf(value) === Object.prototype) {
        const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
        return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${attributeKey(item)}`).join()}}`;
      }
      break;
    default:
  }
  throw new SottoError(
    'invalid-argument',
    `attributes hold ${typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`}; numbers, texts, booleans, lists and records of them are possible`,
  );
}
