/**
 * Loss functions as data, so that they can cross to another thread: the calls that a function makes are written down for several batch sizes, and every number that
 * differs between them must follow the batch size. What is played back makes the same calls for any batch size.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { recordProgram, sizeOf } from '@sotto/core/ops';
import type { Ops, Shape } from '@sotto/core/ops';

/** A number that may depend on the batch size n: slope·n + offset. */
type Size = number | { readonly slope: number; readonly offset: number };

/** An argument of a call. */
type Argument =
  | Size
  | string
  | boolean
  | undefined
  | { readonly ref: number }
  | { readonly list: readonly Argument[] }
  | { readonly members: Readonly<Record<string, Argument>> };

type Call =
  | { readonly operation: string; readonly arguments: readonly Argument[] }
  /** A constant whose values are the same for every example: those of one example, which lie between `before` outer elements. */
  | { readonly repeated: readonly number[]; readonly before: number; readonly shape: Argument };

/** A function on tensors as plain data. Tensors are numbered: first the inputs, then the results of the calls. */
export interface RecordedFunction {
  readonly inputs: number;
  readonly calls: readonly Call[];
  /** The tensor that it returns. */
  readonly output: number;
}

/** A function of tensors whose first axes are the examples. */
export type BatchFunction = <T>(ops: Ops<T>, inputs: readonly T[]) => T;

/** Batch sizes that a function is recorded for: lines through the first two must go through all. */
const SIZES = [1, 2, 5, 127] as const;

const notRecordable = (why: string): SottoError =>
  new SottoError('unsupported', `the function cannot be written down as operations: ${why}`);

/**
 * Records a function of tensors `[n, ...shape]`, one for each shape.
 *
 * @throws SottoError `unsupported` where what it computes does not follow from the batch size alone, such as with random constants; what the function itself throws
 */
export function recordFunction(f: BatchFunction, shapes: readonly Shape[]): RecordedFunction {
  const tapes = SIZES.map((n) => tapeOf(f, shapes, n));
  const [first, ...others] = tapes as [Tape, ...Tape[]];
  if (others.some(({ calls, output }) => calls.length !== first.calls.length || output !== first.output))
    throw notRecordable('its calls change with the batch size, or from call to call');
  const calls = first.calls.map(({ operation }, i): Call => {
    const same = tapes.map((tape) => tape.calls[i]!);
    if (same.some((call) => call.operation !== operation)) throw notRecordable('its calls change from call to call');
    const variants = same.map((call) => call.arguments);
    if (operation === 'constant') return constantCall(variants);
    return { operation, arguments: unify(operation, variants) as readonly Argument[] };
  });
  return { inputs: shapes.length, calls, output: first.output };
}

/** The function again. */
export function playBack({ inputs, calls, output }: RecordedFunction): BatchFunction {
  return <T>(ops: Ops<T>, given: readonly T[]): T => {
    if (given.length !== inputs) throw new SottoError('internal', `a recorded function takes ${inputs} tensors`);
    const n = ops.shapeOf(given[0]!)[0]!;
    const tensors = [...given];
    const methods = ops as unknown as Readonly<Record<string, (...args: readonly unknown[]) => T>>;
    for (const call of calls) tensors.push(play(ops, methods, call, tensors, n));
    return tensors[output]!;
  };
}

interface RawCall {
  readonly operation: string;
  readonly arguments: readonly unknown[];
}

interface Tape {
  readonly calls: readonly RawCall[];
  readonly output: number;
}

/** A tensor that knows its number on the tape. */
class Taped<T> {
  readonly value: T;
  readonly index: number;

  constructor(value: T, index: number) {
    this.value = value;
    this.index = index;
  }
}

function tapeOf(f: BatchFunction, shapes: readonly Shape[], n: number): Tape {
  const calls: RawCall[] = [];
  let output = -1;
  recordProgram({
    name: 'loss',
    inputs: shapes.map((shape, i) => ({ name: `input${i}`, shape: [n, ...shape] })),
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const given = shapes.map((_, i) => new Taped(inputs[`input${i}`]!, i));
      const result = f(tapingOps(ops, calls, shapes.length), given);
      if (!(result instanceof Taped)) throw notRecordable('it does not return a tensor');
      output = result.index;
      return { result: result.value };
    },
  });
  return { calls, output };
}

/** Operations that write down each call before they make it. */
function tapingOps<T>(ops: Ops<T>, calls: RawCall[], inputs: number): Ops<Taped<T>> {
  const methods = ops as unknown as Readonly<Record<string, (...args: readonly unknown[]) => T>>;
  const wrapped: Record<string, unknown> = Object.fromEntries(
    Object.keys(methods).map((operation) => [
      operation,
      (...args: readonly unknown[]) => {
        const kept = args.map(copied);
        const value = methods[operation]!(...args.map(bare));
        calls.push({ operation, arguments: kept });
        return new Taped(value, inputs + calls.length - 1);
      },
    ]),
  );
  wrapped['shapeOf'] = (x: Taped<T>) => ops.shapeOf(x.value);
  return wrapped as unknown as Ops<Taped<T>>;
}

