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
}

/** Refuses an operation; `why` completes the sentence "the operation …". */
export function mixes(why: string): never {
  throw new SottoError('unsupported', why);
}

/** Operands aligned at their last axes, as broadcasting does: all that hold examples must hold them at the same place. */
export function aligned({ shape, inputShapes }: PlacedNode<unknown>, places: readonly BatchPlace[]): BatchPlace {
  let found: BatchPlace;
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    const here = { axis: place.axis + shape.length - inputShapes[i]!.length, inner: place.inner };
    if (found !== undefined && (found.axis !== here.axis || found.inner !== here.inner))
      mixes('it combines values whose examples lie along different axes');
    found = here;
  }
  return found;
}

/** An operation along some axes, which must not be that of the examples; `what` it does there is for the message. */
export function along(axes: readonly number[], place: BatchPlace, what: string): BatchPlace {
  if (place !== undefined && axes.includes(place.axis)) mixes(`it ${what} along the batch axis`);
  return place;
}
