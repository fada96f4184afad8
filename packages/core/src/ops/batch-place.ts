/**
 * Where a tensor holds the examples of a batch, and the rules by which operations move them. An operation that lets one example touch another has no such place
 * for its result: its rule throws.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Shape } from './ops.ts';

/**
 * Where a value holds the examples: along `axis`, whose size is n·inner, example i at the indices i·inner to i·inner + inner − 1. Undefined for a
 * value that depends on no example.
 */
export type BatchPlace = { readonly axis: number; readonly inner: number } | undefined;

/** An operation as a rule sees it: shapes and attributes, never values. */
export interface PlacedNode<A> {
  /** The result's shape. */
  readonly shape: Shape;
  readonly inputShapes: readonly Shape[];
  readonly attributes: A;
  /** Whether an operand that depends on no example is the same for all of them, which lie along that axis of it. Not asked where it is missing. */
  readonly isSameForAll?: (input: number, axis: number) => boolean;
}

/** Refuses an operation; `why` completes the sentence "the operation …". */
export function mixes(why: string): never {
  throw new SottoError('unsupported', why);
}

/**
 * Operands aligned at their last axes, as broadcasting does: all that hold examples must hold them at the same place, and those that hold none must say the same for each of them.
 */
export function aligned(node: PlacedNode<unknown>, places: readonly BatchPlace[]): BatchPlace {
  const { shape, inputShapes } = node;
  let found: BatchPlace;
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    const here = { axis: place.axis + shape.length - inputShapes[i]!.length, inner: place.inner };
    if (found !== undefined && (found.axis !== here.axis || found.inner !== here.inner))
      mixes('it combines values whose examples lie along different axes');
    found = here;
  }
  if (found !== undefined) {
    const { axis } = found;
    places.forEach((place, i) => {
      if (place === undefined) mustBeSame(node, i, axis - (shape.length - inputShapes[i]!.length));
    });
  }
  return found;
}

/** Refuses an operand that depends on no example and differs along the axis that meets the examples. */
export function mustBeSame({ inputShapes, isSameForAll }: PlacedNode<unknown>, input: number, axis: number): void {
  if (axis < 0 || inputShapes[input]![axis] === 1 || isSameForAll === undefined || isSameForAll(input, axis)) return;
  mixes('it combines examples with a value that differs from place to place in the batch');
}

/** An operation along some axes, which must not be that of the examples; `what` it does there is for the message. */
export function along(axes: readonly number[], place: BatchPlace, what: string): BatchPlace {
  if (place !== undefined && axes.includes(place.axis)) mixes(`it ${what} along the batch axis`);
  return place;
}