/** An argument with the tensors themselves. */
function bare(value: unknown): unknown {
  if (value instanceof Taped) return value.value;
  return Array.isArray(value) ? value.map(bare) : value;
}

/** An argument as it is at the time of the call: lists of numbers may change later. */
function copied(value: unknown): unknown {
  if (value instanceof Taped) return { ref: value.index };
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(copied);
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'object': {
      if (value === null) return undefined;
      const { length } = value as { readonly length?: unknown };
      if (typeof length === 'number') return Array.from(value as ArrayLike<unknown>, copied);
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]));
    }
    default:
      throw notRecordable(`a ${typeof value} is among the arguments of an operation`);
  }
}

/** One argument list of the calls for all batch sizes. */
function unify(operation: string, variants: readonly (readonly unknown[])[]): readonly Argument[] {
  const [first] = variants;
  if (variants.some((each) => each.length !== first!.length))
    throw notRecordable(`the arguments of ${operation} change with the batch size`);
  return first!.map((_, i) =>
    unifyOne(
      operation,
      variants.map((each) => each[i]),
    ),
  );
}

function unifyOne(operation: string, values: readonly unknown[]): Argument {
  const [first] = values;
  if (Array.isArray(first)) return { list: unify(operation, values as readonly (readonly unknown[])[]) };
  if (typeof first === 'object' && first !== null) {
    if ('ref' in first) {
      const refs = values.map((value) => (value as { readonly ref: number }).ref);
      if (refs.some((ref) => ref !== refs[0])) throw notRecordable('its calls change with the batch size');
      return { ref: refs[0]! };
    }
    const members = values as readonly Readonly<Record<string, unknown>>[];
    return {
      members: Object.fromEntries(
        Object.keys(first).map((name) => [
          name,
          unifyOne(
            operation,
            members.map((each) => each[name]),
          ),
        ]),
      ),
    };
  }
  if (values.every((value) => Object.is(value, first))) return first as Argument;
  if (values.some((value) => typeof value !== 'number'))
    throw notRecordable(`the arguments of ${operation} change with the batch size`);
  const [one, two] = values as readonly number[];
  const slope = two! - one!;
  const offset = one! - slope;
  if (SIZES.some((n, i) => slope * n + offset !== values[i]))
    throw notRecordable(`a number in ${operation} is none that follows from the batch size, or changes from call to call`);
  return { slope, offset };
}

function constantCall(variants: readonly (readonly unknown[])[]): Call {
  const values = variants.map(([list]) => list as readonly number[]);
  if (values.every((list) => list.length === values[0]!.length))
    return { operation: 'constant', arguments: unify('constant', variants) };
  // As many values as examples, or a multiple: they must be the same for each of them.
  const shapes = variants.map(([, shape]) => shape as readonly number[]);
  const shape = unifyOne('constant', shapes) as { readonly list: readonly Argument[] };
  const axis = shape.list.findIndex((size) => typeof size === 'object');
  const before = sizeOf(shapes[0]!.slice(0, axis));
  const example = values[0]!;
  SIZES.forEach((n, i) => {
    const repeated = repeat(example, before, n);
    if (repeated.length !== values[i]!.length || repeated.some((value, j) => !Object.is(value, values[i]![j])))
      throw notRecordable('a constant differs from example to example');
  });
  return { repeated: example, before, shape };
}

/** Values of one example `[before, rest]` for n examples, `[before, n, rest]`. */
function repeat(example: readonly number[], before: number, n: number): number[] {
  const rest = example.length / before;
  return Array.from({ length: before }, (_, i) => example.slice(i * rest, (i + 1) * rest)).flatMap((part) =>
    Array.from({ length: n }, () => part).flat(),
  );
}

function play<T>(
  ops: Ops<T>,
  methods: Readonly<Record<string, (...args: readonly unknown[]) => T>>,
  call: Call,
  tensors: readonly T[],
  n: number,
): T {
  const value = (argument: Argument): unknown => {
    if (typeof argument !== 'object') return argument;
    if ('ref' in argument) return tensors[argument.ref]!;
    if ('slope' in argument) return argument.slope * n + argument.offset;
    if ('list' in argument) return argument.list.map(value);
    return Object.fromEntries(Object.entries(argument.members).map(([name, member]) => [name, value(member)]));
  };
  if ('repeated' in call) return ops.constant(repeat(call.repeated, call.before, n), value(call.shape) as Shape);
  const method = methods[call.operation];
  if (method === undefined)
    throw new SottoError('internal', `a recorded function calls ${call.operation}, which is no operation`);
  return method(...call.arguments.map(value));
}
